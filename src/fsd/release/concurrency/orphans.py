"""Revisions that were registered and never rolled out: a run was refused, or died in between.

They would be listed as releases, and could be rolled back to. ECS's service deployments prove that
a revision was never used: its list reaches back to a deployment that is older than the revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError
from fsd.release.ledger import DEPLOYMENTS_READ, describe_newest
from fsd.release.ports import Ecs
from fsd.rollout.assess import Ours
from fsd.snapshot import ServiceDeployment

FIRST_TRY = timedelta(hours=1)


def discard_if_unused(ecs: Ecs, arn: str, desired: Desired) -> None:
    """Deregister a revision of ours, unless another run has found and used it.

    What AWS does not let us do stays for the next deployment.
    """
    try:
        if arn not in {one.task_definition_arn for one in _deployments(ecs, desired)}:
            ecs.deregister(arn)
    except CallFailedError:
        return


def may_have_orphans(used: AbstractSet[str]) -> bool:
    """Whether numbers are missing among the revisions that were rolled out. A look without a call:
    most often there is nothing to do."""
    numbers = {int(arn.rpartition(":")[2]) for arn in used if arn}
    return len(numbers) < max(numbers, default=0)


def discard_orphans(ecs: Ecs, ours: Ours, desired: Desired, *, margin: timedelta) -> None:
    """Deregister what earlier runs left behind; `ours` has succeeded.

    Revisions younger than our deployment less `margin` may be on their way in another run. A run
    that loses its revision all the same registers it again.
    """
    try:
        for arn in _orphans(ecs, ours, desired, margin=margin):
            discard_if_unused(ecs, arn, desired)
    except CallFailedError:
        return


def _orphans(ecs: Ecs, ours: Ours, desired: Desired, *, margin: timedelta) -> Iterator[str]:
    deployments = _deployments(ecs, desired)
    mine = next((one for one in deployments if one.arn == ours.arn), None)
    if mine is None:
        return
    used = {one.task_definition_arn for one in deployments}
    since, until = _history_begins(deployments), mine.created_at - margin
    for arn in ecs.list_task_definitions(desired.family):
        if arn in used:
            continue
        found = ecs.find_task_definition(arn)
        if found is None or found.registered_at is None or found.registered_at < since:
            return  # from here on nothing is known: the list is from new to old
        if found.registered_at < until and "fsd:service" in found.tags:
            yield arn


def _history_begins(deployments: Sequence[ServiceDeployment]) -> datetime:
    """From when on a revision that is in no deployment was never used.

    Where all are listed, the first is the service's creation; a first deployment that died took up
    to an hour before. What is older may be a release of a service that was here earlier.
    """
    oldest = deployments[-1].created_at
    return oldest if len(deployments) >= DEPLOYMENTS_READ else oldest - FIRST_TRY


def _deployments(ecs: Ecs, desired: Desired) -> Sequence[ServiceDeployment]:
    arns = ecs.service_deployment_arns(desired.service.cluster, desired.name)
    return describe_newest(ecs, arns)
