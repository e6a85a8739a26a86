"""Whose turn it is: several runs may deploy one service in the same moment.

ECS's changes take no condition and there is no lock of ours, so a run looks at the deployments once
more immediately before it asks for its own, and afterwards at what came in between all the same.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from enum import StrEnum
from typing import TypeAlias

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.plan.steps import CreateService, Step
from fsd.release.ledger import release_info
from fsd.release.ports import Aws, Ecs, RevisionInactive
from fsd.release.result import ReleaseInfo
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, ServiceDeployment


class InFlight(StrEnum):
    """What to do about another deployment that is in flight."""

    REFUSE = "refuse"
    WAIT = "wait"
    SUPERSEDE = "supersede"


class CommitOrder(StrEnum):
    """How the commit that is to be released stands to another release's."""

    SAME = "same"
    NEWER = "newer"  # it contains the other
    OLDER = "older"  # the other contains it
    DIVERGED = "diverged"
    UNKNOWN = "unknown"  # a checkout of depth 1, and nobody else who knows


OrderCommits: TypeAlias = Callable[[ReleaseInfo], CommitOrder]

# The ledger has the URL of the workflow's run.
_RUN = re.compile(r"(?P<repository>https://.+)/actions/runs/(?P<id>[0-9]{1,18})")


def order_runs(ours: str, theirs: str) -> CommitOrder:
    """By the workflows' runs, for commits of which nobody knows the order.

    GitHub counts runs up, and a re-run keeps its number: what a later run of the same repository
    has brought is newer than what an earlier one would bring now.
    https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
    """
    mine, other = _RUN.fullmatch(ours), _RUN.fullmatch(theirs)
    if mine is None or other is None or mine["repository"] != other["repository"]:
        return CommitOrder.UNKNOWN
    if int(mine["id"]) == int(other["id"]):
        return CommitOrder.SAME
    return CommitOrder.NEWER if int(mine["id"]) > int(other["id"]) else CommitOrder.OLDER


def came_meanwhile(arns: frozenset[str], observed: Observed) -> frozenset[str]:
    """The deployments that began since the service was observed, whatever became of them."""
    return arns - observed.known_deployments


def began_since(ecs: Ecs, known: Set[str], *, desired: Desired) -> str:
    """The deployments that are not `known`, by revision and run; "" where there is none."""
    arns = ecs.service_deployment_arns(desired.service.cluster, desired.name)
    new = ecs.service_deployments([arn for arn in arns if arn not in known])
    return ", ".join(_name(ecs, deployment) for deployment in new)


def _name(ecs: Ecs, deployment: ServiceDeployment) -> str:
    found = ecs.find_task_definition(deployment.task_definition_arn)
    run = release_info(found).run if found else ""
    text = f"the deployment of {family_revision(deployment.task_definition_arn)}"
    return f"{text} ({run})" if run else text


def is_beaten(error: CallFailedError, step: Step, aws: Aws, *, desired: Desired) -> bool:
    """Whether ECS refuses because another run was faster, so that a new look is the answer.

    It created the service, or it deregistered the revision as one that nobody uses.
    """
    if isinstance(step, CreateService):
        return aws.ecs.find_service(desired.service.cluster, desired.name) is not None
    return isinstance(error, RevisionInactive)


def ties_of(others: Iterable[ServiceDeployment], ours: ServiceDeployment) -> tuple[str, ...]:
    """What began after the last look at the deployments, and before ours: it was taken over."""
    return tuple(_text(other) for other in others if other.created_at < ours.created_at)


def _text(other: ServiceDeployment) -> str:
    revision = family_revision(other.task_definition_arn)
    how = "had succeeded" if other.status is DeploymentStatus.SUCCESSFUL else "was in flight"
    return f"took over from the deployment of {revision}, which began in the same moment and {how}"
