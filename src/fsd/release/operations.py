"""What an operator does to a service that is there: roll back, restart, scale, look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode, Interrupted, RefusedError, UsageError
from fsd.manifest.spelling import nearest
from fsd.plan.verdict import Mark, is_unproved
from fsd.release.border import Border, check_rollback, note_force
from fsd.release.changed import find_changes
from fsd.release.evidence import diagnose
from fsd.release.healthy import read_healthy
from fsd.release.journal import JournalEntry, note_action, note_failure
from fsd.release.ledger import NOT_STARTED, SUCCEEDED, read_history, release_info, resolve_version
from fsd.release.pace import Pace
from fsd.release.ports import Aws, Clock, Ecs, PermissionDenied
from fsd.release.proof import nothing_ran_text, put_mark
from fsd.release.reporter import Reporter
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.retry import Retry
from fsd.release.rollback import ROLLBACK_TIME, find_lost_race
from fsd.release.rollout_stage import Drain
from fsd.release.turn import ties_of
from fsd.release.watch import TimedOut, Watched, Watcher
from fsd.rollout.assess import (
    Doomed,
    Failed,
    InProgress,
    Ours,
    RolledBack,
    Succeeded,
    Superseded,
    Unproved,
    Verdict,
)
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRef:
    """A service that an operator names; all its AWS names are derived."""

    service: str  # metadata.name
    environment: str
    cluster: str
    name: str  # <service>-<env>
    stack_name: str
    log_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The tools of one operation."""

    aws: Aws
    ref: ServiceRef
    clock: Clock
    reporter: Reporter
    timeout: timedelta = timedelta(minutes=20)
    wait: bool = True
    pace: Pace = field(default_factory=Pace)
    border: Border = field(default_factory=lambda: Border(environment=""))
    forced: str = ""  # what the ledger notes
    by: str = ""  # who asks, for the ledger: a workflow's run, user@host


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
    service = get_service(operation)
    ref, ecs = operation.ref, operation.aws.ecs
    history = read_history(ecs, cluster=ref.cluster, service=ref.name)
    target = resolve_version(history, version) if version else _last_good(history, service)
    _require_that_it_ran(target)
    if target.task_definition_arn == service.task_definition_arn:
        return _result(
            operation,
            outcome=Outcome.UNCHANGED,
            action="rollback",
            started=operation.clock.now(),
            release=target,
            message=f"{target.revision} runs already",
        )
    forced = check_rollback(operation.border, target)
    operation = replace(operation, forced=forced or operation.forced)
    parameters: Json = {"taskDefinition": target.task_definition_arn}
    return _update_and_watch(operation, parameters, action="rollback", target=target)


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
        message = f"{count} tasks are wanted already"
        return _result(
            operation, outcome=Outcome.UNCHANGED, action="scale", started=started, message=message
        )
    note_force(aws.ecs, service.task_definition_arn, operation.forced)
    aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, "desiredCount": count})
    arn, what = service.task_definition_arn, f"{service.desired} to {count}"
    _note(operation, arn, JournalEntry(at=started, action="scale", what=what, by=operation.by))
    outcome = Outcome.STARTED
    if operation.wait:
        outcome = _wait_for_count(operation, count, started + operation.timeout)
    message = f"{service.desired} → {count} tasks"
    return _result(operation, outcome=outcome, action="scale", started=started, message=message)


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
    operation.reporter.note(f"{release.revision} never ran: its first tasks are a deployment")
    parameters: Json = {"desiredCount": count, "forceNewDeployment": True}
    result = _update_and_watch(operation, parameters, action="scale", target=release)
    ref, ecs, arn = operation.ref, operation.aws.ecs, release.task_definition_arn
    match result.outcome:
        case Outcome.SUCCEEDED:
            note = put_mark(ecs, arn, Mark.PROVED)
            result = replace(result, message=f"0 → {count} tasks")
        case Outcome.ROLLED_BACK | Outcome.ROLLBACK_FAILED:
            note = put_mark(ecs, arn, Mark.FAILED)
            zero: Json = {"cluster": ref.cluster, "service": ref.name, "desiredCount": 0}
            ecs.update_service(zero)
            message = "nothing to go back to: scaled to 0 again"
            result = replace(result, outcome=Outcome.ROLLBACK_FAILED, message=message)
        case _:
            note = ""
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
    ref, aws, clock = operation.ref, operation.aws, operation.clock
    service = get_service(operation)
    arn = target.task_definition_arn if target else service.task_definition_arn
    known = _refuse_in_flight(operation)
    note_force(aws.ecs, arn, operation.forced)
    started = clock.now()
    aws.ecs.update_service({"cluster": ref.cluster, "service": ref.name, **parameters})
    _note(operation, arn, _entry(action, service, parameters, at=started, by=operation.by))
    watcher = Watcher(
        aws=aws,
        clock=clock,
        reporter=operation.reporter,
        cluster=ref.cluster,
        service=ref.name,
        pace=operation.pace,
        started=started,
        deadline=started + operation.timeout,
        old_revision=family_revision(service.task_definition_arn),
        steady_for=timedelta(seconds=target.steady_for if target else 0),
    )
    previous = aws.ecs.find_task_definition(service.task_definition_arn)
    before = release_info(previous) if previous else None
    ties: tuple[str, ...] = ()
    try:
        found = watcher.find(known=known, task_definition_arn=arn)
        ties = ties_of(watcher.reader.others, found)
        ours = Ours(service=ref.name, arn=found.arn, task_definition_arn=arn)
        outcome, message, diagnosis = (
            _judge(operation, watcher, ours, before=service.task_definition_arn)
            if operation.wait
            else (Outcome.STARTED, "", None)
        )
    except Interrupted as signal:
        outcome, diagnosis = Outcome.INTERRUPTED, None
        message = f"{signal.what}; ECS goes on with {family_revision(arn)}"
    except CallFailedError as error:
        outcome, diagnosis = Outcome.TIMED_OUT, None
        message = (
            f"the state of {family_revision(arn)} is not known: {error.what}; ECS goes on by itself"
        )
    result = _result(
        operation,
        outcome=outcome,
        action=action,
        started=started,
        release=target,
        previous=before,
        message=message,
        diagnosis=diagnosis,
    )
    return replace(result, notes=(*watcher.view.warnings, *ties, *result.notes))


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
        raise RefusedError(
            f"a deployment of {ref.name} is in flight: "
            f"{family_revision(newest.task_definition_arn)}, {newest.status}",
            where=newest.arn,
            fix="wait for it: fsd status --watch",
            code=ErrorCode.DEPLOYMENT_IN_FLIGHT,
        )
    return frozenset(arns)


