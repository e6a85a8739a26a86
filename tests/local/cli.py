"""The real `fsd` in a subprocess, against an embedded AWS of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import boto3

ROOT = Path(__file__).parent.parent.parent
HELLO = ROOT / "examples" / "services" / "hello"
TIMEOUT = 180


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    @property
    def has_result(self) -> bool:
        """Whether stdout has a release's result; with --format json an error is a document too."""
        return '"schema": "fsd/result/v1"' in self.out

    def json(self) -> Any:
        return json.loads(self.out)


class Program(subprocess.Popen[str]):
    """Ends with its `with` block: one that an exception leaves is killed, not waited for."""

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)

    def end(self, given: str | None = None) -> Ended:
        """What it printed until it ended by itself; raises TimeoutExpired after `TIMEOUT`."""
        with self:
            out, err = self.communicate(given, timeout=TIMEOUT)
        return Ended(self.returncode, out, err)


@dataclass
class Fsd:
    """Runs commands with a private state folder; nothing of the caller's environment but PATH."""

    state: Path
    cwd: Path
    extra: dict[str, str] = field(default_factory=dict)
    module: str = "fsd.cli.main"

    def environment(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if key in {"PATH", "HOME", "LANG", "DOCKER_HOST", "TMPDIR"}
        }
        return {**kept, "FSD_LOCAL_STATE": str(self.state), "COLUMNS": "100", **self.extra}

    def start(self, *arguments: str, stdin: int = DEVNULL) -> Program:
        return Program(
            [sys.executable, "-m", self.module, *arguments],
            cwd=self.cwd,
            env=self.environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, given: str | None = None) -> Ended:
        """`given` is what comes in on standard input."""
        return self.start(*arguments, stdin=DEVNULL if given is None else PIPE).end(given)

    def ok(self, *arguments: str) -> Ended:
        ended = self.run(*arguments)
        assert ended.code == 0, ended.text
        return ended

    def status(self) -> Any:
        """What `fsd local status --format json` says."""
        return self.ok("local", "status", "--format", "json").json()

    def aws_environment(self) -> dict[str, str]:
        """`fsd local env`, as a dict."""
        lines = self.ok("local", "env").out.splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines if "export" in line)
        return {key: value.strip("'\"") for key, _, value in pairs}

    def secret(self) -> str:
        """The embedded AWS's secret access key, for every account's root user."""
        return self.aws_environment()["AWS_SECRET_ACCESS_KEY"]

    @contextmanager
    def client(self, service: str, region: str = "") -> Iterator[Any]:
        """Somebody else's boto3 client of the embedded AWS."""
        names = self.aws_environment()
        made = boto3.client(
            service,
            endpoint_url=names["AWS_ENDPOINT_URL"],
            region_name=region or names["AWS_REGION"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            yield made
        finally:
            made.close()
