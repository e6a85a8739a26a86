"""Deployment alarms: what a rolling deployment watches beside its tasks, and how long. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd_local.ecs.model import (
    EcsServiceRecord,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceRollout,
)
from fsd_local.ports import Alarm

# ECS computes a bake time that is not set from the alarms, and keeps it below five minutes.
_LONGEST_COMPUTED_BAKE = 300.0


def watched(service: EcsServiceRecord) -> tuple[ServiceDeployment, Sequence[str]] | None:
    """The service deployment that is under way, and the alarms that can fail it.

    None while it is being rolled back: a rollback has nothing to go back to.
    """
    primary = service.primary
    if primary is None:
        return None
    found = primary.service_deployment
    is_watching = not found.ignores_alarms and found.status is ServiceDeploymentStatus.IN_PROGRESS
    names = _enabled(found.configuration) if is_watching else ()
    return (found, names) if names else None


def begin_watch(deployment: ServiceDeployment, seen: Mapping[str, Alarm]) -> None:
    """An alarm that is in ALARM already has them all ignored, for this deployment's whole length.

    So a deployment can bring the very correction that the alarm calls for.
    """
    names = _enabled(deployment.configuration)
    deployment.alarms = {name: seen[name] for name in names if name in seen}
    deployment.ignores_alarms = bool(_in_alarm(deployment.alarms))


def triggered(service: EcsServiceRecord) -> tuple[str, ...]:
    """Those that went off since the deployment that is under way began.

    An alarm that does not exist is accepted, as on AWS, and never goes off.
    """
    found = watched(service)
    return _in_alarm(found[0].alarms) if found is not None else ()


def rolls_back(deployment: ServiceDeployment) -> bool:
    return bool((deployment.configuration.get("alarms") or {}).get("rollback"))


def bake_seconds(primary: ServiceRollout) -> float:
    """How long a deployment is watched after its tasks are in place; not yet divided by speed.

    A rollback is not watched, so it does not bake.
    """
    if primary.is_rollback:
        return 0.0
    found = primary.service_deployment
    minutes: int = found.configuration.get("bakeTimeInMinutes", 0)
    if minutes or found.ignores_alarms:
        return 60.0 * minutes
    windows = [alarm.window for alarm in found.alarms.values()]
    return min(max(windows, default=0.0), _LONGEST_COMPUTED_BAKE)


def status(deployment: ServiceDeployment) -> str:
    """ServiceDeploymentAlarms.status."""
    if not _enabled(deployment.configuration) or deployment.ignores_alarms:
        return "DISABLED"
    if deployment.triggered_alarms:
        return "TRIGGERED"
    is_over = deployment.status not in {
        ServiceDeploymentStatus.PENDING,
        ServiceDeploymentStatus.IN_PROGRESS,
    }
    return "MONITORING_COMPLETE" if is_over else "MONITORING"


def _enabled(configuration: Mapping[str, object]) -> tuple[str, ...]:
    found = configuration.get("alarms")
    if not isinstance(found, dict) or not found.get("enable"):
        return ()
    return tuple(found["alarmNames"])


def _in_alarm(seen: Mapping[str, Alarm]) -> tuple[str, ...]:
    return tuple(name for name, alarm in seen.items() if alarm.state == "ALARM")
