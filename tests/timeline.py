"""A rollout as text, so that a test reads like the ECS console.

    deployment  web:42  IN_PROGRESS  1/2  failed 1/3   reason text
    newer       web:43  PENDING      0/2
    service     web:42  COMPLETED
    stopped     web:42  EssentialContainerExited  exit 1  Essential container in task exited
    target      10.0.0.7  unhealthy  Target.ResponseCodeMismatch  Health checks failed with …
    event       (service web) has reached a steady state.

Columns are separated by two or more spaces. Without a `service` line the service runs what the
deployment says; `service gone` means that there is none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    Event,
    ServiceDeployment,
    ServiceState,
    Snapshot,
    StoppedContainer,
    StoppedTask,
    TargetHealth,
)

START = datetime(2026, 11, 22, 14, 2, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:us-east-1:123456789012:"


def task_definition(name: str) -> str:
    return f"{PREFIX}task-definition/{name}"


def deployment_arn(name: str) -> str:
    return f"{PREFIX}service-deployment/dev/web/{name}"


def snapshot(text: str) -> Snapshot:
    """One look at a service."""
    result = Snapshot(service=_service("web:42", "IN_PROGRESS"), deployment=None)
    for line in filter(None, (line.strip() for line in text.splitlines())):
        result = _add(result, re.split(r"\s{2,}", line))
    return result


def _add(result: Snapshot, columns: list[str]) -> Snapshot:
    kind, *rest = columns
    match kind:
        case "deployment":
            return replace(result, deployment=_deployment(rest))
        case "newer":
            newer = replace(_deployment(rest), created_at=START + timedelta(minutes=1))
            return replace(result, newer=newer)
        case "service":
            return replace(result, service=None if rest == ["gone"] else _service(*rest))
        case "stopped":
            task = _stopped(rest, number=len(result.stopped))
            return replace(result, stopped=(*result.stopped, task))
        case "target":
            return replace(result, targets=(*result.targets, _target(rest)))
        case "event":
            event = Event(id=str(len(result.events)), at=START, message="  ".join(rest))
            return replace(result, events=(*result.events, event))
    raise ValueError(columns)


def _deployment(columns: list[str]) -> ServiceDeployment:
    name, status, counts, *rest = columns
    running, _, requested = counts.partition("/")
    failed = next((c for c in rest if re.fullmatch(r"failed \d+/\d+", c)), "failed 0/3")
    breaker = "TRIGGERED" if "TRIGGERED" in rest else "MONITORING"
    alarms = tuple(c.removeprefix("alarm=") for c in rest if c.startswith("alarm="))
    words = [c for c in rest if c not in {failed, "TRIGGERED"} and not c.startswith("alarm=")]
    count, _, threshold = failed.removeprefix("failed ").partition("/")
    return ServiceDeployment(
        arn=deployment_arn(name),
        status=DeploymentStatus(status),
        task_definition_arn=task_definition(name),
        created_at=START,
        running=int(running),
        requested=int(requested),
        failure_count=int(count),
        failure_threshold=int(threshold),
        breaker_status=breaker,
        triggered_alarms=alarms,
        status_reason=" ".join(words),
    )


def _service(name: str, state: str) -> ServiceState:
    return ServiceState(
        name="web",
        arn=f"{PREFIX}service/dev/web",
        cluster="dev",
        status="ACTIVE",
        task_definition_arn=task_definition(name),
        desired=2,
        running=2,
        pending=0,
        deployments=(
            EcsDeployment(
                id="ecs-svc/1",
                status="PRIMARY",
                task_definition_arn=task_definition(name),
                rollout_state=state,
                desired=2,
                running=2,
            ),
        ),
    )


def _stopped(columns: list[str], *, number: int) -> StoppedTask:
    name, code, *rest = columns
    exit_code = next((int(c.split()[1]) for c in rest if re.fullmatch(r"exit \d+", c)), None)
    reason = " ".join(c for c in rest if not re.fullmatch(r"exit \d+", c))
    return StoppedTask(
        id=f"{number}" * 32,
        task_definition_arn=task_definition(name),
        stop_code=code,
        stopped_reason=reason,
        stopped_at=START + timedelta(seconds=number),
        containers=(StoppedContainer(name="web", exit_code=exit_code),),
    )


def _target(columns: list[str]) -> TargetHealth:
    address, state, reason, description = (*columns, "", "")[:4]
    return TargetHealth(
        address=address, port=8000, state=state, reason=reason, description=description
    )
