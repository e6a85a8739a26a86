"""Judge a rollout from `services[].deployments` alone, where the service-deployment API is denied.

A rollback shows there as our deployment FAILED (or gone) and a PRIMARY of another revision, whose
reason says that it rolls back; a takeover shows the same without those words. That difference is
all there is, and it is why the other API is used wherever it is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import UTC, datetime

from fsd.snapshot import DeploymentStatus, EcsDeployment, ServiceDeployment, ServiceState

_EPOCH = datetime.fromtimestamp(0, UTC)
_ROLLING_BACK = re.compile(r"roll(ing|ed) back", re.IGNORECASE)


def deployments_of(
    service: ServiceState, remembered: Mapping[str, ServiceDeployment]
) -> dict[str, ServiceDeployment]:
    """Every deployment of the service by id, with those that were seen before and are gone."""
    listed = {d.id: _from_listed(d, service) for d in service.deployments}
    proved = {
        d.task_definition_arn
        for d in remembered.values()
        if d.status is DeploymentStatus.SUCCESSFUL
    }
    gone = {
        id_: _from_gone(known, service, proved)
        for id_, known in remembered.items()
        if id_ not in listed
    }
    return {**gone, **listed}


def _from_listed(deployment: EcsDeployment, service: ServiceState) -> ServiceDeployment:
    reason = deployment.rollout_state_reason
    has_failed = deployment.rollout_state == "FAILED"
    return ServiceDeployment(
        arn=deployment.id,
        status=_status(deployment, service),
        task_definition_arn=deployment.task_definition_arn,
        created_at=deployment.created_at or _EPOCH,
        status_reason=reason if has_failed else "",
        requested=deployment.desired,
        running=deployment.running,
        pending=deployment.pending,
        source_running=sum(d.running for d in service.deployments if d.id != deployment.id),
        breaker_status="TRIGGERED" if has_failed else "MONITORING",
        failure_count=deployment.failed_tasks,
    )


def _status(deployment: EcsDeployment, service: ServiceState) -> DeploymentStatus:
    primary = service.primary
    if _ROLLING_BACK.search(deployment.rollout_state_reason):
        # ECS's own, on the way back: of a restart it has the very revision of what failed.
        return _rollback_status(deployment)
    if deployment.rollout_state == "COMPLETED":
        return DeploymentStatus.SUCCESSFUL
    if primary is None or primary.id == deployment.id:
        failed = deployment.rollout_state == "FAILED"
        return DeploymentStatus.STOPPED if failed else DeploymentStatus.IN_PROGRESS
    if deployment.rollout_state == "FAILED" or _ROLLING_BACK.search(primary.rollout_state_reason):
        return _rollback_status(primary)
    return DeploymentStatus.STOPPED


def _from_gone(
    known: ServiceDeployment, service: ServiceState, proved: Set[str]
) -> ServiceDeployment:
    """It is listed no more: it ended, or another took its place.

    ECS shows the failure before its rollback, and a rollback that is done without the words: after
    a failure, what runs a revision that had succeeded is that rollback.
    """
    primary = service.primary
    has_failed = known.breaker_status == "TRIGGERED"
    is_open = not known.status.is_final or (has_failed and known.status is DeploymentStatus.STOPPED)
    if not is_open:
        return known
    if primary is None:
        return replace(known, status=DeploymentStatus.STOPPED)
    is_rollback = _ROLLING_BACK.search(primary.rollout_state_reason) or (
        has_failed and (not known.status.is_final or primary.task_definition_arn in proved)
    )
    if is_rollback:
        return replace(known, status=_rollback_status(primary))
    return replace(known, status=DeploymentStatus.STOPPED)


def _rollback_status(primary: EcsDeployment) -> DeploymentStatus:
    match primary.rollout_state:
        case "COMPLETED":
            return DeploymentStatus.ROLLBACK_SUCCESSFUL
        case "FAILED":
            return DeploymentStatus.ROLLBACK_FAILED
        case _:
            return DeploymentStatus.ROLLBACK_IN_PROGRESS
