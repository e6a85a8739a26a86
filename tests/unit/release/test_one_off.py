"""`beforeDeploy` and `afterDeploy`: when they run, and what a failure leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import BEFORE_TAG, Desired, OneOff, Scaling
from fsd.errors import CallFailedError
from fsd.release.deploy import deploy
from fsd.release.notes import Note
from fsd.release.ports import PermissionDenied
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request

MIGRATE = OneOff(command=("migrate",), timeout=600, environment={"A": "1"})
SMOKE = OneOff(command=("smoke",), timeout=60)
SCALING = Scaling(
    minimum=2, maximum=5, cpu=70, memory=None, scale_in_cooldown=300, scale_out_cooldown=300
)
OUTPUTS = {"TaskSecurityGroupId": "sg-1"}


def desired(*, before: OneOff | None = None, after: OneOff | None = None) -> Desired:
    return replace(make_desired(cpu="1024"), before=before, after=after)


def running() -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.stacks.apply("fsd-web-dev", template=make_desired().template, tags={"fsd:service": "web"})
    aws.stacks.outputs = OUTPUTS
    aws.stacks.applied.clear()
    return aws


def run(aws: FakeAws, wanted: Desired) -> Result:
    return deploy(make_request(wanted), aws.aws(), clock=FakeClock(), reporter=Silent())


def names(aws: FakeAws) -> list[str]:
    return [name for name, _ in aws.ecs.calls]


def test_deploy__before_ends_well__then_the_rollout_and_the_revision_says_so() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws, desired(before=MIGRATE))

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["run_task", "tag_task_definition", "update_service"]
    asked = aws.ecs.calls[0][1]
    assert asked["taskDefinition"] == aws.ecs.definitions[0].arn
    assert asked["overrides"] == {
        "containerOverrides": [
            {
                "name": "web",
                "command": ["migrate"],
                "environment": [{"name": "A", "value": "1"}],
            }
        ]
    }
    assert BEFORE_TAG in aws.ecs.definitions[0].tags


def test_deploy__log_may_not_be_read__the_step_ends_and_the_rollout_begins() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.logs.error = PermissionDenied("no", where="/team/app", fix="allow it")
    said: list[str] = []

    class Heard(Silent):
        def note(self, note: Note) -> None:
            said.extend(note_texts((note,)))

    wanted = desired(before=MIGRATE)
    result = deploy(make_request(wanted), aws.aws(), clock=FakeClock(), reporter=Heard())

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["run_task", "tag_task_definition", "update_service"]
    assert len([text for text in said if "(the log could not be read: no)" in text]) == 1


def test_deploy__before_fails__nothing_is_changed_and_the_cause_is_told() -> None:
    aws = running()
    aws.ecs.ends = [3]

    result = run(aws, desired(before=MIGRATE))

    assert (result.outcome, int(result.outcome.exit_code)) == (Outcome.ROLLED_BACK, 6)
    assert not result.was_begun
    assert "`beforeDeploy` ended with exit code 3" in message_text(result.message)
    assert result.diagnosis is not None
    assert names(aws) == ["run_task", "deregister"]
    assert aws.stacks.find("fsd-web-dev") is not None
    assert result.running is not None
    assert result.running.revision == "web-dev:41"
    assert [d.revision for d in aws.ecs.definitions if d.status == "ACTIVE"] == [41]


def test_deploy__before_had_succeeded_and_the_rollout_failed__not_run_again() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    run(aws, desired(before=MIGRATE))
    aws.ecs.calls.clear()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    run(aws, desired(before=MIGRATE))

    assert "run_task" not in names(aws)


def test_deploy__nothing_to_roll_out__nothing_runs() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    run(aws, desired(before=MIGRATE, after=SMOKE))
    aws.ecs.calls.clear()

    assert run(aws, desired(before=MIGRATE, after=SMOKE)).outcome is Outcome.UNCHANGED
    assert names(aws) == []


def test_deploy__after_fails__a_warning_and_the_release_stays() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.ecs.ends = [1]

    result = run(aws, desired(after=SMOKE))

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["update_service", "run_task"]
    assert any("`afterDeploy` ended with exit code 1" in note for note in note_texts(result.notes))


def test_deploy__scaling_fails_after_the_rollout__after_has_run() -> None:
    """The next deployment sets the scaling, and would not run `afterDeploy`."""
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.scaling.error = CallFailedError("Throttling.", where="PutScalingPolicy", fix="wait")
    wanted = replace(desired(after=SMOKE), scaling=SCALING)

    with pytest.raises(CallFailedError, match="Throttling; ECS has web-dev:42") as raised:
        run(aws, wanted)

    assert names(aws) == ["update_service", "run_task"]
    assert raised.value.fix == "wait: the next deployment changes the scaling"
