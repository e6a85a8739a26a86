"""Who was faster: what another run did between two of our looks, and that it stays done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.plan.steps import CreateService, Step
from fsd.release.ledger import release_info
from fsd.release.messages import BareMessage, OvertakenBy
from fsd.release.notes import OtherDeployment, TakenOver
from fsd.release.ports import Aws, Ecs, RevisionInactive
from fsd.release.result import Outcome
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, ServiceDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRace:
    """What happened before we could go back."""

    outcome: Outcome
    message: OvertakenBy | BareMessage


TOO_LATE = LostRace(
    outcome=Outcome.SUCCEEDED,
    message=BareMessage.HEALTHY_TOO_SOON,
)


def superseded_by(task_definition_arn: str) -> LostRace:
    revision = family_revision(task_definition_arn) if task_definition_arn else ""
    return LostRace(
        outcome=Outcome.SUPERSEDED,
        message=OvertakenBy(revision=revision),
    )


def find_lost_race(
    ecs: Ecs, ours: Ours, *, cluster: str, good: str | None, is_over: bool = False
) -> LostRace | None:
    """What happened since the verdict: it succeeded after all, or another deployment took over.

    `is_over`: to ECS it had succeeded before, which is no news.
    """
    _, listed = ecs.newest_deployments(cluster, ours.service, limit=1)
    newest = next(iter(listed), None)
    if newest is not None and newest.arn == ours.arn:
        mine: ServiceDeployment | None = newest  # its status is in the list
    else:
        mine = next(iter(ecs.service_deployments([ours.arn])), None)
    if mine is None:
        return None
    if mine.status is DeploymentStatus.SUCCESSFUL and not is_over:
        return TOO_LATE
    if newest is None or newest.created_at <= mine.created_at:
        return None
    # Where service deployments may not be read, ECS's own rollback is listed like another's.
    is_rollback = mine.status in _GOING_BACK and newest.task_definition_arn == good
    return None if is_rollback else superseded_by(newest.task_definition_arn)


_GOING_BACK = {
    DeploymentStatus.ROLLBACK_REQUESTED,
    DeploymentStatus.ROLLBACK_IN_PROGRESS,
    DeploymentStatus.ROLLBACK_SUCCESSFUL,
    DeploymentStatus.ROLLBACK_FAILED,
}


def begun_since(arns: Sequence[str], observed: Observed) -> bool:
    """Whether a deployment began since the service was observed, whatever became of it. `arns` are
    newest first."""
    return bool(arns) and arns[0] not in observed.known_deployments


def find_deployments_since(
    ecs: Ecs, observed: Observed, *, ours: str, desired: Desired
) -> tuple[OtherDeployment, ...]:
    """Those that began since the service was observed, besides `ours`, by revision and run."""
    arns = ecs.service_deployment_arns(desired.service.cluster, desired.name)
    newer = takewhile(lambda arn: arn not in observed.known_deployments, arns)
    new = ecs.service_deployments([arn for arn in newer if arn != ours])
    return tuple(_with_run(ecs, deployment) for deployment in new)


def _with_run(ecs: Ecs, deployment: ServiceDeployment) -> OtherDeployment:
    found = ecs.find_task_definition(deployment.task_definition_arn)
    run = release_info(found).run if found else ""
    return OtherDeployment(revision=family_revision(deployment.task_definition_arn), run=run)


def another_run_was_faster(
    error: CallFailedError, step: Step, aws: Aws, *, desired: Desired
) -> bool:
    """Whether ECS refuses because another run was faster, so that a new look is the answer.

    It created the service, or it deregistered the revision as one that nobody uses.
    """
    if isinstance(step, CreateService):
        return aws.ecs.find_service(desired.service.cluster, desired.name) is not None
    return isinstance(error, RevisionInactive)


def taken_over_notes(
    others: Iterable[ServiceDeployment], ours: ServiceDeployment
) -> tuple[TakenOver, ...]:
    """What began after the last look at the deployments, and before ours: it was taken over."""
    return tuple(_taken_over(other) for other in others if other.created_at < ours.created_at)


def _taken_over(other: ServiceDeployment) -> TakenOver:
    return TakenOver(
        revision=family_revision(other.task_definition_arn),
        had_succeeded=other.status is DeploymentStatus.SUCCESSFUL,
    )
