"""Whatever ECS answers, there is a verdict or a translated error: never a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsd.aws.ecs import ElasticContainerService
from fsd.aws.ecs_shapes import to_service, to_service_deployment, to_stopped_task, to_task
from fsd.aws.ecs_tolerant import TolerantEcs
from fsd.errors import CallFailedError
from fsd.release.notes import DeploymentPaused
from fsd.release.pace import Pace
from fsd.release.reporter import Silent
from fsd.release.watch import Watcher
from fsd.report.notes import note_text
from fsd.rollout.assess import Ours, Succeeded, assess
from fsd.rollout.diagnose import doomed_causes, find_causes, find_task_to_read
from fsd.rollout.legacy import deployments_of
from fsd.snapshot import DeploymentStatus, ServiceDeployment, Snapshot
from tests.corpus.shapes import answers, shaped
from tests.fakes.aws import FakeAws
from tests.fakes.ecs_world import WorldClock

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/web-dev:42"
OURS = Ours(service="web-dev", arn="arn:ours", task_definition_arn=ARN)


def deployments() -> st.SearchStrategy[ServiceDeployment]:
    return shaped("ServiceDeployment").map(lambda answer: to_service_deployment(answer, ARN))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    service = draw(st.none() | shaped("Service").map(to_service))
    tasks = draw(st.lists(shaped("Task"), max_size=2))
    return Snapshot(
        service=service,
        deployment=draw(st.none() | deployments()),
        newer=draw(st.none() | deployments()),
        tasks=tuple(to_task(task) for task in tasks),
        stopped=tuple(to_stopped_task(task) for task in tasks),
        events=service.events if service else (),
    )


@SETTINGS
@given(snapshot=snapshots(), asked=st.booleans())
def test_assess__whatever_ecs_answers__a_verdict(snapshot: Snapshot, asked: bool) -> None:
    verdict = assess(snapshot, replace(OURS, asked_to_stop=asked))

    if isinstance(verdict, Succeeded):
        assert snapshot.deployment is not None
        assert snapshot.deployment.status is DeploymentStatus.SUCCESSFUL


@SETTINGS
@given(snapshot=snapshots(), reason=st.sampled_from(["", "x", "rollback was requested"]))
def test_find_causes__whatever_ecs_answers__at_least_one(snapshot: Snapshot, reason: str) -> None:
    assert find_causes(snapshot, ARN, reason=reason)
    assert doomed_causes(snapshot, ARN) is not None
    find_task_to_read(snapshot, ARN)


@SETTINGS
@given(deployment=deployments())
def test_paused_text__whatever_hook__said(deployment: ServiceDeployment) -> None:
    for hook in deployment.hooks:
        assert hook.id in note_text(DeploymentPaused(hook=hook, stage=deployment.lifecycle_stage))


@SETTINGS
@given(first=shaped("Service"), second=shaped("Service"))
def test_deployments_of__whatever_two_looks__statuses(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    seen = deployments_of(to_service(first), {})

    assert set(seen) <= set(deployments_of(to_service(second), seen))


class AnyClient:
    """Answers each call with what Hypothesis draws for it."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.meta = SimpleNamespace(method_to_api_mapping={})

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        name = "".join(part.capitalize() for part in operation.split("_"))
        return lambda **_: self._answer(name)

    def get_paginator(self, operation: str) -> Any:
        name = "".join(part.capitalize() for part in operation.split("_"))
        return SimpleNamespace(paginate=lambda **_: iter([self._answer(name)]))

    def client(self, service: str, *, attempts: int = 0, region: str = "") -> Any:
        del service, attempts, region
        return self

    def _answer(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.draw(answers(name))
        answer.pop("nextToken", None)
        answer.pop("failures", None)
        return answer


def watcher(ecs: ElasticContainerService, clock: WorldClock) -> Watcher:
    now = clock.now()
    return Watcher(
        aws=replace(FakeAws().aws(), ecs=ecs), clock=clock, reporter=Silent(), cluster="dev",
        service="web-dev", pace=Pace(), started=now, deadline=now + timedelta(seconds=9),
    )  # fmt: skip


@settings(SETTINGS, max_examples=20)
@given(data=st.data())
def test_watch__whatever_ecs_answers__a_verdict_or_a_translated_error(data: st.DataObject) -> None:
    clock = WorldClock()
    ecs = TolerantEcs(
        clients=AnyClient(data.draw), clock=clock, poll=timedelta(seconds=2), warn=lambda _: None
    )
    watch = watcher(ecs, clock)
    try:
        watch.find(known=frozenset(), task_definition_arn=ARN)
        watched = watch.watch(OURS)
    except CallFailedError:
        return

    if isinstance(watched.verdict, Succeeded):
        assert watched.snapshot.deployment is not None