def _judge(
    operation: Operation, watcher: Watcher, ours: Ours, *, before: str
) -> tuple[Outcome, str, Diagnosis | None]:
    watched = watcher.watch(ours)
    if isinstance(watched.verdict, Succeeded):
        service = watched.snapshot.service
        if service is not None and service.desired == 0:
            return Outcome.NOT_STARTED, nothing_ran_text(ours.task_definition_arn), None
        return Outcome.SUCCEEDED, "", None
    if isinstance(watched.verdict, Superseded):
        return Outcome.SUPERSEDED, "another deployment took over; nothing of it was undone", None
    watcher.refresh_evidence()
    if isinstance(watched.verdict, TimedOut | InProgress):
        stands = watcher.where_it_stands(ours, Drain(speed=operation.pace.speed))
        return Outcome.TIMED_OUT, f"no end yet: {stands}. ECS goes on by itself", None
    changed = find_changes(operation.aws.ecs, good=before, failed=ours.task_definition_arn)
    diagnosis = diagnose(
        operation.aws,
        watcher.snapshot,
        task_definition_arn=ours.task_definition_arn,
        log_group=operation.ref.log_group,
        reason=getattr(watched.verdict, "reason", ""),
        changed_since=changed.since,
        changes=changed.changes,
    )
    untold = note_failure(operation.aws.ecs, ours.task_definition_arn, diagnosis.cause)
    if untold:
        operation.reporter.note(untold)
    outcome, message = _after_failure(operation, watcher, ours, watched, before=before)
    return outcome, message, diagnosis


