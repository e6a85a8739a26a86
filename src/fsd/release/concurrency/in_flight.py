"""What to do about another deployment that is in flight, and whose commit is the newer one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fsd.compile.desired import Desired
from fsd.errors import ErrorCode, RefusedError
from fsd.release.ledger import release_info
from fsd.release.notes import Note, OlderTakenOver
from fsd.release.ports import Ecs
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
Tell: TypeAlias = Callable[[Note], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """Which deployment of a service goes first, as a run is told to see it."""

    commit: str  # that is to be released
    in_flight: InFlight = InFlight.REFUSE
    order: OrderCommits = lambda _: CommitOrder.UNKNOWN
    allow_older: bool = False
    # With WAIT: a deployment of an ancestor, or of the same commit, is not waited for.
    supersede_older: bool = False


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


def takes_over(flight: ServiceDeployment, rules: Precedence, *, ecs: Ecs, tell: Tell) -> bool:
    """Whether the deployment in flight need not be waited for.

    A run that was cancelled or timed out leaves one behind, which ECS may try for hours: what is
    newer must not wait for it. A rollback ends by itself, and is not disturbed.
    """
    match rules.in_flight:
        case InFlight.SUPERSEDE:
            return True
        case InFlight.WAIT if rules.supersede_older:
            going = flight.status in (DeploymentStatus.PENDING, DeploymentStatus.IN_PROGRESS)
            return going and _is_of_an_ancestor(flight, rules, ecs=ecs, tell=tell)
    return False


def _is_of_an_ancestor(
    flight: ServiceDeployment, rules: Precedence, *, ecs: Ecs, tell: Tell
) -> bool:
    found = ecs.find_task_definition(flight.task_definition_arn)
    if found is None:
        return False
    release = release_info(found)
    if rules.order(release) not in (CommitOrder.NEWER, CommitOrder.SAME):
        return False
    tell(OlderTakenOver(revision=release.revision, version=release.version))
    return True


def in_flight_error(flight: ServiceDeployment, *, what: str, name: str, fix: str) -> RefusedError:
    """`what`: "a deployment", "another deployment"."""
    return RefusedError(
        f"{what} of {name} is in flight: "
        f"{family_revision(flight.task_definition_arn)}, {flight.status}",
        where=flight.arn,
        fix=fix,
        code=ErrorCode.DEPLOYMENT_IN_FLIGHT,
    )


def refuse_older(
    previous: ReleaseInfo | None, rules: Precedence, desired: Desired, *, where: str
) -> None:
    """An older commit over a newer one is most often a late workflow, not a wish. `previous` is
    what the service runs. Raises RefusedError."""
    if previous is None or not previous.commit or rules.allow_older:
        return
    if rules.order(previous) is not CommitOrder.OLDER:
        return
    raise RefusedError(
        f"{desired.name} runs {previous.commit[:7]}, which is newer than {rules.commit[:7]}",
        where=where,
        fix="deploy the newer commit; to go back:  fsd rollback --service "
        f"{desired.service_name} --env {desired.environment}, or --allow-older",
        code=ErrorCode.OLDER_COMMIT,
    )
