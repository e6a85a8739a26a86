"""The real `fsd` in a subprocess, against an embedded AWS of the test's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import boto3

from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
HELLO = ROOT / "examples" / "services" / "hello"
TIMEOUT = 180
STACKS = "most recent call first"


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

    state: Path | None = None  # of the embedded AWS that it may have called

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)

    def end(self, given: str | None = None) -> Ended:
        """What it printed until it ended by itself. Raises TimeoutExpired after `TIMEOUT`, with
        what every thread was doing in it and in the embedded AWS, which both end."""
        with self:
            try:
                out, err = self.communicate(given, timeout=TIMEOUT)
            except subprocess.TimeoutExpired as error:
                error.add_note(self._abort())
                raise
        return Ended(self.returncode, out, err)

    def _abort(self) -> str:
        """Python's faulthandler writes the stacks of all threads on SIGABRT."""
        self.send_signal(signal.SIGABRT)
        _, err = self.communicate(timeout=TIMEOUT)
        try:
            record = json.loads((self.state or Path()).joinpath("instance.json").read_text())
        except FileNotFoundError:
            return err
        log = Path(record["state_dir"]) / "server.log"
        with suppress(ProcessLookupError):
            os.kill(record["pid"], signal.SIGABRT)
            eventually(lambda: STACKS in log.read_text())
        return f"{err}\n--- the embedded AWS:\n{log.read_text()}"


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
        ours = {"FSD_LOCAL_STATE": str(self.state), "COLUMNS": "100", "PYTHONFAULTHANDLER": "1"}
        return {**kept, **ours, **self.extra}

    def start(self, *arguments: str, stdin: int = DEVNULL) -> Program:
        program = Program(
            [sys.executable, "-m", self.module, *arguments],
            cwd=self.cwd,
            env=self.environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        program.state = self.state
        return program

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
