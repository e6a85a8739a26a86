"""Judge what one snapshot of a service says about *our* deployment.

Pure and total: no clock, no AWS. Steady state is not success: after a circuit breaker's rollback
ECS is steady again, on the old revision
(https://github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/191). So the verdict is on
the service deployment that our own call created, by its ARN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from fsd.rollout.cause import Cause
from fsd.rollout.diagnose import doomed_causes
from fsd.rollout.fresh_roles import without_early_denials
from fsd.rollout.summaries import NoTargetHealthy
from fsd.snapshot import DeploymentStatus, ServiceDeployment, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The deployment that is judged."""

    service: str
    arn: str  # of the service deployment
    task_definition_arn: str
    asked_to_stop: bool = False  # we sent StopServiceDeployment
    role_delay: timedelta = timedelta()  # for denials, where the release changed its roles


@dataclass(frozen=True, slots=True, kw_only=True)
class InProgress:
    """ECS is still at it and nothing says that it must fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """ECS calls our deployment SUCCESSFUL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproved:
    """ECS calls our deployment SUCCESSFUL, and what was seen afterwards says that it is not."""

    reason: NoTargetHealthy | None  # None where stopped tasks say it


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """ECS is still trying, but the evidence says that trying cannot help: ask for the rollback."""

    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingBack:
    """The deployment has failed; ECS is going back."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It failed and ECS did not go back: no rollback was possible, or it failed as well."""

    reason: str
    rollback_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """Another deployment took over, or the service was deleted: what runs is not ours to judge."""

    by: str  # the newer deployment's ARN, "" where the service is gone
    task_definition_arn: str = ""


Verdict: TypeAlias = (
    InProgress | Succeeded | Unproved | Doomed | RollingBack | RolledBack | Failed | Superseded
)


def assess(snapshot: Snapshot, ours: Ours) -> Verdict:
    """Return the verdict; `InProgress` also where ECS does not list the deployment yet."""
    deployment = snapshot.deployment
    if snapshot.service is None or snapshot.service.status in {"DRAINING", "INACTIVE"}:
        return Superseded(by="")
    if deployment is None:
        return InProgress()
    match deployment.status:
        case DeploymentStatus.SUCCESSFUL:
            return Succeeded()
        case DeploymentStatus.ROLLBACK_SUCCESSFUL:
            return RolledBack(reason=reason_of(deployment))
        case DeploymentStatus.ROLLBACK_FAILED:
            return Failed(reason=reason_of(deployment), rollback_failed=True)
        case DeploymentStatus.ROLLBACK_REQUESTED | DeploymentStatus.ROLLBACK_IN_PROGRESS:
            return RollingBack(reason=reason_of(deployment))
        case DeploymentStatus.STOPPED | DeploymentStatus.STOP_REQUESTED:
            return _assess_stopped(snapshot, deployment)
        case DeploymentStatus.PENDING | DeploymentStatus.IN_PROGRESS:
            return _assess_running(snapshot, ours)
        case DeploymentStatus.UNKNOWN:
            return InProgress()


def reason_of(deployment: ServiceDeployment) -> str:
    """ECS's own words for why a deployment did not succeed; "" where it gives none."""
    return deployment.rollback_reason or deployment.status_reason


def _assess_stopped(snapshot: Snapshot, deployment: ServiceDeployment) -> Verdict:
    """STOPPED means superseded *or* failed without a rollback; its evidence tells which.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """
    failed = deployment.breaker_status == "TRIGGERED" or bool(deployment.triggered_alarms)
    if snapshot.newer is not None and not failed:
        return Superseded(
            by=snapshot.newer.arn, task_definition_arn=snapshot.newer.task_definition_arn
        )
    if deployment.status is DeploymentStatus.STOP_REQUESTED:
        return InProgress()
    return Failed(reason=reason_of(deployment))


def _assess_running(snapshot: Snapshot, ours: Ours) -> Verdict:
    if snapshot.newer is not None:
        return Superseded(
            by=snapshot.newer.arn, task_definition_arn=snapshot.newer.task_definition_arn
        )
    if ours.asked_to_stop:
        # ECS still shows what was before it took the request; nothing more can be asked for.
        return InProgress()
    seen = without_early_denials(snapshot, ours.role_delay)
    causes = doomed_causes(seen, ours.task_definition_arn)
    return Doomed(causes=causes) if causes else InProgress()
