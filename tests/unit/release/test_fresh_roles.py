"""A denial in the first minute of a release that changed its roles may be IAM's delay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from fsd.compile.desired import Json
from fsd.release.deploy import deploy
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, PhaseName, Result
from fsd.snapshot import StoppedTask
from tests.fakes.aws import PREFIX, START, FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request

SECRET_DENIED = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
    "time(s): failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:x from "
    "secrets manager: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/x/1 is "
    "not authorized to perform: secretsmanager:GetSecretValue on resource: x because no "
    "identity-based policy allows the secretsmanager:GetSecretValue action"
)
LOGS: Json = {"Type": "AWS::Logs::LogGroup"}


def template(policy: str) -> Json:
    role: Json = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}
    return {"Resources": {"Logs": LOGS, "ExecutionRole": role}}


def running() -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.stacks.apply("fsd-web-dev", template=template("old"), tags={"fsd:service": "web"})
    return aws


def denied(aws: FakeAws, at: datetime) -> None:
    aws.ecs.stopped.append(
        StoppedTask(
            id=f"{len(aws.ecs.stopped)}" * 32,
            task_definition_arn=f"{PREFIX}:task-definition/web-dev:42",
            stop_code="TaskFailedToStart",
            stopped_reason=SECRET_DENIED,
            created_at=at,
            stopped_at=at,
        )
    )


def run(aws: FakeAws, wanted: Json, clock: FakeClock) -> Result:
    request = make_request(make_desired(template=wanted))
    return deploy(request, aws.aws(), clock=clock, reporter=Silent())


def test_deploy__denied_at_first_by_a_role_that_changed__not_given_up() -> None:
    aws = running()
    aws.ecs.script(*["IN_PROGRESS"] * 6, "SUCCESSFUL")
    denied(aws, START + timedelta(seconds=20))

    assert run(aws, template("new"), FakeClock()).outcome is Outcome.SUCCEEDED
    assert "stop_service_deployment" not in [name for name, _ in aws.ecs.calls]


@pytest.mark.parametrize(
    ("wanted", "seconds"), [("old", 20), ("new", 75)], ids=["no role changed", "a minute later"]
)
def test_deploy__denied_and_it_is_not_the_delay__ended_at_once(wanted: str, seconds: int) -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("ROLLBACK_SUCCESSFUL")
    denied(aws, START + timedelta(seconds=seconds))

    result = run(aws, template(wanted), clock)

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "secret-access-denied"
    rollout = next(p for p in result.phases if p.name is PhaseName.ROLLOUT)
    assert rollout.finished_at is not None
    assert rollout.finished_at - rollout.started_at < timedelta(seconds=10)


def test_deploy__crash_while_roles_are_new__ended_at_once() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("ROLLBACK_SUCCESSFUL")
    aws.ecs.crash(42, times=2)

    assert run(aws, template("new"), FakeClock()).outcome is Outcome.ROLLED_BACK
