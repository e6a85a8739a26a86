"""The ROLLING strategy: how old tasks are replaced by new ones. Pure.

A strategy is `decide(view) -> actions`; the others are in `shifting`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from fsd_local.ecs import messages
from fsd_local.ecs.actions import (
    AccountForTask,
    Action,
    EmitEvent,
    StartTasks,
    StopTasks,
    TellDeadlock,
)
from fsd_local.ecs.health import Unhealthy, find_unhealthy, is_healthy
from fsd_local.ecs.model import (
    EcsServiceRecord,
    RolloutState,
    ServiceDeploymentStatus,
    ServiceRollout,
    Task,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A service at one instant, sorted for a strategy. Tasks are those that should run."""

    service: EcsServiceRecord
    primary: ServiceRollout
    now: float
    speed: float
    lower: int  # healthy tasks that must stay
    upper: int  # tasks that may be starting or running
    new: tuple[Task, ...]  # the primary deployment's
    old: tuple[Task, ...]
    healthy: frozenset[str]  # task ids
    unhealthy: dict[str, Unhealthy]  # by task id; past the grace period

    @property
    def healthy_new(self) -> int:
        return sum(task.id in self.healthy for task in self.new)

    @property
    def room(self) -> int:
        return self.upper - len(self.new) - len(self.old)

    @property
    def missing(self) -> int:
        """How many tasks of the primary deployment are to be started still."""
        serving = sum(task.id not in self.unhealthy for task in self.new)
        return self.service.desired_count - serving

    @property
    def is_in_progress(self) -> bool:
        return self.primary.rollout_state is RolloutState.IN_PROGRESS

    @property
    def is_completed(self) -> bool:
        return self.primary.rollout_state is RolloutState.COMPLETED


def look(service: EcsServiceRecord, primary: ServiceRollout, *, now: float, speed: float) -> View:
    wanted = [task for task in service.tasks.values() if task.is_wanted and not task.is_stopped]
    configuration, desired = service.configuration, service.desired_count
    unhealthy = {
        task.id: found
        for task in wanted
        if (found := find_unhealthy(task, service, now=now, speed=speed)) is not None
    }
    return View(
        service=service,
        primary=primary,
        now=now,
        speed=speed,
        lower=ceil(desired * configuration["minimumHealthyPercent"] / 100),
        upper=desired * configuration["maximumPercent"] // 100,
        new=tuple(task for task in wanted if task.deployment_id == primary.id),
        old=tuple(task for task in wanted if task.deployment_id != primary.id),
        healthy=frozenset(t.id for t in wanted if is_healthy(t, now=now, speed=speed)),
        unhealthy=unhealthy,
    )


def decide(view: View) -> Sequence[Action]:
    return next((actions for step in _STEPS if (actions := step(view))), ())


def is_done(view: View) -> bool:
    """Every new task is healthy and nothing of the old ones is left, drained and stopped."""
    desired = view.service.desired_count
    left = any(
        not task.is_stopped and task.deployment_id != view.primary.id
        for task in view.service.tasks.values()
    )
    return len(view.new) == desired == view.healthy_new and not left


def stop_unhealthy(view: View) -> Sequence[Action]:
    """A fault in a rollout is stopped at once; a task that served is replaced first.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
    """
    at_once: list[Task] = []
    replaceable: list[Task] = []
    for task in (*view.new, *view.old):
        if task.id in view.unhealthy:
            serves = task.was_healthy and task in view.new and view.is_completed
            (replaceable if serves else at_once).append(task)
    if not at_once and replaceable:
        at_once = _replaced(view, replaceable)
    actions: list[Action] = []
    by_reason: dict[str, list[str]] = {}
    for task in at_once:
        found = view.unhealthy[task.id]
        actions.append(AccountForTask(task_id=task.id, is_failure=task in view.new))
        if found.event:
            actions.append(EmitEvent(message=found.event))
        by_reason.setdefault(found.reason, []).append(task.id)
    for reason, task_ids in by_reason.items():
        actions.append(StopTasks(task_ids=tuple(task_ids), reason=reason))
    return actions


def _replaced(view: View, unhealthy: list[Task]) -> list[Task]:
    if view.healthy_new >= view.service.desired_count:
        return unhealthy
    is_starting = any(task.id not in view.healthy | set(view.unhealthy) for task in view.new)
    return unhealthy[:1] if view.room <= 0 and not is_starting else []


def _scale_in(view: View) -> Sequence[Action]:
    kept = [task for task in view.new if task.id not in view.unhealthy]
    excess = len(kept) - view.service.desired_count
    if excess <= 0:
        return ()
    # Those that serve least go first, then the youngest.
    kept.sort(key=lambda task: (task.id in view.healthy, not task.is_starting, -task.created_at))
    return stop(view, [task for task in kept if not task.is_protected(view.now)][:excess])


def _stop_old(view: View) -> Sequence[Action]:
    """Old tasks go as new ones are healthy, or where there is no room to start a new one."""
    never_served = [task for task in view.old if not task.was_healthy]
    if never_served:
        return stop(view, never_served)
    old = sorted(view.old, key=lambda task: (task.id in view.healthy, task.created_at))
    keep = max(0, view.service.desired_count - view.healthy_new)
    surplus = len(old) - keep
    if view.is_in_progress and view.missing > 0 and view.room <= 0:
        idle = sum(task.id not in view.healthy for task in old)
        spare = idle + max(0, len(view.healthy) - view.lower)
        surplus = max(surplus, min(spare, view.missing))
    return stop(view, old[:surplus]) if surplus > 0 else ()


def _start_new(view: View) -> Sequence[Action]:
    if not may_start(view):
        return ()
    count = min(view.missing, view.room)
    if not view.primary.revision.is_resolved:
        # One task first: it turns tags into digests.
        count = 0 if view.new else min(count, 1)
    return (StartTasks(deployment_id=view.primary.id, count=count),) if count > 0 else ()


def may_start(view: View) -> bool:
    """Whether the deployment is given up, has not begun, or is throttled."""
    return (
        view.primary.rollout_state is not RolloutState.FAILED
        and view.primary.service_deployment.status is not ServiceDeploymentStatus.PENDING
        and view.now >= view.service.back_off_until
    )


def _tell_deadlock(view: View) -> Sequence[Action]:
    stuck = (
        may_start(view)
        and view.is_in_progress
        and view.missing > 0
        and view.room <= 0
        and view.healthy_new == len(view.new)  # else they may make room when they are healthy
        and not view.primary.is_deadlock_told
        and not any(task.is_starting for task in view.service.tasks.values())
        and not any(not t.is_wanted and not t.is_stopped for t in view.service.tasks.values())
    )
    return (TellDeadlock(deployment_id=view.primary.id),) if stuck else ()


def stop(view: View, tasks: Sequence[Task]) -> Sequence[Action]:
    """As a scaling activity of the primary deployment; scale-in protection keeps some."""
    free = tuple(task.id for task in tasks if not task.is_protected(view.now))
    return (StopTasks(task_ids=free, reason=messages.scaled(view.primary.id)),) if free else ()


_STEPS: tuple[Callable[[View], Sequence[Action]], ...] = (
    stop_unhealthy,
    _scale_in,
    _stop_old,
    _start_new,
    _tell_deadlock,
)
