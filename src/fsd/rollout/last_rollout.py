"""How a service's last rollout went, from whichever of ECS's answers tells of the newest.

DescribeServiceDeployments says most, but nothing from before 2024-10-25, nothing of 90 days ago,
and nothing of CODE_DEPLOY and EXTERNAL controllers; `services[].deployments` says little.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html

Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fsd.snapshot import DeploymentStatus, EcsDeployment, ServiceDeployment, ServiceState


class RolloutStatus(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    ROLLBACK_FAILED = "rollback failed"
    STOPPED = "stopped"
    IN_PROGRESS = "in progress"
    ROLLING_BACK = "rolling back"
    UNSAID = "unsaid"

    @property
    def is_over(self) -> bool:
        return self not in {RolloutStatus.IN_PROGRESS, RolloutStatus.ROLLING_BACK}

    @property
    def has_failed(self) -> bool:
        return self in {
            RolloutStatus.FAILED,
            RolloutStatus.ROLLED_BACK,
            RolloutStatus.ROLLBACK_FAILED,
            RolloutStatus.ROLLING_BACK,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRollout:
    task_definition_arn: str  # "" where ECS does not say
    state: RolloutStatus
    began_at: datetime | None
    ended_at: datetime | None
    reason: str = ""  # ECS's own words
    is_asked_for: bool = False  # somebody called StopServiceDeployment
    deployment: ServiceDeployment | None = None  # where the API for them told it


_STATES = {
    DeploymentStatus.PENDING: RolloutStatus.IN_PROGRESS,
    DeploymentStatus.IN_PROGRESS: RolloutStatus.IN_PROGRESS,
    DeploymentStatus.STOP_REQUESTED: RolloutStatus.ROLLING_BACK,
    DeploymentStatus.ROLLBACK_REQUESTED: RolloutStatus.ROLLING_BACK,
    DeploymentStatus.ROLLBACK_IN_PROGRESS: RolloutStatus.ROLLING_BACK,
    DeploymentStatus.STOPPED: RolloutStatus.STOPPED,
    DeploymentStatus.SUCCESSFUL: RolloutStatus.SUCCEEDED,
    DeploymentStatus.ROLLBACK_SUCCESSFUL: RolloutStatus.ROLLED_BACK,
    DeploymentStatus.ROLLBACK_FAILED: RolloutStatus.ROLLBACK_FAILED,
    DeploymentStatus.UNKNOWN: RolloutStatus.UNSAID,
}
_PRIMARY_STATES = {
    "COMPLETED": RolloutStatus.SUCCEEDED,
    "FAILED": RolloutStatus.FAILED,
    "IN_PROGRESS": RolloutStatus.IN_PROGRESS,
}
_ASKED_FOR = re.compile(r"rollback was requested", re.IGNORECASE)
_GOES_BACK = re.compile(r"roll(?:ing|ed) back", re.IGNORECASE)


def last_rollout(service: ServiceState, newest: ServiceDeployment | None) -> LastRollout | None:
    """None where ECS tells of none, as for task sets, which another controller deploys."""
    primary = service.primary
    if newest is not None and not _is_older(newest, primary):
        return _from_deployment(newest, primary)
    return _from_primary(primary, service) if primary else None


def _is_older(newest: ServiceDeployment, primary: EcsDeployment | None) -> bool:
    """Whether the primary deployment began after the newest that the other API knows had ended.

    ECS's own rollback makes a primary as well, but before the deployment has ended.
    """
    is_at_it = not newest.status.is_final and newest.status is not DeploymentStatus.UNKNOWN
    if primary is None or primary.created_at is None or is_at_it:
        return False
    ended = newest.finished_at or newest.updated_at
    return ended is not None and primary.created_at > ended


def _from_deployment(newest: ServiceDeployment, primary: EcsDeployment | None) -> LastRollout:
    reason = newest.rollback_reason or newest.status_reason
    state = _STATES[newest.status]
    # Stopped by its circuit breaker or an alarm, without a rollback: ECS calls that STOPPED too.
    if state is RolloutStatus.STOPPED and has_tripped(newest):
        state = RolloutStatus.FAILED
    arn = newest.task_definition_arn
    if not arn and state is RolloutStatus.SUCCEEDED and primary is not None:
        arn = primary.task_definition_arn
    known = (newest.started_at, newest.created_at)
    return LastRollout(
        task_definition_arn=arn,
        state=state,
        began_at=next((at for at in known if at and at.year > 1970), None),
        ended_at=newest.finished_at if newest.status.is_final else None,
        reason=reason,
        is_asked_for=newest.status is DeploymentStatus.ROLLBACK_REQUESTED
        or _ASKED_FOR.search(reason) is not None,
        deployment=newest,
    )


def has_tripped(deployment: ServiceDeployment) -> bool:
    """Whether it was ECS itself that ended it."""
    return deployment.breaker_status == "TRIGGERED" or bool(deployment.triggered_alarms)


def _from_primary(primary: EcsDeployment, service: ServiceState) -> LastRollout:
    state = _PRIMARY_STATES.get(primary.rollout_state, RolloutStatus.UNSAID)
    reason = primary.rollout_state_reason
    if _GOES_BACK.search(reason):
        done = state is RolloutStatus.SUCCEEDED
        state = RolloutStatus.ROLLED_BACK if done else RolloutStatus.ROLLING_BACK
    return LastRollout(
        # A rollback's primary is what came back, not what failed.
        task_definition_arn=""
        if state.has_failed and state is not RolloutStatus.FAILED
        else primary.task_definition_arn or service.task_definition_arn,
        state=state,
        began_at=primary.created_at,
        ended_at=None,
        reason=reason,
    )
