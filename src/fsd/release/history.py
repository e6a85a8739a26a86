"""The history of a service as rows: releases, rollbacks, restarts and scaling, newest first.

A release is the first deployment of its revision. A later one is a rollback where another revision
was deployed before it, and a restart where it was the same; what ECS has forgotten the journal may
still know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from fsd.plan.verdict import VERDICT
from fsd.quoted import Quoted
from fsd.release.job_run import Run
from fsd.release.journal import DEPLOYED, JournalEntry, entries_of, noted_failure
from fsd.release.ledger import (
    deployment_outcome,
    describe_newest,
    read_outcome,
    revisions_of,
)
from fsd.release.ledger import release_info as info_of
from fsd.release.ports import Ecs, TaskDefinition
from fsd.release.result import PastOutcome, ReleaseInfo
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, ServiceDeployment, ServiceState

# The journal's entry is written when ECS has the update: so near is the deployment that it made.
_NEAR = timedelta(minutes=3)
_SECOND = timedelta(seconds=1)  # an entry has whole ones
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    action: str  # deploy, rollback, restart, scale
    release: ReleaseInfo  # `at`, `run` and `outcome` are this row's
    reason: Quoted | JournalEntry | Run | None = None  # why it failed, or what was done
    runs: bool = False


def read_rows(
    ecs: Ecs, *, cluster: str, service: str, limit: int, family: str = ""
) -> tuple[Row, ...]:
    """At most `limit`; () for a family without revisions. It is called like the service where
    nothing else is said."""
    now = ecs.find_service(cluster, service)
    arns = ecs.service_deployment_arns(cluster, service) if now else ()
    deployments = describe_newest(ecs, arns)
    revisions = revisions_of(ecs, family or service, deployments)[:limit]
    found = [ecs.find_task_definition(arn) for arn in revisions]
    definitions = [definition for definition in found if definition is not None]
    rows = [
        row for definition in definitions for row in _rows_of(definition, deployments, service=now)
    ]
    # Of one instant (a clock of whole seconds) the deployment that came later stands first.
    rows.sort(key=lambda row: row.release.at or _EPOCH, reverse=True)
    return tuple(_marked(rows, _running(now)))[:limit]


def _rows_of(
    definition: TaskDefinition,
    deployments: Sequence[ServiceDeployment],
    *,
    service: ServiceState | None,
) -> Iterator[Row]:
    journal = list(entries_of(definition.tags))
    release = info_of(definition, outcome=read_outcome(definition, deployments, service))
    mine = sorted(
        (d for d in deployments if d.task_definition_arn == definition.arn),
        key=lambda d: d.created_at,
    )
    later = [d for d in mine if not _is_first(d, definition, mine)]
    if later and release.outcome is PastOutcome.SUCCEEDED and len(later) < len(mine):
        release = replace(release, outcome=_first_outcome(mine[0], definition))
    yield Row(action="deploy", release=release, reason=_why(release, definition.tags))
    for entry in [one for one in journal if _taken_back(one, deployments)]:
        journal.remove(entry)
        yield _entry_row(entry, release, deployments)
    for deployment in later:
        found = _entry_of(deployment, journal)
        yield _later_row(deployment, found, release, deployments)
    if len(later) < len(mine):
        _drop_deploy_of(mine[0], journal)
    for entry in journal:
        yield _entry_row(entry, release, deployments)


def _is_first(
    deployment: ServiceDeployment, definition: TaskDefinition, mine: Sequence[ServiceDeployment]
) -> bool:
    """The deployment that released it: not one long after it was registered, where ECS has
    forgotten the first."""
    if deployment is not mine[0]:
        return False
    at = definition.registered_at
    return at is None or deployment.created_at - at <= timedelta(days=1)


def _first_outcome(first: ServiceDeployment, definition: TaskDefinition) -> PastOutcome:
    return PastOutcome.SUCCEEDED if VERDICT in definition.tags else deployment_outcome(first)


def _entry_of(deployment: ServiceDeployment, journal: list[JournalEntry]) -> JournalEntry | None:
    """The entry of the operation that made it, which is no row of its own then."""
    near = [
        entry
        for entry in journal
        if entry.action != "scale" and abs(entry.at - deployment.created_at) <= _NEAR
    ]
    if not near:
        return None
    entry = min(near, key=lambda entry: abs(entry.at - deployment.created_at))
    journal.remove(entry)
    return entry


def _drop_deploy_of(first: ServiceDeployment, journal: list[JournalEntry]) -> None:
    """The run that registered the revision died, and the next one deployed it: one row."""
    deploys = [entry for entry in journal if entry.action == DEPLOYED]
    entry = _entry_of(first, deploys)
    if entry:
        journal.remove(entry)


def _later_row(
    deployment: ServiceDeployment,
    entry: JournalEntry | None,
    release: ReleaseInfo,
    deployments: Sequence[ServiceDeployment],
) -> Row:
    before = [d for d in deployments if d.created_at < deployment.created_at]
    newest = max(before, key=lambda d: d.created_at, default=None)
    is_other = newest is not None and newest.task_definition_arn != deployment.task_definition_arn
    action = entry.action if entry else "rollback" if is_other else "restart"
    done = replace(
        release,
        at=deployment.created_at,
        run=entry.by if entry else "",
        forced="",
        outcome=deployment_outcome(deployment),
    )
    return Row(action=action, release=done, reason=entry)


def _entry_row(
    entry: JournalEntry, release: ReleaseInfo, deployments: Sequence[ServiceDeployment]
) -> Row:
    """What made no deployment of this revision, or one that ECS has forgotten."""
    shift = _taken_back(entry, deployments)
    outcome = _shift_outcome(shift) if shift else PastOutcome.UNKNOWN
    done = replace(release, at=entry.at, run=entry.by, forced="", outcome=outcome)
    return Row(action=entry.action, release=done, reason=entry)


def _taken_back(
    entry: JournalEntry, deployments: Sequence[ServiceDeployment]
) -> ServiceDeployment | None:
    """The deployment that a rollback found in progress. ECS shifts its traffic back and makes no
    deployment of the revision before it, so the outcome is that deployment's."""
    if entry.action != "rollback":
        return None
    return next(
        (
            d
            for d in deployments
            if entry.what == f"from {family_revision(d.task_definition_arn)}"
            and d.created_at < entry.at + _SECOND
            and (d.finished_at is None or d.finished_at >= entry.at)
        ),
        None,
    )


