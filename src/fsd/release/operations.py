"""What an operator does to a service that is there: roll back, restart, scale, look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode, Interrupted, RefusedError, UsageError
from fsd.manifest.spelling import nearest
from fsd.plan.observed import Observed
from fsd.plan.verdict import Mark, is_unproved
from fsd.quoted import Quoted
from fsd.release.border import check_rollback, note_force
from fsd.release.concurrency.in_flight import in_flight_error
from fsd.release.ending import Ending
from fsd.release.follow import Rollout, ended_unknown, follow
from fsd.release.healthy import read_healthy
from fsd.release.job_rollback import roll_back_job
from fsd.release.jobs import find_job
from fsd.release.journal import JournalEntry, note_action
from fsd.release.last_look import AtHand, with_what_runs
from fsd.release.ledger import (
    NOT_STARTED,
    SUCCEEDED,
    describe_newest,
    family_of,
    read_history,
    release_info,
    resolve_version,
)
from fsd.release.messages import CountAlready, CountChanged, Plainly, RunsAlready
from fsd.release.notes import BackTo, FirstTasks, Forced
from fsd.release.operation import Operation, ServiceRef
from fsd.release.phases import PhaseLog
from fsd.release.ports import Aws, Ecs
from fsd.release.proof import put_mark
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.rollback import GoBack
from fsd.release.stages import DeployStage, Requested, Rolling
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What `fsd status` shows of an environment: the services that FSD deployed to it, by name."""

    environment: str
    cluster: str
    services: tuple[ServiceState, ...]

    @property
    def is_settled(self) -> bool:
        """Nothing is in flight."""
        primaries = [service.primary for service in self.services]
        return all(p is None or p.rollout_state != "IN_PROGRESS" for p in primaries)


def manifest_name(service: ServiceState) -> str:
    """`metadata.name` of a service's manifest, which its tag has."""
    return dict(service.tags).get("fsd:service", service.name)


def get_service(operation: Operation) -> ServiceState:
    """Raises UsageError where there is no such service."""
    return require_service(operation.aws, operation.ref)


def require_service(aws: Aws, ref: ServiceRef) -> ServiceState:
    """Raises UsageError where there is no such service; it names one that is spelled alike."""
    service = aws.ecs.find_service(ref.cluster, ref.name)
    if service is None and find_job(aws, ref) is not None:
        raise UsageError(
            f"{ref.service} is a Job: between its runs it has no tasks",
            where=f"schedule {ref.schedule}",
            fix=f"start it once with  fsd run {ref.options}",
            code=ErrorCode.SERVICE_NOT_FOUND,
        )
    if service is None:
        raise UsageError(
            f"no service {ref.name} in cluster {ref.cluster}",
            where=f"{aws.identity.account} · {aws.identity.region}",
            fix=_near(aws.ecs, ref) + _check(ref),
            code=ErrorCode.SERVICE_NOT_FOUND,
        )
    return service


def _check(ref: ServiceRef) -> str:
    if not ref.environment:
        return "check --cluster, --service (its exact name) and --region"
    return f"check --service and --env; deploy it with  fsd deploy --env {ref.environment}"


def _near(ecs: Ecs, ref: ServiceRef) -> str:
    try:
        names = ecs.service_names(ref.cluster)
    except CallFailedError:
        return ""  # a role that may not list services gets the error all the same
    suffix = f"-{ref.environment}" if ref.environment else ""
    close = nearest(ref.name, names)
    return f"did you mean `{close.removesuffix(suffix)}`? or " if close else ""


def read_overview(
    aws: Aws, *, environment: str, cluster: str, names: Sequence[str] | None = None
) -> Overview:
    """A call for ten services; without `names` also the calls that list them.

    A cluster may have services of other environments, and of somebody else.
    """
    listed = aws.ecs.service_names(cluster) if names is None else names
    found = aws.ecs.find_services(cluster, listed)
    mine = [s for s in found if dict(s.tags).get("fsd:environment") == environment]
    return Overview(
        environment=environment,
        cluster=cluster,
        services=tuple(sorted(mine, key=lambda service: service.name)),
    )


