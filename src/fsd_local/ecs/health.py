"""When a task counts as healthy, and when as unhealthy. Pure.

A task is healthy when it is RUNNING, its essential containers' checks pass and every target group
says so; ECS waits 40 s where there is nothing to check:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd_local.ecs import messages
from fsd_local.ecs.model import (
    ContainerCheck,
    EcsServiceRecord,
    Json,
    Registration,
    Task,
    TaskContainer,
    TaskHealth,
    TaskStatus,
)

STEADY_DELAY = 40.0
_SHORTEST_INTERVAL = 0.2  # seconds of a real clock, however great the speed
_SHORTEST_TIMEOUT = 2.0
_SHORTEST_STEADY_DELAY = 2.0  # a program that fails at its start needs real time for that


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhealthy:
    reason: str  # the stopped reason
    event: str = ""  # where none told it already


def load_health_check(found: Json | None) -> ContainerCheck | None:
    """None where a container definition has no check, or disables the image's own."""
    command = (found or {}).get("command") or []
    if not found or not command or command[0] == "NONE":
        return None
    argv = ("/bin/sh", "-c", " ".join(command[1:])) if command[0] == "CMD-SHELL" else command[1:]
    return ContainerCheck(
        command=tuple(argv),
        interval=float(found.get("interval", 30)),
        timeout=float(found.get("timeout", 5)),
        retries=int(found.get("retries", 3)),
        start_period=float(found.get("startPeriod", 0)),
    )


def interval(check: ContainerCheck, speed: float) -> float:
    return max(check.interval / speed, _SHORTEST_INTERVAL)


def timeout(check: ContainerCheck, speed: float) -> float:
    """Speed makes checks more frequent; it does not make a program answer faster."""
    return max(check.timeout / speed, min(check.timeout, _SHORTEST_TIMEOUT))


def record_check(
    container: TaskContainer, exit_code: int, *, started_at: float, now: float, speed: float
) -> None:
    """Apply one result. Failures in the start period count only after a first success."""
    check = container.health_check
    if check is None:
        return
    if exit_code == 0:
        container.failures, container.health = 0, TaskHealth.HEALTHY
        return
    in_start_period = now - started_at < check.start_period / speed
    if in_start_period and container.health is TaskHealth.UNKNOWN:
        return
    container.failures += 1
    if container.failures >= check.retries:
        container.health = TaskHealth.UNHEALTHY


def task_health(task: Task) -> TaskHealth:
    """Essential containers that have a check decide; one unhealthy, then one unknown, wins.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
    """
    states = {c.health for c in task.containers if c.essential and c.health_check is not None}
    if TaskHealth.UNHEALTHY in states:
        return TaskHealth.UNHEALTHY
    return TaskHealth.HEALTHY if states == {TaskHealth.HEALTHY} else TaskHealth.UNKNOWN


def is_healthy(task: Task, *, now: float, speed: float) -> bool:
    if task.status is not TaskStatus.RUNNING or not task.is_wanted or task.started_at is None:
        return False
    has_checks = any(c.essential and c.health_check is not None for c in task.containers)
    if has_checks and task_health(task) is not TaskHealth.HEALTHY:
        return False
    if task.registrations:
        return all(r.state is not None and r.state.state == "healthy" for r in task.registrations)
    return has_checks or now - task.started_at >= _steady_delay(speed)


def _steady_delay(speed: float) -> float:
    return max(STEADY_DELAY / speed, _SHORTEST_STEADY_DELAY)


def record_listening(task: Task, answers: Sequence[bool | None], *, now: float) -> None:
    """From when on a task could be asked: at once, where nobody can tell that it could not."""
    if task.listening_since is not None or not answers:
        return
    was_silent, task.is_silent = task.is_silent, False in answers and not any(answers)
    if not task.is_silent:
        task.listening_since = now if was_silent else task.started_at


def find_unhealthy(
    task: Task, service: EcsServiceRecord, *, now: float, speed: float
) -> Unhealthy | None:
    """Why ECS will stop this task. The grace period covers target groups and container checks.

    It is divided by the speed from when on the task has opened a port: a program loads its model
    as slowly as everywhere.
    """
    if task.status is not TaskStatus.RUNNING or not task.is_wanted or task.started_at is None:
        return None
    grace = service.grace_period or 0
    if task.is_silent and task.registrations and now - task.started_at < grace:
        return None
    if now - (task.listening_since or task.started_at) < grace / speed:
        return None
    if task_health(task) is TaskHealth.UNHEALTHY:
        return Unhealthy(
            reason=messages.CONTAINER_CHECKS_FAILED,
            event=messages.event_container_unhealthy(task.id),
        )
    for registration in task.registrations:
        if is_target_unhealthy(registration):
            return Unhealthy(reason=messages.target_checks_failed(registration.target_group_arn))
    return None


def is_target_unhealthy(registration: Registration) -> bool:
    return registration.state is not None and registration.state.state == "unhealthy"


def unhealthy_target_event(registration: Registration) -> str:
    state = registration.state
    cause = (state.description or state.reason) if state is not None else ""
    return messages.event_target_unhealthy(
        registration.port, registration.target_group_arn, cause or "Health checks failed"
    )


def is_drained(task: Task) -> bool:
    """Whether the deregistration delay of every target is over."""
    return all(
        not r.is_registered
        or (r.is_deregistered and r.state is not None and r.state.state == "unused")
        for r in task.registrations
    )