def _after_failure(
    operation: Operation, watcher: Watcher, ours: Ours, watched: Watched, *, before: str
) -> tuple[Outcome, str]:
    """ECS goes back by itself to the deployment before ours; see it through."""
    watcher.schedule.extend(operation.clock.now() + ROLLBACK_TIME)
    ecs = _patient(operation).ecs
    if isinstance(watched.verdict, Unproved):
        return _go_back_after(operation, watcher, ours, before=before)
    if isinstance(watched.verdict, Doomed):
        try:
            ecs.stop_service_deployment(ours.arn)
        except PermissionDenied as error:
            message = f"ECS could not be asked to go back: {error.what}; its circuit breaker may"
            return Outcome.ROLLBACK_FAILED, message
    stopping = replace(ours, asked_to_stop=True)
    match watcher.watch(stopping, until_final=True).verdict:
        case RolledBack():
            lost = find_lost_race(ecs, ours, cluster=operation.ref.cluster, good=before)
            if lost is not None:
                return lost.outcome, lost.message
            return Outcome.ROLLED_BACK, "ECS went back to the release before"
        case Unproved():
            return _go_back_after(operation, watcher, ours, before=before)
        case other:
            return _ended_otherwise(other)


def _ended_otherwise(verdict: Verdict | TimedOut) -> tuple[Outcome, str]:
    match verdict:
        case Succeeded():
            return Outcome.SUCCEEDED, "it got healthy before ECS could stop it"
        case Superseded():
            return Outcome.SUPERSEDED, "another deployment took over"
        case Failed() as failed:
            why = f": {failed.reason}" if failed.reason else ""
            return Outcome.ROLLBACK_FAILED, f"ECS did not go back to the release before{why}"
        case _:
            return Outcome.ROLLBACK_FAILED, "the rollback is not done yet; ECS goes on with it"


def _go_back_after(
    operation: Operation, watcher: Watcher, ours: Ours, *, before: str
) -> tuple[Outcome, str]:
    """To the revision before: the deployment is over, so ECS does not do it."""
    if before == ours.task_definition_arn:
        message = "the same revision ran before: there is nothing to go back to"
        return Outcome.ROLLBACK_FAILED, message
    ref, ecs = operation.ref, _patient(operation).ecs
    lost = find_lost_race(ecs, ours, cluster=ref.cluster, good=before, is_over=True)
    if lost is not None:
        return lost.outcome, lost.message
    known = frozenset(ecs.service_deployment_arns(ref.cluster, ref.name))
    back: Json = {"taskDefinition": before, "forceNewDeployment": True}
    ecs.update_service({"cluster": ref.cluster, "service": ref.name, **back})
    found = watcher.find(known=known, task_definition_arn=before)
    theirs = Ours(service=ref.name, arn=found.arn, task_definition_arn=before)
    revision = family_revision(before)
    match watcher.watch(theirs).verdict:
        case Succeeded():
            return Outcome.ROLLED_BACK, f"{revision} runs again"
        case Superseded():
            return Outcome.SUPERSEDED, "another deployment took over"
        case _:
            return Outcome.ROLLBACK_FAILED, f"{revision} did not get to run again"


def _patient(operation: Operation) -> Aws:
    retry = Retry(clock=operation.clock, reporter=operation.reporter, speed=operation.pace.speed)
    return retry.of(operation.aws)


def _result(
    operation: Operation,
    *,
    outcome: Outcome,
    action: str,
    started: datetime,
    release: ReleaseInfo | None = None,
    previous: ReleaseInfo | None = None,
    message: str = "",
    diagnosis: Diagnosis | None = None,
) -> Result:
    aws, ref = operation.aws, operation.ref
    result = Result(
        outcome=outcome,
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
        message=message,
        diagnosis=diagnosis,
        notes=(f"forced: {operation.forced}",) if operation.forced else (),
    )
    try:
        return _with_what_runs(operation, result)
    except CallFailedError as error:
        # How it ended is known; only the picture of what runs is missing.
        note = f"what runs now could not be read: {error.what}"
        return replace(result, notes=(*result.notes, note))


def _with_what_runs(operation: Operation, result: Result) -> Result:
    aws, ref = operation.aws, operation.ref
    service = aws.ecs.find_service(ref.cluster, ref.name)
    if service is None:
        return result
    running = aws.ecs.find_task_definition(service.task_definition_arn)
    return replace(
        result,
        running=release_info(running) if running else None,
        running_count=service.running,
        desired_count=service.desired,
        healthy_count=read_healthy(aws, service),
    )
