"""Runs the example workflows under `act`, with a copy of this checkout as org/fsd-deploy@v1.

act runs a job's steps on this machine, like a self-hosted runner. What it does not have (OIDC, the
API, AWS) is on loopback and comes in by --env, under the names that a runner uses.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.action.workflow import ROLE, TIMEOUT, plain_environment
from tests.fakes.github_api import TOKEN

ACT = Path(sys.executable).with_name("act")
VARIABLES = ("FSD_ROLE", "FSD_PLAN_ROLE")

_OUTPUT = re.compile(r"::set-output:: (?P<name>[\w-]+)=(?P<value>.*)$", re.MULTILINE)
_SUMMARY = re.compile(r"Summary - (?P<text>.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A workflow's run."""

    code: int
    log: str

    @property
    def outputs(self) -> dict[str, str]:
        return {match["name"]: match["value"].strip() for match in _OUTPUT.finditer(self.log)}

    @property
    def summary(self) -> str:
        return "".join(match["text"] for match in _SUMMARY.finditer(self.log))


@dataclass(kw_only=True)
class Act:
    repository: Path
    action: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    role: str = ROLE  # what each of VARIABLES names

    def run(self, workflow: str, event: str, payload: dict[str, Any]) -> Ran:
        event_file = self.home / "event.json"
        event_file.parent.mkdir(parents=True, exist_ok=True)
        event_file.write_text(json.dumps(payload))
        command = [str(ACT), event, "--workflows", f".github/workflows/{workflow}"]
        command += ["--eventpath", str(event_file), "--platform", "ubuntu-latest=-self-hosted"]
        command += ["--local-repository", f"org/fsd-deploy@v1={self.action}"]
        command += ["--no-cache-server", "--secret", f"GITHUB_TOKEN={TOKEN}"]
        for name in VARIABLES:
            command += ["--var", f"{name}={self.role}"]
        for name, value in {"FSD_PYTHON": sys.executable, **self.environ}.items():
            command += ["--env", f"{name}={value}"]
        ended = subprocess.run(
            command,
            cwd=self.repository,
            env={**plain_environment(), "XDG_CACHE_HOME": str(self.home / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ran(code=ended.returncode, log=ended.stdout)
