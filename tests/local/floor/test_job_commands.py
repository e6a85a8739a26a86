"""Every command that takes a service, of a Job: it works, or says why it has nothing to do."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

import click
import pytest

from fsd.cli.main import COMMANDS
from tests.local.cli import ROOT, Fsd
from tests.local.conftest import SPEED, commit

JOB = ("--service", "report", "--env", "dev")
ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec: {region: us-east-1}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {region: us-east-1, promoteFrom: dev}
"""
MANIFEST = """\
apiVersion: fsd/v1
kind: Job
metadata: {name: report, pack: examples, owners: ["@org/orders"]}
service:
  type: ecs
  schedule: rate(7 days)
  timeout: 1m
  resources: {cpu: 256, memory: 512}
  environment: {REPORT_DAYS: 7}
  observability: {logs: {retention: 30}}
"""


@dataclass(frozen=True)
class Row:
    """A command, its exit code, and what it says on either stream."""

    words: tuple[str, ...]
    code: int
    says: tuple[str, ...]


# In this order: `delete` comes last.
ROWS = (
    Row(("validate",), 0, ("0 errors",)),
    Row(("plan", "--env", "dev"), 0, ("nothing to change",)),
    Row(("deploy", "--env", "dev"), 0, ("schedule rate(7 days)",)),
    Row(("push", "--env", "dev"), 0, ("/report@sha256:",)),
    Row(("changed", "service.yml", "--env", "dev"), 0, ("0 of 1 services changed in dev",)),
    Row(("status", *JOB), 0, ("Job, rate(7 days)", "The last run succeeded")),
    Row(("status", "--env", "dev"), 0, ("0 services and 1 Job", "exit code 0", "rate(7 days)")),
    Row(("diagnose", *JOB), 0, ("The last run succeeded",)),
    Row(("history", *JOB), 0, ("run     succeeded", "deploy  succeeded")),
    Row(("logs", *JOB, "--since", "1h"), 0, ("report of 7 days written",)),
    Row(("run", *JOB), 0, ("report of 7 days written",)),
    Row(("exec", *JOB, "--", "ls"), 2, ("report is a Job", "fsd run --service report --env dev")),
    Row(("scale", *JOB, "--count", "2"), 2, ("report is a Job", "fsd run")),
    Row(("restart", *JOB), 2, ("report is a Job", "fsd run")),
    Row(("approve", *JOB), 2, ("report is a Job",)),
    Row(("reject", *JOB), 2, ("report is a Job",)),
    Row(("promote", "--service", "report", "--from", "dev", "--to", "prod"), 0, ("Deployed",)),
    Row(("rollback", *JOB), 2, ("there is no release before report-dev:1", "fsd history")),
    # Of the embedded network it says what it says of a Service.
    Row(("doctor", "--env", "dev", "--file", "service.yml"), 4, ("doctor-no-way-out", "1 error,")),
    Row(("iam", "--env", "dev", "--repo", "org/report"), 0, ("scheduler.amazonaws.com",)),
    Row(
        ("import", "--cluster", "dev", "--service", "report-dev", "--env", "dev", "--dry-run"),
        0,
        ("kind: Job", "schedule: rate(7 days)", "timeout: 60s"),
    ),
    Row(("delete", *JOB, "--yes"), 0, ("schedule report-dev",)),
)
# What makes a manifest, sets up an account, or works on the action's inputs: of no service. And
# what needs Docker: see test_cli_build.py.
OTHERS = {"init", "bootstrap", "ci", "build"}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    """A Job that is deployed to `dev` and has run once."""
    folder = tmp_path_factory.mktemp("job")
    example = ROOT / "examples" / "services" / "scheduled-job"
    for name in ("Dockerfile", "report.py"):
        (folder / name).write_bytes((example / name).read_bytes())
    (folder / "service.yml").write_text(MANIFEST)
    (folder / ".fsd").mkdir()
    (folder / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    commit(folder, "first")
    fsd = Fsd(state=tmp_path_factory.mktemp("state"), cwd=folder)
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED, "--enforce-iam")
    fsd.extra = fsd.aws_environment()
    fsd.ok("deploy", "--env", "dev", "--version", "v1")
    fsd.ok("run", *JOB)
    try:
        yield fsd
    finally:
        fsd.extra = {}
        fsd.ok("local", "down")


def test_job__every_command__works_or_says_why_not(job: Fsd) -> None:
    wrong = []
    for row in ROWS:
        ended = job.run(*row.words)
        said = " ".join(f"{ended.out} {ended.err}".split())
        missing = [text for text in row.says if " ".join(text.split()) not in said]
        if ended.code != row.code or missing:
            wrong.append(f"fsd {' '.join(row.words)}: not said {missing}\n{ended.text}")
    assert not wrong, "\n\n".join(wrong)


def test_rows__every_command_of_a_service_or_a_file__has_one() -> None:
    tried = {row.words[0] for row in ROWS}
    for name, (module, _) in COMMANDS.items():
        command: click.Command = importlib.import_module(f"fsd.cli.{module}").command
        if {"service", "file"} & {option.name for option in command.params}:
            assert name in tried | OTHERS, name
