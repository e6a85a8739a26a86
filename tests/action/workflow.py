"""What the tests of the Action share: a checkout to deploy, and action.yml's step as a runner runs
it.

act gives a composite action's run step INPUT_*, GITHUB_ACTION_REPOSITORY and more that GitHub's
runner does not; `ActionStep` gives it exactly what the runner does, and lets a test send signals.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.github_api import TOKEN

ROOT = Path(__file__).parent.parent.parent
WORKFLOWS = ROOT / "examples" / "workflows"
HELLO = ROOT / "examples" / "services" / "hello"
ROLE = "arn:aws:iam::000000000000:role/fsd-deploy"
TIMEOUT = 240  # seconds

# What the Action is made of: no more may be needed.
_PARTS = ("action.yml", "scripts/action", "requirements", "src")
_KEPT = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST"})

# A test of the service's own: what the example's test job runs.
_TEST = """\
import unittest

import app


class TestLog(unittest.TestCase):
    def test_log__is_there(self) -> None:
        self.assertTrue(callable(app.log))
"""


def make_action(folder: Path) -> Path:
    """A copy of the Action: only what it is made of, as a release has it."""
    for part in _PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder


def make_repository(folder: Path, *, branch: str) -> Path:
    """The example service with the example workflows, in git."""
    shutil.copytree(HELLO, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(WORKFLOWS, folder / ".github" / "workflows")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_app.py").write_text(_TEST)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch", branch)
    git(folder, "remote", "add", "origin", "https://github.com/org/hello.git")
    commit(folder, "Say hello")
    return folder


def break_health(folder: Path) -> str:
    """A commit after which the health path answers 500; returns its SHA."""
    manifest = folder / "service.yml"
    line = "    VERSION: ${VERSION}\n"
    text = manifest.read_text(encoding="utf-8")
    assert line in text
    broken = text.replace(line, line + '    HELLO_BROKEN_HEALTH: "1"\n')
    manifest.write_text(broken, encoding="utf-8")
    return commit(folder, "Look at the database in the health path")


def commit(folder: Path, title: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", title)
    return head(folder)


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    identity = ("user.name=t", "user.email=t@example.com", "commit.gpgsign=false")
    settings = [part for setting in identity for part in ("-c", setting)]
    ended = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return ended.stdout


def plain_environment() -> dict[str, str]:
    """Nothing of a workflow or an account that the tests may run in."""
    return {name: value for name, value in os.environ.items() if name in _KEPT}


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    def record(self) -> Any:
        return json.loads(Path(self.outputs["summary"]).read_text())


@dataclass(kw_only=True)
class ActionStep:
    """action.yml's one step. `environ` is what the job has, FSD_PYTHON saves the installation."""

    action: Path
    repository: Path
    folder: Path  # the runner's files and its temporary folder
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *, event: str, ref: str, payload: dict[str, Any], **inputs: str) -> Ended:
        with self.start(event=event, ref=ref, payload=payload, **inputs) as process:
            log, _ = process.communicate(timeout=TIMEOUT)
        return self.ended(process, log)

    @contextmanager
    def start(
        self, *, event: str, ref: str, payload: dict[str, Any], **inputs: str
    ) -> Iterator[subprocess.Popen[str]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "event.json").write_text(json.dumps(payload))
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        step = yaml.safe_load((self.action / "action.yml").read_text())["runs"]["steps"][0]
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.repository,
            env=self._environment(step, event=event, ref=ref, inputs=inputs),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def ended(self, process: subprocess.Popen[str], log: str) -> Ended:
        found = re.finditer(
            r"^([\w-]+)<<(ghadelimiter_\S+)\n(.*)\n\2$",
            (self.folder / "output").read_text(),
            re.MULTILINE,
        )
        return Ended(
            code=process.returncode,
            log=log,
            outputs={match[1]: match[3] for match in found},
            summary=(self.folder / "summary").read_text(),
        )

    def _environment(
        self, step: dict[str, Any], *, event: str, ref: str, inputs: dict[str, str]
    ) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        return {
            **plain_environment(),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_REF": ref,
            "GITHUB_REPOSITORY": "org/hello",
            "GITHUB_RUN_ID": "42",
            "GITHUB_SHA": head(self.repository),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "FSD_PYTHON": sys.executable,
            **self._mapped(step, given),
            **self.environ,
        }

    def _mapped(self, step: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
        """action.yml's `env:`, with its defaults, as the runner evaluates it."""
        inputs = yaml.safe_load((self.action / "action.yml").read_text())["inputs"]
        values = {name: str(entry["default"]) for name, entry in inputs.items()} | given
        assert values.keys() == inputs.keys(), "an input that action.yml does not have"
        values["github-token"] = values["github-token"].replace("${{ github.token }}", TOKEN)
        return {
            variable: values[re.sub(r"^\$\{\{ inputs\.([\w-]+) \}\}$", r"\1", expression)]
            for variable, expression in step["env"].items()
        }
