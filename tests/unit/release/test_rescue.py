from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from fsd.errors import CallFailedError
from fsd.release.deploy import deploy
from fsd.release.healthy import read_serving
from fsd.release.ports import PermissionDenied
from fsd.release.reporter import Silent
from fsd.release.rescue import SeenServing, outcome_of_serving
from fsd.release.result import Outcome, Result
from fsd.report.follow_ups import follow_up_texts
from fsd.report.messages import message_text
from fsd.report.phases import phase_text
from fsd.snapshot import StoppedTask, TargetHealth, TaskState
from tests.fakes.aws import PREFIX, START, FakeAws, FakeClock
from tests.unit.release.desired import make_request
from tests.unit.release.test_probe import GROUP, ONE, TWO, checked_at, serving, template

RULE, IDLE = "arn:rule", GROUP.replace("targetgroup/", "targetgroup/idle-")
DOWN = replace(ONE, state="unhealthy", reason="Target.Timeout", description="Request timed out")


def going_down(*, comes_back: bool) -> FakeAws:
    """web-dev:41 serves until the release is asked for; with the second update it may come back."""
    aws = serving()
    aws.ecs.script("ROLLBACK_FAILED")
    updates: list[int] = []

    def on_update() -> None:
        updates.append(1)
        is_up = len(updates) > 1 and comes_back
        aws.targets.declare(GROUP, ONE if is_up else DOWN)

    aws.ecs.on_update = on_update
    return aws


def test_read_serving__pair__targets_that_get_requests_alone() -> None:
    aws = serving(DOWN)
    aws.targets.declare(IDLE, ONE)
    aws.targets.rules[RULE] = {GROUP: 100, IDLE: 0}
    service = aws.ecs.services["web-dev"]
    pair = replace(service, target_groups=((GROUP, IDLE),), production_rule=RULE)

    assert read_serving(aws.aws(), pair) == (DOWN,)
    aws.targets.rules[RULE] = {GROUP: 32, IDLE: 68}
    assert read_serving(aws.aws(), pair) == (DOWN, ONE)
    assert read_serving(aws.aws(), replace(pair, production_rule="")) == (DOWN, ONE)


def run(aws: FakeAws) -> Result:
    request = make_request(checked_at("/ready"), allow_interruption=True)
    return deploy(request, aws.aws(), clock=FakeClock(), reporter=Silent())


def updates(aws: FakeAws) -> list[str]:
    asked = [parameters for name, parameters in aws.ecs.calls if name == "update_service"]
    return [str(one["taskDefinition"]).rpartition("/")[2] for one in asked]


def stopped(minute: int, *, created: int = -60, revision: int = 41) -> StoppedTask:
    """Minutes after the release began."""
    return StoppedTask(
        id=str(minute) * 32,
        task_definition_arn=f"{PREFIX}:task-definition/web-dev:{revision}",
        stop_code="ServiceSchedulerInitiated",
        stopped_reason="Task failed ELB health checks",
        created_at=START + timedelta(minutes=created),
        stopped_at=START + timedelta(minutes=minute),
    )


def test_deploy__rollback_fails_and_nothing_is_healthy__check_and_revision_come_back() -> None:
    aws = going_down(comes_back=True)
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.ecs.stopped.extend([stopped(1), stopped(2), stopped(3, created=2), stopped(4, revision=9)])

    result = run(aws)

    assert result.outcome is Outcome.ROLLED_BACK
    assert updates(aws) == ["web-dev:42", "web-dev:41"]
    assert aws.stacks.applied[-1] == template("/health")
    assert "no task was healthy from 14:02:00 UTC to " in message_text(result.message)
    assert result.running is not None
    assert result.running.revision == "web-dev:41"


def test_deploy__nothing_gets_healthy_again__says_down_since_when_and_what_brings_it_back() -> None:
    aws = going_down(comes_back=False)
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_FAILED")
    aws.ecs.stopped.extend([stopped(1), stopped(2)])

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert message_text(result.message) == (
        "web-dev is down: no task has been healthy since 14:02:00 UTC. Bringing web-dev:41 back "
        "failed: web-dev:41 did not become healthy again either. To restore the service, deploy a "
        "release whose tasks stay up"
    )
    assert follow_up_texts(result.next_steps)[0] == "fsd logs --service web --env dev --since 1h"
    assert phase_text(result.phases[-1]).startswith("the service is down")


