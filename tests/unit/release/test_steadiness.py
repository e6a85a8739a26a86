"""What ECS calls done is watched on: a worker must keep running, a target must be healthy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.compile.desired import OUTPUT_TARGET_GROUP, STEADY_TAG
from fsd.errors import CallFailedError, Interrupted
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest
from fsd.release.ledger import read_history
from fsd.release.operation import Operation, ServiceRef
from fsd.release.pace import Pace
from fsd.release.ports import PermissionDenied
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.release.rollback_to_version import roll_back
from fsd.report.cause_summaries import summary_text
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.snapshot import StoppedTask, TargetHealth
from tests.fakes.aws import PREFIX, START, FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request
from tests.unit.release.test_deploy import died

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
)  # fmt: skip
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-dev/1"


def worker(*, seconds: int = 60, cpu: str = "512", pace: Pace | None = None) -> DeployRequest:
    desired = replace(make_desired(cpu=cpu), steady_for=seconds)
    return make_request(desired, pace=pace or Pace())


def running() -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.stacks.apply("fsd-web-dev", template=make_desired().template, tags={"fsd:service": "web"})
    aws.ecs.calls.clear()
    return aws


def run(aws: FakeAws, request: DeployRequest, clock: FakeClock | None = None) -> Result:
    return deploy(request, aws.aws(), clock=clock or FakeClock(), reporter=Silent())


def moves(aws: FakeAws, clock: FakeClock, *, at: int, action: Callable[[], None]) -> None:
    """At that wait; DescribeServices shows that something did."""

    def act() -> None:
        action()
        service = aws.ecs.services["web-dev"]
        aws.ecs.services["web-dev"] = replace(service, pending=service.pending + 1)

    clock.at(at, act)


def test_deploy__worker_keeps_running__a_success_after_the_window() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert result.duration >= timedelta(seconds=60)


def test_deploy__worker_crashes_in_the_window__failed_and_rolled_back() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("SUCCESSFUL")
    moves(aws, clock, at=5, action=lambda: aws.ecs.crash(42, times=1))

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"
    assert result.running is not None
    assert result.running.revision == "web-dev:41"
    # ECS's own deployment says SUCCESSFUL: the ledger says what it was.
    history = read_history(aws.ecs, cluster="dev", service="web-dev")
    assert (history[0].revision, history[0].outcome) == ("web-dev:42", "failed")
    assert "stop_service_deployment" not in [name for name, _ in aws.ecs.calls]


def test_deploy__crash_that_no_look_shows__found_at_the_end() -> None:
    """A task that ends and is replaced between two looks moves no count."""
    aws, clock = running(), FakeClock()
    clock.at(5, lambda: aws.ecs.crash(42, times=1))

    assert run(aws, worker(), clock).outcome is Outcome.ROLLED_BACK


def test_deploy__worker_of_a_first_release_crashes__no_task_left_and_the_next_is_judged() -> None:
    aws, clock = FakeAws(), FakeClock()
    moves(aws, clock, at=5, action=lambda: aws.ecs.crash(1, times=1))

    assert run(aws, worker(), clock).outcome is Outcome.ROLLBACK_FAILED
    assert aws.ecs.services["web-dev"].desired == 0

    aws.ecs.stopped.clear()
    again = run(aws, worker())

    assert again.outcome is Outcome.SUCCEEDED
    assert aws.ecs.services["web-dev"].desired == 2
    history = read_history(aws.ecs, cluster="dev", service="web-dev")
    assert [r.outcome for r in history] == ["succeeded"]


def test_deploy__run_before_died_and_the_worker_crashes__stack_of_the_last_good_release() -> None:
    """ECS calls ours successful: that is no reason to forget what to go back to."""
    aws = running()
    before = make_desired().template
    died(aws, make_desired(template={"Resources": {"Check": {"Type": "a"}}}))
    clock = FakeClock()
    moves(aws, clock, at=5, action=lambda: aws.ecs.crash(43, times=1))
    changed = make_desired(template={"Resources": {"Check": {"Type": "b"}}}, cpu="1024")

    result = run(aws, make_request(replace(changed, steady_for=60)), clock)

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied[-1] == before


def test_deploy__run_was_killed_in_the_window__the_next_one_judges_it() -> None:
    """ECS calls the release of the dead run successful, and nobody has seen it keep running."""
    aws, clock = running(), FakeClock()

    def die() -> None:
        raise MemoryError

    clock.at(5, die)
    with pytest.raises(MemoryError):
        run(aws, worker(), clock)
    history = read_history(aws.ecs, cluster="dev", service="web-dev")
    assert history[0].outcome == "not judged"

    aws.ecs.crash(42, times=1)
    result = run(aws, worker())

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.running is not None
    assert result.running.revision == "web-dev:41"


def test_deploy__run_was_killed_in_mid_rollout__the_next_one_attaches_and_judges_it() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")

    def die() -> None:
        raise MemoryError

    clock.at(3, die)
    with pytest.raises(MemoryError):
        run(aws, worker(), clock)
    before, clock = len(aws.ecs.deployments), FakeClock()
    clock.at(2, lambda: aws.ecs.end("SUCCESSFUL"))

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert len(aws.ecs.deployments) == before
    history = read_history(aws.ecs, cluster="dev", service="web-dev")
    assert history[0].outcome == "succeeded"


def test_deploy__worker_that_was_proved__proved_in_the_ledger_and_unchanged() -> None:
    aws = running()
    run(aws, worker())
    history = read_history(aws.ecs, cluster="dev", service="web-dev")

    assert history[0].outcome == "succeeded"
    assert run(aws, worker()).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("revision", "code", "reason"),
    [
        (42, "SpotInterruption", "Your Spot Task was interrupted."),
        (42, "UserInitiated", "Task stopped by user"),
        (42, "ServiceSchedulerInitiated", "Scaling activity initiated by deployment ecs-svc/1"),
        (42, "ServiceSchedulerInitiated", "Task is unhealthy due to maintenance on the underlying "
         "infrastructure"),
        (42, "TaskFailedToStart", "Capacity is unavailable at this time. Please try again later"),
        (41, "EssentialContainerExited", "Essential container in task exited"),
    ],
)  # fmt: skip
def test_deploy__task_that_did_not_end_by_itself__no_failure(
    revision: int, code: str, reason: str
) -> None:
    aws = running()
    arn = f"{PREFIX}:task-definition/web-dev:{revision}"
    aws.ecs.stopped.append(
        StoppedTask(id="1" * 32, task_definition_arn=arn, stop_code=code, stopped_reason=reason)
    )

    assert run(aws, worker()).outcome is Outcome.SUCCEEDED


def test_deploy__crash_before_ecs_called_it_done__ecs_has_judged_that() -> None:
    aws = running()
    aws.ecs.crash(42, times=1)
    early = replace(aws.ecs.stopped[0], stopped_at=START, created_at=START + timedelta(minutes=9))
    aws.ecs.stopped[:] = [early]

    def finish() -> None:
        aws.ecs.deployments[0] = replace(
            aws.ecs.deployments[0], finished_at=START + timedelta(seconds=30)
        )

    aws.ecs.on_update = finish

    assert run(aws, worker()).outcome is Outcome.SUCCEEDED


def test_deploy__window_of_an_embedded_aws__as_much_shorter_as_it_is_faster() -> None:
    result = run(running(), worker(pace=Pace(speed=10)))

    assert timedelta(seconds=6) <= result.duration < timedelta(seconds=8)


def test_deploy__time_is_up_in_the_window__watched_to_its_end() -> None:
    request = replace(worker(), timeout=timedelta(seconds=10))

    assert run(running(), request).outcome is Outcome.SUCCEEDED


def test_deploy__superseded_in_the_window__nothing_of_the_other_undone() -> None:
    aws, clock = running(), FakeClock()
    clock.at(5, lambda: aws.ecs.take_over(99))

    assert run(aws, worker(), clock).outcome is Outcome.SUPERSEDED


def test_deploy__signal_in_the_window__says_what_was_seen() -> None:
    aws, clock = running(), FakeClock()

    def stop() -> None:
        raise Interrupted("stopped by SIGINT", where="x", fix="y")

    clock.at(5, stop)

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.INTERRUPTED
    assert message_text(result.message) == (
        "stopped by SIGINT after ECS had reported the deployment of web-dev:42 as complete; FSD "
        "stopped watching before it could tell whether the new tasks keep running"
    )


def test_deploy__aws_stays_away_in_the_window__not_called_a_success() -> None:
    aws, clock = running(), FakeClock()
    error = CallFailedError("connection reset", where="ecs", fix="again")
    clock.at(3, lambda: aws.ecs.fail("find_service", *[error] * 9))

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.TIMED_OUT
    assert "FSD could not see whether the new tasks keep running" in (message_text(result.message))


def test_deploy__what_it_goes_back_to_crashes_too__said() -> None:
    aws, clock = running(), FakeClock()

    def crash_both() -> None:
        aws.ecs.crash(42, times=1)
        aws.ecs.crash(41, times=1)

    moves(aws, clock, at=5, action=crash_both)

    result = run(aws, worker(), clock)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "web-dev:41 does not keep running either" in message_text(result.message)


# --- restart, rollback -------------------------------------------------------------------------


def operation(aws: FakeAws, clock: FakeClock) -> Operation:
    return Operation(aws=aws.aws(), ref=REF, clock=clock, reporter=Silent())


def watched(*revisions: int) -> FakeAws:
    aws = FakeAws()
    for revision in revisions:
        aws.ecs.declare_running(revision)
    for definition in aws.ecs.definitions:
        aws.ecs.tag_task_definition(definition.arn, tags={STEADY_TAG: "60"})
    return aws


def test_restart__worker_crashes_in_the_window__failed() -> None:
    aws, clock = watched(41), FakeClock()
    moves(aws, clock, at=5, action=lambda: aws.ecs.crash(41, times=1))

    result = restart(operation(aws, clock))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert (
        message_text(result.message)
        == "the same revision ran before: there is nothing to go back to"
    )


def test_roll_back__worker_crashes_in_the_window__back_to_what_ran() -> None:
    aws, clock = watched(41, 42), FakeClock()
    moves(aws, clock, at=5, action=lambda: aws.ecs.crash(41, times=1))

    result = roll_back(operation(aws, clock), None)

    assert (result.outcome, message_text(result.message)) == (
        Outcome.ROLLED_BACK,
        "web-dev:42 is running again",
    )
    assert result.running is not None
    assert result.running.revision == "web-dev:42"


# --- targets -----------------------------------------------------------------------------------


def balanced() -> FakeAws:
    aws = running()
    stack = aws.stacks.stacks["fsd-web-dev"]
    outputs = {**stack.outputs, OUTPUT_TARGET_GROUP: GROUP}
    aws.stacks.stacks["fsd-web-dev"] = replace(stack, outputs=outputs)
    service = aws.ecs.services["web-dev"]
    attached = replace(service, target_group_arns=(GROUP,), container_port=8000)
    aws.ecs.services["web-dev"] = attached
    return aws


def behind_a_load_balancer() -> DeployRequest:
    desired = make_desired()
    service = replace(desired.service, has_load_balancer=True, port=8000)
    return make_request(replace(desired, service=service))


def target(address: str, state: str, reason: str = "") -> TargetHealth:
    return TargetHealth(address=address, port=8000, state=state, reason=reason)


def test_deploy__no_target_is_healthy__no_success() -> None:
    aws = balanced()
    aws.targets.declare(
        GROUP,
        target("10.0.0.1", "unused", "Target.NotInUse"),
        target("10.0.0.2", "unused", "Target.NotInUse"),
    )

    result = run(aws, behind_a_load_balancer())

    assert result.outcome is not Outcome.SUCCEEDED
    assert result.diagnosis is not None
    assert "no target is healthy: 2 unused (Target.NotInUse)" in summary_text(
        result.diagnosis.cause.summary
    )


def test_deploy__target_gets_healthy_within_seconds__success() -> None:
    aws = balanced()
    states = iter(["initial", "initial"])
    aws.targets.groups[GROUP] = lambda: [target("10.0.0.1", next(states, "healthy"))]

    result = run(aws, behind_a_load_balancer())

    assert result.outcome is Outcome.SUCCEEDED
    assert result.duration < timedelta(seconds=30)


def test_deploy__targets_may_not_be_read__the_success_of_ecs_and_a_note() -> None:
    aws = balanced()

    def refuse() -> list[TargetHealth]:
        raise PermissionDenied("AccessDenied", where="x", fix="y")

    aws.targets.groups[GROUP] = refuse

    result = run(aws, behind_a_load_balancer())

    assert result.outcome is Outcome.SUCCEEDED
    assert any("could not compare the targets' health" in note for note in note_texts(result.notes))


def test_deploy__last_look__counts_healthy_targets_not_only_tasks() -> None:
    aws = balanced()
    aws.targets.declare(GROUP, target("10.0.0.1", "healthy"), target("10.0.0.2", "unhealthy"))

    result = run(aws, behind_a_load_balancer())

    assert (result.outcome, result.healthy_count) == (Outcome.SUCCEEDED, 1)
    assert "1 of 2 tasks are healthy" in " ".join(note_texts(result.notes))