def roll_back(operation: Operation, version: str | None) -> Result:
    """Release an earlier revision again; without a version the last good one before this.

    Raises UsageError where there is no such release, RefusedError where its revision is gone, or
    the environment takes only what succeeded in it.
    """
    job = find_job(operation.aws, operation.ref)
    if job is not None:
        return roll_back_job(operation, job, version)
    service = get_service(operation)
    ref, ecs = operation.ref, operation.aws.ecs
    history = read_history(ecs, cluster=ref.cluster, service=ref.name, family=ref.family)
    target = resolve_version(history, version) if version else _last_good(history, service)
    _require_that_it_ran(target)
    if target.task_definition_arn == service.task_definition_arn:
        ended = Ending(outcome=Outcome.UNCHANGED, message=RunsAlready(revision=target.revision))
        started = operation.clock.now()
        return _result(operation, ended, action="rollback", started=started, release=target)
    forced = check_rollback(operation.border, target)
    operation = replace(operation, forced=forced or operation.forced)
    operation.reporter.note(_back_to(service, history, target))
    parameters: Json = {
        "taskDefinition": target.task_definition_arn,
        **_settings_before(operation, target),
    }
    return _update_and_watch(operation, parameters, action="rollback", target=target)


def _settings_before(operation: Operation, target: ReleaseInfo) -> Json:
    """Of what another tool had deployed: its container has another name, and its network may be
    another. FSD's own releases have both in common, and an update leaves them alone."""
    ref, ecs = operation.ref, operation.aws.ecs
    if family_of(target.task_definition_arn) == ref.family:
        return {}
    deployments = describe_newest(ecs, ecs.service_deployment_arns(ref.cluster, ref.name))
    arn = target.task_definition_arn
    found = next((d.revision_arn for d in deployments if d.task_definition_arn == arn), "")
    return ecs.service_revision(found) if found else {}


def _back_to(service: ServiceState, history: Sequence[ReleaseInfo], target: ReleaseInfo) -> BackTo:
    arn = service.task_definition_arn
    return BackTo(
        service=service.name,
        revision=family_revision(arn),
        version=next((one.version for one in history if one.task_definition_arn == arn), ""),
        target_revision=target.revision,
        target_version=target.version,
    )


def restart(operation: Operation) -> Result:
    """New tasks of the same revision (a secret was rotated, a task hangs)."""
    service = get_service(operation)
    definition = operation.aws.ecs.find_task_definition(service.task_definition_arn)
    target = release_info(definition) if definition else None
    return _update_and_watch(
        operation, {"forceNewDeployment": True}, action="restart", target=target
    )


def scale(operation: Operation, count: int) -> Result:
    """Set the desired count and wait for it; starts no deployment.

    Raises RefusedError where auto scaling owns the count and would undo it.
    """
    service = get_service(operation)
    ref, aws, clock = operation.ref, operation.aws, operation.clock
    scaling = aws.scaling.find(ref.cluster, ref.name)
    if scaling and not scaling.scaling.minimum <= count <= scaling.scaling.maximum:
        limits = f"{scaling.scaling.minimum} to {scaling.scaling.maximum}"
        raise RefusedError(
            f"auto scaling keeps {ref.name} at {limits} tasks and would undo {count}",
            where=f"service/{ref.cluster}/{ref.name}",
            fix="change minCapacity and maxCapacity in the manifest, and deploy it",
            code=ErrorCode.OUTSIDE_CAPACITY,
        )
    if service.desired == 0 < count and (unproved := _unproved(operation, service)):
        return _start(operation, unproved, count)
    started = clock.now()
    if service.desired == count:
        ended = Ending(outcome=Outcome.UNCHANGED, message=CountAlready(count=count))
        return _result(operation, ended, action="scale", started=started)
    note_force(aws.ecs, service.task_definition_arn, operation.forced)
    aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, "desiredCount": count})
    arn, what = service.task_definition_arn, f"{service.desired} to {count}"
    _note(operation, arn, JournalEntry(at=started, action="scale", what=what, by=operation.by))
    outcome = Outcome.STARTED
    if operation.wait:
        outcome = _wait_for_count(operation, count, started + operation.timeout)
    ended = Ending(outcome=outcome, message=CountChanged(before=service.desired, after=count))
    return _result(operation, ended, action="scale", started=started)


def _note(operation: Operation, arn: str, entry: JournalEntry) -> None:
    """In the ledger; what cannot be written there is told, and the operation goes on."""
    untold = note_action(operation.aws.ecs, arn, entry)
    if untold:
        operation.reporter.note(untold)


