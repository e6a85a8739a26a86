"""Which releases were proved, and the mark on those that were not: see `fsd.plan.verdict`."""

from __future__ import annotations

from collections.abc import Iterable

from fsd.plan.observed import Observed, ObservedRevision
from fsd.plan.verdict import VERDICT, Mark, is_unproved, mark_of
from fsd.release.ledger import write_tags
from fsd.release.notes import CouldNot
from fsd.release.ports import Ecs
from fsd.snapshot import DeploymentStatus, ServiceDeployment


def last_proved(
    ecs: Ecs,
    deployments: Iterable[ServiceDeployment],
    *,
    known: Iterable[ObservedRevision | None] = (),
) -> ServiceDeployment | None:
    """The newest deployment (they come newest first) whose release ran and was found good.

    A call for each revision that is not `known`, until one is found. Raises CallFailedError.
    """
    tags = {revision.arn: revision.tags for revision in known if revision is not None}
    for deployment in deployments:
        if deployment.status is not DeploymentStatus.SUCCESSFUL:
            continue
        arn = deployment.task_definition_arn
        if arn not in tags:
            found = ecs.find_task_definition(arn) if arn else None
            tags[arn] = found.tags if found else {}
        if not is_unproved(tags[arn]):
            return deployment
    return None


def mark_before_start(ecs: Ecs, arn: str, observed: Observed) -> None:
    """Before ECS is asked to roll out no tasks: a run that is killed then leaves no false success.

    Not on a revision that was proved before. Raises CallFailedError: what cannot be marked would
    look like a success.
    """
    if not _is_judged(observed, arn):
        ecs.tag_task_definition(arn, tags={VERDICT: str(Mark.NOT_STARTED)})


def mark_before_watch(ecs: Ecs, arn: str, observed: Observed) -> CouldNot | None:
    """Before ECS is asked for what it will call done too early: a run that is killed while it
    watches on leaves no false success. Returns what to tell of it."""
    return None if _is_judged(observed, arn) else put_mark(ecs, arn, Mark.WATCHED)


def mark_proved(ecs: Ecs, arn: str, observed: Observed, *, was_watched: bool) -> CouldNot | None:
    """Where it was marked otherwise, before or by this run. Returns what to tell of it."""
    is_marked = was_watched and not _is_judged(observed, arn)
    if is_marked or is_unproved(_tags(observed, arn)):
        return put_mark(ecs, arn, Mark.PROVED)
    return None


def _is_judged(observed: Observed, arn: str) -> bool:
    """It was proved before, or the ledger says already that it was not."""
    good = observed.last_successful
    is_good = good is not None and good.task_definition_arn == arn
    return is_good or mark_of(_tags(observed, arn)) is not None


def put_mark(ecs: Ecs, arn: str, mark: Mark) -> CouldNot | None:
    """What AWS does not let us do is told: the release ended as it did all the same."""
    return write_tags(ecs, arn, {VERDICT: str(mark)})


def _tags(observed: Observed, arn: str) -> dict[str, str]:
    revisions = [r for r in (observed.running, observed.latest) if r is not None and r.arn == arn]
    return dict(revisions[0].tags) if revisions else {}
