"""What a deployment reads, it reads once: `tests/local/test_call_budget.py` counts whole runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from fsd.compile.desired import Json
from fsd.release.concurrency.races import LostRace, find_lost_race
from fsd.release.deploy import deploy
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Result
from fsd.rollout.assess import Ours
from fsd.snapshot import (
    DeploymentStatus,
    ServiceDeployment,
    ServiceState,
    StoppedTask,
    TargetHealth,
)
from tests.fakes.aws import PREFIX, FakeAws, FakeClock, FakeEcs
from tests.unit.release.desired import make_request
from tests.unit.release.test_deploy import running


@dataclass
class CountingEcs(FakeEcs):
    reads: Counter[str] = field(default_factory=Counter)

    def newest_deployments(
        self, cluster: str, service: str, *, limit: int
    ) -> tuple[Sequence[str], Sequence[ServiceDeployment]]:
        before = Counter(self.reads)
        found = FakeEcs.newest_deployments(self, cluster, service, limit=limit)
        self.reads = before + Counter(["newest_deployments"])
        return found

    def _maybe_fail(self, operation: str) -> None:
        self.reads[operation] += 1
        FakeEcs._maybe_fail(self, operation)


def counting() -> tuple[FakeAws, CountingEcs]:
    """web-dev:41 runs."""
    aws = running()
    ecs = CountingEcs(**{name: getattr(aws.ecs, name) for name in ("clusters", "services")})
    ecs.definitions, ecs.deployments = aws.ecs.definitions, aws.ecs.deployments
    aws.ecs = ecs
    return aws, ecs


def run(aws: FakeAws) -> Result:
    return deploy(make_request(), aws.aws(), clock=FakeClock(), reporter=Silent())


@pytest.mark.parametrize(
    ("answered", "looks"),
    [
        pytest.param(42, 0, id="ours"),
        pytest.param(41, 1, id="another's, which says nothing of ours"),
    ],
)
def test_deploy__update__the_answer_is_the_first_look(answered: int, looks: int) -> None:
    aws, ecs = counting()
    ecs.script("IN_PROGRESS", "SUCCESSFUL")
    update, first = ecs.update_service, Counter[str]()

    def answer(parameters: Json) -> ServiceState:
        service = update(parameters)
        ecs.reads.clear()
        arn = f"{PREFIX}:task-definition/web-dev:{answered}"
        return replace(service, task_definition_arn=arn)

    ecs.update_service = answer  # type: ignore[method-assign] # of this one fake
    clock = FakeClock()
    clock.at(1, lambda: first.update(ecs.reads))

    result = deploy(make_request(), aws.aws(), clock=clock, reporter=Silent())

    assert result.outcome is Outcome.SUCCEEDED
    assert first["newest_deployments"] == 1
    assert first["find_service"] == looks


def test_deploy__fails__compares_what_was_read_and_what_was_registered() -> None:
    aws, ecs = counting()
    ecs.script("IN_PROGRESS")
    ecs.on_stop("ROLLBACK_SUCCESSFUL")
    ecs.crash(42, times=2)

    result = run(aws)

    assert result.diagnosis is not None
    assert [change.what for change in result.diagnosis.changes] == ["image"]
    assert ecs.reads["find_task_definition"] == 1  # the newest, at the start


@pytest.mark.parametrize(
    ("task", "stopped_reads"),
    [
        pytest.param("crashed", 1, id="crashed"),
        pytest.param("unhealthy", 2, id="the event comes after the task"),
    ],
)
def test_deploy__fails__evidence_is_read_anew_where_more_may_come(
    task: str, stopped_reads: int
) -> None:
    aws, ecs = counting()
    ecs.script("IN_PROGRESS")
    ecs.on_stop("ROLLBACK_SUCCESSFUL")
    ecs.crash(42, times=3)
    if task == "unhealthy":
        ecs.stopped = [_unhealthy(one) for one in ecs.stopped]
        aws.targets.declare("group", TargetHealth(address="10.0.0.1", port=80, state="unhealthy"))
    reads = Counter[str]()
    read = ecs.stopped_tasks

    def count(cluster: str, service: str) -> Sequence[StoppedTask]:
        if not ecs.deployments[0].status.is_final:
            reads["stopped"] += 1
        return read(cluster, service)

    ecs.stopped_tasks = count  # type: ignore[method-assign] # of this one fake

    assert run(aws).outcome is Outcome.ROLLED_BACK
    assert reads["stopped"] == stopped_reads


def _unhealthy(task: StoppedTask) -> StoppedTask:
    reason = "Task failed ELB health checks in (target-group arn:aws:x)"
    return replace(
        task, stop_code="ServiceSchedulerInitiated", stopped_reason=reason, containers=()
    )


OURS = Ours(
    service="web-dev",
    arn=f"{PREFIX}:service-deployment/2",
    task_definition_arn=f"{PREFIX}:task-definition/web-dev:42",
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("IN_PROGRESS", None), ("SUCCESSFUL", Outcome.SUCCEEDED), ("ROLLBACK_SUCCESSFUL", None)],
)
def test_find_lost_race__ours_is_the_newest__the_list_says_it_all(
    status: str, expected: Outcome | None
) -> None:
    _, ecs = counting()
    ecs.take_over(42)
    ecs.end(status)

    lost = _find(ecs)

    assert (lost.outcome if lost else None) is expected
    assert ecs.reads == Counter({"newest_deployments": 1})


def test_find_lost_race__another_is_newer__ours_is_read_beside_it() -> None:
    _, ecs = counting()
    ecs.take_over(42)
    ecs.take_over(43)
    ecs.deployments[1] = replace(ecs.deployments[1], status=DeploymentStatus.STOPPED)

    lost = _find(ecs)

    assert lost is not None
    assert lost.outcome is Outcome.SUPERSEDED
    assert ecs.reads == Counter({"newest_deployments": 1, "service_deployments": 1})


def _find(ecs: CountingEcs) -> LostRace | None:
    ecs.reads.clear()
    return find_lost_race(ecs, OURS, cluster="dev", good=None)
