"""Whose turn it is: several runs may deploy one service in the same moment.

ECS's changes take no condition and there is no lock of ours, so a run looks at the deployments once
more immediately before it asks for its own, and afterwards at what came in between all the same.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

from collections.abc import Iterable

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.plan.steps import CreateService, Step
from fsd.release.ports import Aws
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, ServiceDeployment


def came_meanwhile(arns: frozenset[str], observed: Observed) -> frozenset[str]:
    """The deployments that began since the service was observed, whatever became of them."""
    return arns - observed.known_deployments


def is_beaten(error: CallFailedError, step: Step, aws: Aws, *, desired: Desired) -> bool:
    """Whether ECS refuses because another run was faster, so that a new look is the answer.

    It created the service, or it deregistered the revision as one that nobody uses.
    """
    if isinstance(step, CreateService):
        return aws.ecs.find_service(desired.service.cluster, desired.name) is not None
    return "TaskDefinition is inactive" in error.what


def ties_of(others: Iterable[ServiceDeployment], ours: ServiceDeployment) -> tuple[str, ...]:
    """What began after the last look at the deployments, and before ours: it was taken over."""
    return tuple(_text(other) for other in others if other.created_at < ours.created_at)


def _text(other: ServiceDeployment) -> str:
    revision = family_revision(other.task_definition_arn)
    how = "had succeeded" if other.status is DeploymentStatus.SUCCESSFUL else "was in flight"
    return f"took over from the deployment of {revision}, which began in the same moment and {how}"
