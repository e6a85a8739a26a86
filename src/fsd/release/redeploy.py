"""Ask ECS for a new deployment of a revision that it has, and follow it as a release's.

What restarting, rolling back to a version and the first tasks of a release share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.observed import Observed
from fsd.quoted import Quoted
from fsd.release.border import note_force
from fsd.release.concurrency.in_flight import in_flight_error
from fsd.release.existing_service import get_service
from fsd.release.follow import Rollout, ended_unknown, follow
from fsd.release.journal import JournalEntry, note_action
from fsd.release.last_look import AlreadyRead, with_what_runs
from fsd.release.ledger import release_info
from fsd.release.notes import Forced
from fsd.release.operation import Operation
from fsd.release.outcome import Ending
from fsd.release.phases import PhaseLog
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.rollback_target import GoBack
from fsd.release.stages import DeployStage, Requested, Rolling
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState


def restart(operation: Operation) -> Result:
    """New tasks of the same revision (a secret was rotated, a task hangs)."""
    service = get_service(operation)
    definition = operation.aws.ecs.find_task_definition(service.task_definition_arn)
    target = release_info(definition) if definition else None
    return redeploy(operation, {"forceNewDeployment": True}, action="restart", target=target)


def note_in_ledger(operation: Operation, arn: str, entry: JournalEntry) -> None:
    """In the ledger; what cannot be written there is told, and the operation goes on."""
    untold = note_action(operation.aws.ecs, arn, entry)
    if untold:
        operation.reporter.note(untold)


def redeploy(
    operation: Operation, parameters: Json, *, action: str, target: ReleaseInfo | None
) -> Result:
    """Ask ECS for a deployment of `target`, or of what runs, and follow it as a release's."""
    ref, aws = operation.ref, operation.aws
    service = get_service(operation)
    arn = target.task_definition_arn if target else service.task_definition_arn
    known = _refuse_in_flight(operation)
    note_force(aws.ecs, arn, operation.forced)
    started = operation.clock.now()
    found = aws.ecs.find_task_definition(service.task_definition_arn)
    before = release_info(found) if found else None
    requested = Requested(operation=operation, task_definition_arn=arn, known=known)
    watcher = make_watcher(operation, service, target, started=started)
    stages: list[DeployStage] = [requested]
    try:
        aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, **parameters})
        requested = replace(requested, is_taken=True)
        stages.append(requested)
        note_in_ledger(
            operation, arn, _entry(action, service, parameters, at=started, by=operation.by)
        )
        ended = _follow(requested, watcher, service, enter=stages.append)
    except Interrupted as signal:
        ended = Ending(
            outcome=Outcome.INTERRUPTED,
            message=stages[-1].interrupted(Quoted.of(signal), roll_back=False),
            diagnosis=stages[-1].diagnosis,
            is_known=False,
        )
    result = result_of(
        operation, ended, action=action, started=started, release=target, previous=before
    )
    owners = tuple(dict(service.tags).get("fsd:owners", "").split())
    notes = (*watcher.view.warnings, *watcher.taken_over, *result.notes)
    return replace(result, owners=owners, notes=notes)


def make_watcher(
    operation: Operation, service: ServiceState, target: ReleaseInfo | None, *, started: datetime
) -> Watcher:
    return Watcher(
        aws=operation.aws,
        clock=operation.clock,
        reporter=operation.reporter,
        cluster=operation.ref.cluster,
        service=operation.ref.name,
        pace=operation.pace,
        started=started,
        deadline=started + operation.timeout,
        old_revision=family_revision(service.task_definition_arn),
        steady_for=timedelta(seconds=target.steady_for if target else 0),
    )


def _follow(
    requested: Requested,
    watcher: Watcher,
    before: ServiceState,
    *,
    enter: Callable[[DeployStage], None],
) -> Ending:
    operation, arn = requested.operation, requested.task_definition_arn
    try:
        found = watcher.find(known=requested.known, task_definition_arn=arn)
    except CallFailedError as error:
        return ended_unknown(requested, error, operation.ref)
    ours = Ours(service=operation.ref.name, arn=found.arn, task_definition_arn=arn)
    requested = replace(requested, arn=found.arn)
    rolling = Rolling(requested=requested, ours=ours, watcher=watcher)
    enter(rolling)
    if not operation.wait:
        return Ending(outcome=Outcome.STARTED)
    way_back = GoBack(
        operation=operation,
        watcher=watcher,
        ours=ours,
        verdict=TimedOut(),
        observed=_observed(operation, before),
        named=before.task_definition_arn,
        can_redeploy=before.task_definition_arn != arn,
    )
    phases = PhaseLog(clock=operation.clock, reporter=Silent())
    return follow(Rollout(rolling=rolling, way_back=way_back), phases=phases, enter=enter)


def _observed(operation: Operation, service: ServiceState) -> Observed:
    """The service as it was before. Its stack stays as it is, whatever becomes of the operation."""
    return Observed(
        account=operation.aws.identity.account,
        region=operation.aws.identity.region,
        cluster_exists=True,
        stack=None,
        service=service,
        running=None,
        latest=None,
        scaling=None,
        in_flight=None,
        last_deployment=None,
        last_successful=None,
    )


def _entry(
    action: str, service: ServiceState, parameters: Json, *, at: datetime, by: str
) -> JournalEntry:
    what = ""
    if action == "rollback":
        what = f"from {family_revision(service.task_definition_arn)}"
    elif action == "scale":
        what = f"{service.desired} to {parameters.get('desiredCount')}"
    return JournalEntry(at=at, action=action, what=what, by=by)


def _refuse_in_flight(operation: Operation) -> frozenset[str]:
    """The ARNs of all deployments, none of them in flight."""
    ref, ecs = operation.ref, operation.aws.ecs
    arns = ecs.service_deployment_arns(ref.cluster, ref.name)
    newest = next(iter(ecs.service_deployments(arns[:1])), None)
    if newest is not None and not newest.status.is_final:
        fix = "wait for it: fsd status --watch"
        raise in_flight_error(newest, what="a deployment", name=ref.name, fix=fix)
    return frozenset(arns)


def result_of(
    operation: Operation,
    ended: Ending,
    *,
    action: str,
    started: datetime,
    release: ReleaseInfo | None = None,
    previous: ReleaseInfo | None = None,
) -> Result:
    aws, ref = operation.aws, operation.ref
    result = Result(
        outcome=ended.outcome,
        action=action,
        service=ref.service,
        environment=ref.environment,
        account=aws.identity.account,
        region=aws.identity.region,
        started_at=started,
        finished_at=operation.clock.now(),
        release=release,
        previous=previous,
        log_group=_log_group(operation, release or previous),
        message=ended.message,
        diagnosis=ended.diagnosis,
        next_steps=ended.next_steps,
        notes=(Forced(entry=operation.forced),) if operation.forced else (),
    )
    if not ended.is_known:
        return result
    known = {one.task_definition_arn: one for one in (previous, release) if one}
    return with_what_runs(result, operation, AlreadyRead(releases=known, service=ended.service))


def _log_group(operation: Operation, release: ReleaseInfo | None) -> str:
    """Of the release's own tasks, which another release's need not share; "" where unknown."""
    if release is None:
        return ""
    try:
        return operation.aws.ecs.log_routes(release.task_definition_arn).group
    except CallFailedError:
        return ""
