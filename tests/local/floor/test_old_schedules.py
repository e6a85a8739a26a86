"""A rule of EventBridge that another tool made: it starts tasks until a Job's schedule does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsd_local import instance as local
from tests.local.cli import ROOT, Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--version", "v1")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MAY_RUN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ecs:RunTask", "iam:PassRole"], "Resource": "*"}],
}


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Fsd]:
    folder = tmp_path / "job"
    shutil.copytree(ROOT / "examples" / "services" / "scheduled-job", folder)
    commit(folder, "first")
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    fsd.ok("local", "up", "--runtime", "process", "--speed", "40", "--enforce-iam")
    try:
        yield fsd
    finally:
        fsd.ok("local", "down")


def make_rule(fsd: Fsd) -> str:
    """That starts what the Job's schedule starts; its ARN."""
    with fsd.client("iam") as iam:
        iam.create_role(RoleName="events", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName="events", PolicyName="run", PolicyDocument=json.dumps(MAY_RUN))
        role = iam.get_role(RoleName="events")["Role"]["Arn"]
    with fsd.client("scheduler") as scheduler:
        ours = scheduler.get_schedule(Name="scheduled-job-local")["Target"]
    vpc: dict[str, Any] = ours["EcsParameters"]["NetworkConfiguration"]
    target = {
        "Id": "report",
        "Arn": ours["Arn"],
        "RoleArn": role,
        "EcsParameters": {
            "TaskDefinitionArn": ours["EcsParameters"]["TaskDefinitionArn"],
            "LaunchType": "FARGATE",
            "NetworkConfiguration": vpc,
        },
    }
    with fsd.client("events") as events:
        arn = events.put_rule(Name="nightly", ScheduleExpression="cron(0 3 * * ? *)")["RuleArn"]
        assert events.put_targets(Rule="nightly", Targets=[target])["FailedEntryCount"] == 0
    return str(arn)


def state(fsd: Fsd) -> str:
    with fsd.client("events") as events:
        return str(events.describe_rule(Name="nightly")["State"])


def test_adopt__rule__is_disabled_when_the_schedule_begins(
    job: Fsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.ok(*DEPLOY)
    rule = make_rule(job)
    monkeypatch.setenv("FSD_LOCAL_STATE", str(job.state))
    running = local.find()
    assert running is not None
    fired = local.call(
        running.endpoint,
        "POST",
        "/_fsd/run-schedule",
        {"name": "nightly"},
        secret=running.secret,
    )
    over = ("--override", f"existingSchedule={{arn: '{rule}'}}")

    refused = job.run(*DEPLOY, *over)
    plan = job.ok("plan", "--env", "local", "--adopt", *over)
    before = state(job)
    deployed = job.ok(*DEPLOY, "--adopt", *over)
    again = job.ok(*DEPLOY, *over)

    with job.client("ecs") as ecs:
        (task,) = ecs.describe_tasks(cluster="local", tasks=fired["tasks"])["tasks"]
    with job.client("scheduler") as scheduler:
        ours = scheduler.get_schedule(Name="scheduled-job-local")["State"]
    assert task["startedBy"] == "events-rule/nightly"
    assert refused.code == 4, refused.text
    assert "the rule nightly of another tool is enabled" in refused.text
    assert "old rule nightly enabled → disabled" in " ".join(plan.out.split()), plan.text
    assert "the old rule nightly is disabled when this Job's own schedule begins" in " ".join(
        plan.text.split()
    )
    assert (before, state(job), ours) == ("ENABLED", "DISABLED", "ENABLED"), deployed.text
    assert "Nothing to change" in again.text