def _unproved(operation: Operation, service: ServiceState) -> ReleaseInfo | None:
    """The release that the service has, where nothing of it ever ran."""
    found = operation.aws.ecs.find_task_definition(service.task_definition_arn)
    return release_info(found) if found and is_unproved(found.tags) else None


def _start(operation: Operation, release: ReleaseInfo, count: int) -> Result:
    """The first tasks of a release: as a deployment, which ECS judges; more tasks of a deployment
    that has ended are not judged by anybody. Where it fails, none is left."""
    operation.reporter.note(FirstTasks(revision=release.revision))
    parameters: Json = {"desiredCount": count, "forceNewDeployment": True}
    result = _update_and_watch(operation, parameters, action="scale", target=release)
    ref, ecs, arn = operation.ref, operation.aws.ecs, release.task_definition_arn
    match result.outcome:
        case Outcome.SUCCEEDED:
            note = put_mark(ecs, arn, Mark.PROVED)
            result = replace(result, message=CountChanged(before=0, after=count))
        case Outcome.ROLLED_BACK | Outcome.ROLLBACK_FAILED:
            note = put_mark(ecs, arn, Mark.FAILED)
            zero: Json = {"cluster": ref.cluster, "service": ref.name, "desiredCount": 0}
            ecs.update_service(zero)
            message = Plainly.SCALED_BACK_TO_ZERO
            result = replace(result, outcome=Outcome.ROLLBACK_FAILED, message=message)
        case _:
            note = None
    return replace(result, notes=(*result.notes, note)) if note else result


def _wait_for_count(operation: Operation, count: int, deadline: datetime) -> Outcome:
    ref = operation.ref
    while operation.clock.now() < deadline:
        service = operation.aws.ecs.find_service(ref.cluster, ref.name)
        if service is None or service.desired != count:
            return Outcome.SUPERSEDED
        is_there = service.running == count and service.pending == 0
        is_checked = bool(service.target_group_arns)
        if is_there and (not is_checked or read_healthy(operation.aws, service) >= count):
            return Outcome.SUCCEEDED
        operation.clock.wait(operation.pace.interval(timedelta()))
    return Outcome.TIMED_OUT


def _last_good(history: tuple[ReleaseInfo, ...], service: ServiceState) -> ReleaseInfo:
    current = service.task_definition_arn
    older = [r for r in history if r.task_definition_arn != current and r.outcome == SUCCEEDED]
    if not older:
        raise UsageError(
            f"{service.name} has no earlier release that succeeded",
            where=service.arn,
            fix="name a release with --to-version; `fsd history` lists them",
            code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
        )
    return older[0]


def _require_that_it_ran(target: ReleaseInfo) -> None:
    if target.outcome != NOT_STARTED:
        return
    raise UsageError(
        f"{target.revision} ({target.version}) was deployed at count 0 and never ran: there is "
        "nothing to go back to",
        where="--to-version",
        fix="take a release that `fsd history` shows as succeeded, or deploy this one again",
        code=ErrorCode.NOTHING_TO_ROLL_BACK_TO,
    )


def _update_and_watch(
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
    watcher = _watcher(operation, service, target, started=started)
    stages: list[DeployStage] = [requested]
    try:
        aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, **parameters})
        requested = replace(requested, is_taken=True)
        stages.append(requested)
        _note(operation, arn, _entry(action, service, parameters, at=started, by=operation.by))
        ended = _follow(requested, watcher, service, enter=stages.append)
    except Interrupted as signal:
        ended = Ending(
            outcome=Outcome.INTERRUPTED,
            message=stages[-1].interrupted(Quoted.of(signal), roll_back=False),
            diagnosis=stages[-1].diagnosis,
            is_known=False,
        )
    result = _result(
        operation, ended, action=action, started=started, release=target, previous=before
    )
    owners = tuple(dict(service.tags).get("fsd:owners", "").split())
    notes = (*watcher.view.warnings, *watcher.taken_over, *result.notes)
    return replace(result, owners=owners, notes=notes)


def _watcher(
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


def _result(
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
        log_group=ref.log_group,
        message=ended.message,
        diagnosis=ended.diagnosis,
        next_steps=ended.next_steps,
        notes=(Forced(entry=operation.forced),) if operation.forced else (),
    )
    if not ended.is_known:
        return result
    known = {one.task_definition_arn: one for one in (previous, release) if one}
    return with_what_runs(result, operation, AtHand(releases=known, service=ended.service))
