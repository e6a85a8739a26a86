"""What a load balancer or a health check says against a service. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.conditions import (
    NO_TARGETS,
    TARGET_GROUP_GONE,
    TARGET_GROUP_UNUSED,
    TRAFFIC_ASTRAY,
)
from fsd.rollout.diagnose import (
    CONTAINER_UNHEALTHY,
    HEALTH_CHECK_FAILED,
    group_name,
    health_check_advice,
    short,
)
from fsd.rollout.ecs_events import CLASSIC_CHECK_FAILED
from fsd.rollout.service_facts import GroupLook, ServiceFacts, cause_now, fresh_events
from fsd.rollout.summaries import (
    BareSummary,
    ContainersUnhealthy,
    TargetsUnhealthy,
    TargetsUnused,
)
from fsd.snapshot import TargetHealth


def is_up(target: TargetHealth) -> bool:
    return target.state == "healthy" and bool(target.address)


def broken_groups(view: ServiceFacts) -> Iterator[Cause]:
    for group in view.look.groups:
        names = ", ".join(map(group_name, group.missing))
        if group.missing and len(group.missing) == len(group.arns):
            yield cause_now(TARGET_GROUP_GONE, view, where=f"target group {names}")
        if group.targets is None or view.wants_none:
            continue
        if group.stray and not view.is_rolling:
            yield cause_now(TRAFFIC_ASTRAY, view, where=f"target group {group_name(group.stray)}")
            continue
        unused = [t for t in group.targets if t.state == "unused"]
        if unused and not (group.healthy and len(group.arns) > 1):
            yield _unused(view, group, unused)
        if not group.targets and not group.missing and view.serving.running:
            yield cause_now(NO_TARGETS, view, where=f"target group {_names(group)}")


def _unused(view: ServiceFacts, group: GroupLook, unused: Sequence[TargetHealth]) -> Cause:
    return cause_now(
        TARGET_GROUP_UNUSED,
        view,
        summary=TargetsUnused(count=len(unused), of=len(group.targets or ()), groups=_named(group)),
        where=f"target group {_names(group)}",
        evidence=target_words(unused),
    )


def unhealthy_targets(view: ServiceFacts) -> Iterator[Cause]:
    for group in view.look.groups:
        targets = group.targets or ()
        unhealthy = [t for t in targets if t.state.startswith("unhealthy")]
        is_enough = view.serving.healthy and view.serving.healthy >= (view.serving.desired or 0)
        if not unhealthy or view.wants_none or (view.is_rolling and is_enough):
            continue
        yield replace(
            cause_now(
                HEALTH_CHECK_FAILED,
                view,
                summary=TargetsUnhealthy(
                    count=len(unhealthy), of=len(targets), groups=_named(group)
                ),
                where=f"{view.where} · target group {_names(group)}",
                evidence=target_words(unhealthy),
            ),
            advice=health_check_advice(unhealthy),
        )
    if view.service.classic_load_balancers and view.is_short:
        yield from _unhealthy_instances(view)


def _unhealthy_instances(view: ServiceFacts) -> Iterator[Cause]:
    said = [e for e in fresh_events(view) if CLASSIC_CHECK_FAILED.search(e.message)]
    if said:
        evidence = [Evidence(source="ECS", text=e.message, at=view.stamp(e.at)) for e in said[:3]]
        yield cause_now(
            HEALTH_CHECK_FAILED,
            view,
            summary=BareSummary.CLASSIC_CHECK_FAILED,
            where=f"load balancer {', '.join(view.service.classic_load_balancers)}",
            evidence=evidence,
        )


def unhealthy_containers(view: ServiceFacts) -> Iterator[Cause]:
    sick = [t for t in view.look.tasks if t.health == "UNHEALTHY" and t.last_status == "RUNNING"]
    if sick and not view.wants_none:
        names = ", ".join(short(task.id) for task in sick[:4])
        yield cause_now(
            CONTAINER_UNHEALTHY,
            view,
            summary=ContainersUnhealthy(
                failure=CONTAINER_UNHEALTHY, count=len(sick), of=len(view.look.tasks)
            ),
            where=f"{view.where} · {names}",
        )


def target_words(targets: Sequence[TargetHealth]) -> tuple[Evidence, ...]:
    """Each of the load balancer's sentences once."""
    said = dict.fromkeys(target.description or target.reason for target in targets)
    return tuple(Evidence(source="target group", text=text) for text in said if text)


def _names(group: GroupLook) -> str:
    return " and ".join(_named(group))


def _named(group: GroupLook) -> tuple[str, ...]:
    return tuple(map(group_name, group.arns))