def test_deploy__when_the_last_task_stopped_is_not_known__says_at_the_latest() -> None:
    aws = going_down(comes_back=False)
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_FAILED")

    message = message_text(run(aws).message)

    assert "no task has been healthy since 14:00:" in message
    assert " UTC or earlier. Bringing web-dev:41 back failed: " in message


def test_deploy__rollback_fails_and_old_tasks_serve__left_as_it_is() -> None:
    aws = serving()
    aws.ecs.script("ROLLBACK_FAILED")

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert updates(aws) == ["web-dev:42"]
    assert "down" not in message_text(result.message)


def test_deploy__ecs_says_rolled_back_and_nothing_is_healthy__waits_then_rolls_out_anew() -> None:
    aws = going_down(comes_back=True)
    aws.ecs._next[0][:] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws)

    assert result.outcome is Outcome.ROLLED_BACK
    assert updates(aws) == ["web-dev:42", "web-dev:41"]
    assert "no task was healthy from 14:00:" in message_text(result.message)


def test_deploy__ecs_rolled_back_and_tasks_come_up_by_themselves__no_second_rollout() -> None:
    aws, clock = going_down(comes_back=False), FakeClock()
    aws.ecs._next[0][:] = ["IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    clock.at(8, lambda: aws.targets.declare(GROUP, ONE))
    request = make_request(checked_at("/ready"), allow_interruption=True)

    result = deploy(request, aws.aws(), clock=clock, reporter=Silent())

    assert result.outcome is Outcome.ROLLED_BACK
    assert updates(aws) == ["web-dev:42"]
    assert "no task was healthy from 14:00:" in message_text(result.message)


def test_deploy__another_run_took_over__nothing_of_it_is_undone() -> None:
    aws = going_down(comes_back=False)

    def take_over() -> None:
        aws.targets.declare(GROUP, DOWN)
        aws.ecs.on_update = lambda: None
        aws.ecs.take_over(77)

    aws.ecs.on_update = take_over

    result = run(aws)

    assert result.outcome is not Outcome.ROLLED_BACK
    assert updates(aws) == ["web-dev:42"]


def test_deploy__another_run_began_after_the_rollback_failed__left_to_it() -> None:
    """While the failure is explained: the stack is back by then."""
    aws = going_down(comes_back=False)

    def look() -> list[TargetHealth]:
        is_back = aws.stacks.applied[-1:] == [template("/health")]
        if is_back and len(aws.ecs.deployments) == 2:
            aws.ecs.begin(77)
        return [DOWN]

    aws.ecs.on_update = lambda: aws.targets.groups.update({GROUP: look})

    result = run(aws)

    assert len(aws.ecs.deployments) == 3
    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert updates(aws) == ["web-dev:42"]


@pytest.mark.parametrize("error", [PermissionDenied, CallFailedError])
def test_deploy__aws_refuses_the_second_rollout__told_and_the_outcome_stays(
    error: type[CallFailedError],
) -> None:
    aws = going_down(comes_back=False)
    refusal = error("AccessDenied: no ecs:UpdateService", where="UpdateService", fix="allow it")
    once = aws.ecs.on_update

    def on_update() -> None:
        once()
        aws.ecs.fail("update_service", refusal)

    aws.ecs.on_update = on_update

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "AccessDenied: no ecs:UpdateService" in message_text(result.message)
    assert "web-dev is down: no task has been healthy since" in message_text(result.message)


def test_deploy__the_check_cannot_be_put_back__says_so_and_rolls_nothing_out() -> None:
    aws = going_down(comes_back=True)
    refusal = CallFailedError("could not be updated: no", where="fsd-web-dev", fix="again")
    aws.stacks.on_apply = [None, refusal, refusal]

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "FSD could not restore the health check: could not be updated: no" in message_text(
        result.message
    )
    assert updates(aws) == ["web-dev:42"]


GOOD, BAD = (f"{PREFIX}:task-definition/web-dev:{n}" for n in (41, 42))
STANDS = SeenServing(revision=GOOD, desired=2, healthy=2, others=0, tasks=frozenset({"a", "b"}))
WRONG: dict[str, dict[str, Any]] = {
    "another revision": {"revision": BAD},
    "one task too few": {"healthy": 1},
    "no task": {"healthy": 0, "tasks": frozenset()},
    "count 0": {"desired": 0, "healthy": 0, "tasks": frozenset()},
    "tasks of the release run": {"others": 1},
}


@pytest.mark.parametrize("ended", list(Outcome))
@pytest.mark.parametrize("failed", [BAD, GOOD], ids=["a new revision", "the same revision"])
def test_outcome_of_serving__every_combination__back_only_where_all_is_well(
    ended: Outcome, failed: str
) -> None:
    firsts, seconds = [None, *WRONG], [None, *WRONG, "another task", "not looked"]
    may_be_back = ended is Outcome.ROLLBACK_FAILED and failed == BAD

    for wrong in product(firsts, seconds):
        looks = [_serving(one) for one in wrong if one != "not looked"]
        expected = Outcome.ROLLED_BACK if may_be_back and wrong == (None, None) else ended

        found = outcome_of_serving(ended, looks, good=GOOD, failed=failed)

        assert found is expected, wrong


def _serving(wrong: str | None) -> SeenServing:
    if wrong == "another task":
        return replace(STANDS, tasks=frozenset({"a", "c"}))
    return replace(STANDS, **WRONG[wrong]) if wrong else STANDS


def serves_all_the_same(*looks: Sequence[str]) -> FakeAws:
    """ECS calls its rollback failed; web-dev:41 is on, with these tasks at each look."""
    aws = serving()
    aws.ecs.script("ROLLBACK_FAILED")
    aws.ecs.on_update = lambda: aws.ecs.serve(GOOD)
    seen = [[_task(name) for name in names] for names in looks]

    def tasks(cluster: str, service: str) -> Sequence[TaskState]:
        del cluster, service
        return seen.pop(0) if len(seen) > 1 else seen[0]

    aws.ecs.tasks = tasks  # type: ignore[method-assign] # of this one fake
    return aws


def _task(name: str) -> TaskState:
    address = {"a": ONE.address, "b": TWO.address}.get(name, ONE.address)
    revision = BAD if name == "new" else GOOD
    return TaskState(id=name, task_definition_arn=revision, last_status="RUNNING", address=address)


def test_deploy__rollback_is_called_failed_and_the_old_release_serves__rolled_back() -> None:
    aws = serves_all_the_same(["a", "b"])

    result = run(aws)

    assert (result.outcome, result.outcome.exit_code) == (Outcome.ROLLED_BACK, 6)
    assert message_text(result.message) == (
        "ECS could not roll back: ; web-dev:41 is serving users nonetheless: 2 of 2 tasks are "
        "healthy"
    )
    assert result.running is not None
    assert result.running.revision == "web-dev:41"
    assert aws.stacks.applied[-1] == template("/health")  # the rest goes back too
    assert updates(aws) == ["web-dev:42"]


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([["a", "b"], ["a", "c"]], id="a task was replaced"),
        pytest.param([["a"]], id="one of two"),
        pytest.param([["a", "b", "new"]], id="a task of the release"),
    ],
)
def test_deploy__rollback_is_called_failed_and_not_all_is_well__rollback_failed(
    looks: list[list[str]],
) -> None:
    result = run(serves_all_the_same(*looks))

    assert (result.outcome, result.outcome.exit_code) == (Outcome.ROLLBACK_FAILED, 7)
    assert "serves" not in message_text(result.message)


def test_deploy__the_old_release_serves_and_the_stack_cannot_go_back__rollback_failed() -> None:
    aws = serves_all_the_same(["a", "b"])
    refusal = CallFailedError("the stack is stuck", where="fsd-web-dev", fix="free it")
    aws.stacks.on_apply = [None, refusal, refusal, refusal]

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "the stack is stuck" in message_text(result.message)


def test_deploy__second_rollout_is_called_failed_and_serves__rolled_back_and_was_down() -> None:
    aws = serves_all_the_same(["a", "b"])
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_FAILED")
    asked: list[int] = []

    def on_update() -> None:
        asked.append(1)
        aws.targets.declare(GROUP, *([ONE, TWO] if len(asked) > 1 else [DOWN]))

    aws.ecs.on_update = on_update

    result = run(aws)

    assert result.outcome is Outcome.ROLLED_BACK
    assert updates(aws) == ["web-dev:42", "web-dev:41"]
    assert "no task was healthy from " in message_text(result.message)
