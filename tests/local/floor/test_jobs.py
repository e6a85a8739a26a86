"""The scheduled Job of the examples, by the real CLI: deployed, run, rolled back, deleted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fsd_local import instance as local
from tests.local.cli import ROOT, Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
JOB = ("--service", "scheduled-job", "--env", "local")
WAITS = "timeout=2s"


@pytest.fixture
def job(tmp_path: Path, runtime: str) -> Iterator[Fsd]:
    """The example, where roles may do what their policies say."""
    folder = tmp_path / "job"
    shutil.copytree(ROOT / "examples" / "services" / "scheduled-job", folder)
    commit(folder, "first")
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    fsd.ok("local", "up", "--runtime", runtime, "--speed", "40", "--enforce-iam")
    try:
        yield fsd
    finally:
        fsd.ok("local", "down")


def fire(fsd: Fsd, monkeypatch: pytest.MonkeyPatch) -> None:
    """What EventBridge Scheduler does at six o'clock, now."""
    monkeypatch.setenv("FSD_LOCAL_STATE", str(fsd.state))
    running = local.find()
    assert running is not None
    request = {"name": "scheduled-job-local"}
    answer = local.call(
        running.endpoint, "POST", "/_fsd/run-schedule", request, secret=running.secret
    )
    assert len(answer["tasks"]) == 1


def test_job__deployed_fired_failed_and_rolled_back(
    job: Fsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = job.ok(*DEPLOY, "--version", "v1").json()
    unchanged = job.ok(*DEPLOY, "--version", "v1").json()
    plan = job.ok("plan", "--env", "local", "--override", "schedule=cron(0 7 * * ? *)")
    fire(job, monkeypatch)
    good = job.ok("status", *JOB, "--watch")
    by_hand = job.ok("run", *JOB)
    broken = job.ok(*DEPLOY, "--version", "v2", "--override", "environment.REPORT_DAYS=0").json()
    fire(job, monkeypatch)
    failed = job.run("status", *JOB, "--watch")
    why = job.run("diagnose", *JOB)
    history = job.ok("history", *JOB, "--format", "json").json()
    back = job.ok("rollback", *JOB, "--format", "json").json()
    again = job.ok("run", *JOB)
    logs = job.ok("logs", *JOB, "--since", "1h")
    stored = job.status()["resources"]["schedules"]
    gone = job.ok("delete", *JOB, "--yes")

    when = "cron(0 6 * * ? *) Europe/Berlin"
    assert (first["outcome"], first["schedule"]) == ("succeeded", when)
    assert unchanged["outcome"] == "unchanged"
    assert f"schedule {when} → cron(0 7 * * ? *) Europe/Berlin" in " ".join(plan.out.split()), (
        plan.text
    )
    assert "The last run succeeded: exit code 0" in good.out, good.text
    assert re.search(r"next run +\d{4}-\d\d-\d\d 0[45]:00 UTC", good.out), good.text
    assert datetime.fromisoformat(first["nextRun"]) > datetime.now(UTC)
    assert "report of 7 days written" in by_hand.out
    assert broken["running"]["version"] == "v2"
    assert failed.code == 6, failed.text
    assert "The last run failed: exit code 2" in failed.out
    assert "there is nothing to report" in why.out, why.text
    rows = [(row["action"], row["version"], row["outcome"]) for row in history]
    assert ("run", "v2", "failed") in rows, history
    assert ("deploy", "v1", "succeeded") in rows
    assert (back["outcome"], back["running"]["version"]) == ("succeeded", "v1")
    assert "report of 7 days written" in again.out
    assert "report of 7 days written" in logs.out
    assert "schedule scheduled-job-local" in gone.out, gone.text
    assert (stored, job.status()["resources"]["schedules"]) == (1, 0)
    assert job.run("status", *JOB).code != 0


def test_job__takes_too_long__is_stopped_and_said(job: Fsd) -> None:
    sleeps = "command=[python, -c, 'import time; time.sleep(600)']"
    job.ok(*DEPLOY, "--override", sleeps, "--override", WAITS)

    ended = job.run("run", *JOB)
    status = job.run("status", *JOB)
    restarted = job.run("restart", *JOB)

    assert ended.code != 0, ended.text
    assert "stopped by its timeout" in status.out, status.text
    assert "is a Job" in restarted.text