def _shift_outcome(shift: ServiceDeployment) -> PastOutcome:
    """Of the rollback: it came too late for a deployment that succeeded all the same."""
    match shift.status:
        case DeploymentStatus.ROLLBACK_SUCCESSFUL:
            return PastOutcome.SUCCEEDED
        case DeploymentStatus.SUCCESSFUL:
            return PastOutcome.ROLLBACK_FAILED
        case _:
            return deployment_outcome(shift)


_GOOD = {PastOutcome.SUCCEEDED, PastOutcome.IN_PROGRESS}


def _why(release: ReleaseInfo, tags: Mapping[str, str]) -> Quoted | None:
    """Why it failed, where FSD was there; a note of a rollout before is not of this one."""
    noted = "" if release.outcome in _GOOD else noted_failure(tags)
    return Quoted(text=noted) if noted else None


def _running(service: ServiceState | None) -> frozenset[str]:
    """The revisions that have running tasks."""
    if service is None:
        return frozenset()
    primary = service.primary
    return frozenset(
        (d.task_definition_arn or (service.task_definition_arn if d is primary else ""))
        for d in service.deployments
        if d.running > 0
    )


def _marked(rows: Sequence[Row], running: frozenset[str]) -> Iterator[Row]:
    """The newest row of each revision that runs, but for those that only changed the count."""
    seen: set[str] = set()
    for row in rows:
        arn = row.release.task_definition_arn
        runs = arn in running and arn not in seen and row.action != "scale"
        if runs:
            seen.add(arn)
        yield replace(row, runs=runs)
