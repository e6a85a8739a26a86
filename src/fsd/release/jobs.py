"""A Job that is deployed: what its schedule starts, and how its last runs ended.

ECS forgets a task about an hour after its end, and EventBridge Scheduler remembers no run at all.
What is older is in the log only.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from fsd.compile.desired import Json, JsonValue
from fsd.compile.schedule import TIMEOUT_CONTAINER
from fsd.error_codes import ErrorCode, ExitCode
from fsd.errors import CallFailedError
from fsd.manifest import names
from fsd.plan.jobs import schedule_words
from fsd.release.evidence import diagnose
from fsd.release.history import Row
from fsd.release.job_ledger import deployed_outcome
from fsd.release.job_run import Run, is_of_job
from fsd.release.ledger import HISTORY_LENGTH, release_info
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, Ecs, JobSchedule, TaskDefinition
from fsd.release.result import PastOutcome, ReleaseInfo
from fsd.rollout.advice import BareAdvice
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.summaries import BareSummary
from fsd.snapshot import Snapshot, StoppedTask, TaskState
from fsd_files.timetable import due_after

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLook:
    service: str
    environment: str
    schedule: str  # rate(1 hour), by hand
    log_group: str
    release: ReleaseInfo | None
    running_tasks: tuple[TaskState, ...]
    runs: tuple[Run, ...]  # newest first; what ECS still knows
    next_run: datetime | None = None
    diagnosis: Diagnosis | None = None  # of the newest run, where it failed and that was asked

    @property
    def exit_code(self) -> ExitCode:
        """Whether the newest run that ended went well."""
        is_good = not self.runs or self.runs[0].is_good
        return ExitCode.OK if is_good else ExitCode.ROLLED_BACK


def find_job(aws: Aws, ref: ServiceRef) -> JobSchedule | None:
    """None where it is a service, or nothing; also where schedules cannot be read: by a role that
    was made before there were Jobs, in a Region or partition that has no Scheduler."""
    try:
        found = aws.schedules.find(ref.schedule) if ref.schedule else None
    except CallFailedError:
        return None
    return found if found is not None and found.task_definition_arn else None


def find_again(aws: Aws, ref: ServiceRef, job: JobSchedule) -> JobSchedule:
    """As it is now; as it was, where it is gone or cannot be read: its runs go on all the same."""
    return find_job(aws, ref) or job


def next_run(job: JobSchedule, now: datetime) -> datetime | None:
    """None where nothing is due, and of a `rate`, whose beginning AWS does not tell.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
    """
    parameters = job.parameters
    expression = str(parameters.get("ScheduleExpression"))
    if parameters.get("State") == "DISABLED" or expression.startswith("rate("):
        return None
    try:
        zone = ZoneInfo(str(parameters.get("ScheduleExpressionTimezone") or "UTC"))
        return due_after(expression, now, zone)
    except (KeyError, ValueError):  # no such time zone on this machine, or AWS knows more than we
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLooks:
    """Of an environment, by name."""

    jobs: tuple[JobLook, ...]
    unread: CallFailedError | None = None  # why there may be more: the first that was not read


def look_at_job(
    aws: Aws, ref: ServiceRef, job: JobSchedule, *, now: datetime, explain: bool = False
) -> JobLook:
    """Raises CallFailedError."""
    definition = aws.ecs.find_task_definition(job.task_definition_arn)
    running, runs = _read_runs(aws.ecs, ref, job)
    last = next(iter(runs), None)
    is_explained = explain and last is not None and not last.is_good
    return JobLook(
        service=ref.service,
        environment=ref.environment,
        schedule=schedule_words(job.parameters),
        next_run=next_run(job, now),
        log_group=definition.log_routes.group if definition else "",
        release=release_info(definition) if definition else None,
        running_tasks=running,
        runs=runs,
        diagnosis=_explain(aws, last) if is_explained and last else None,
    )


def read_jobs(aws: Aws, *, environment: str, cluster: str, now: datetime) -> JobLooks:
    """All that FSD deployed to the environment. Raises CallFailedError where schedules cannot be
    listed.

    One that cannot be read hides no other: a role may read its own repository's schedules only,
    and a cluster is shared.
    """
    look_of = partial(_try_look_of, aws, environment=environment, cluster=cluster, now=now)
    looks = [aws.reads.start(partial(look_of, name)) for name in aws.schedules.names(cluster)]
    answers = [get() for get in looks]
    jobs = [one for one in answers if isinstance(one, JobLook)]
    unread = next((one for one in answers if isinstance(one, CallFailedError)), None)
    return JobLooks(jobs=tuple(sorted(jobs, key=lambda look: look.service)), unread=unread)


def _try_look_of(
    aws: Aws, schedule: str, *, environment: str, cluster: str, now: datetime
) -> JobLook | CallFailedError | None:
    try:
        return _look_of(aws, schedule, environment=environment, cluster=cluster, now=now)
    except CallFailedError as error:
        return error


def _look_of(
    aws: Aws, schedule: str, *, environment: str, cluster: str, now: datetime
) -> JobLook | None:
    """None for one of somebody else's, or of another environment."""
    found = aws.schedules.find(schedule)
    arn = found.task_definition_arn if found else ""
    definition = aws.ecs.find_task_definition(arn) if arn else None
    tags = definition.tags if definition else {}
    service = tags.get("fsd:service", "")
    is_ours = service and schedule == names.schedule(service, environment)
    if found is None or not is_ours or tags.get("fsd:environment") != environment:
        return None
    ref = job_ref(service, environment=environment, cluster=cluster)
    return look_at_job(aws, ref, found, now=now)


def job_ref(service: str, *, environment: str, cluster: str) -> ServiceRef:
    """All names of a Job are derived: no other tool made it."""
    return ServiceRef(
        service=service,
        environment=environment,
        cluster=cluster,
        name=names.service_name(service, environment),
        stack_name=names.stack(service, environment),
        schedule=names.schedule(service, environment),
    )


def read_job_releases(aws: Aws, ref: ServiceRef, job: JobSchedule) -> tuple[ReleaseInfo, ...]:
    """Newest first. One succeeded if its schedule was moved to it, unless the newest of its runs
    that ECS still knows has failed."""
    _, runs = _read_runs(aws.ecs, ref, job)
    newest = {run.task.task_definition_arn: run for run in reversed(runs)}
    arns = aws.ecs.list_task_definitions(ref.name)[:HISTORY_LENGTH]
    found = [aws.ecs.find_task_definition(arn) for arn in arns]
    return tuple(
        release_info(one, outcome=_outcome(one, job, newest.get(one.arn)))
        for one in found
        if one is not None
    )


def _outcome(definition: TaskDefinition, job: JobSchedule, newest: Run | None) -> PastOutcome:
    deployed = deployed_outcome(definition, job)
    if deployed is PastOutcome.SUCCEEDED and newest and not newest.is_good:
        return PastOutcome.FAILED
    return deployed


def _read_runs(
    ecs: Ecs, ref: ServiceRef, job: JobSchedule
) -> tuple[tuple[TaskState, ...], tuple[Run, ...]]:
    running, stopped = ecs.runs(job.cluster or ref.cluster, ref.name)
    # ECS lists a task as stopped from when it ought to be; until it is, its end is not known.
    ended = [task for task in stopped if task.stopped_at is not None and is_of_job(task)]
    ended.sort(key=lambda task: task.stopped_at or _EPOCH, reverse=True)
    going = (_as_running(task) for task in stopped if task.stopped_at is None)
    return (*running, *going), tuple(_run(task, ref.service) for task in ended)


def _as_running(task: StoppedTask) -> TaskState:
    return TaskState(
        id=task.id,
        task_definition_arn=task.task_definition_arn,
        last_status="STOPPING",
        started_at=task.started_at,
        started_by=task.started_by,
    )


def _run(task: StoppedTask, container: str) -> Run:
    codes = {one.name: one.exit_code for one in task.containers}
    own = tuple(one for one in task.containers if one.name != TIMEOUT_CONTAINER)
    # Where the Job ends first, SIGTERM ends the other: it never gets to its own 0.
    return Run(
        task=replace(task, containers=own),
        exit_code=codes.get(container),
        is_timed_out=codes.get(TIMEOUT_CONTAINER) == 0,
    )


def _explain(aws: Aws, run: Run) -> Diagnosis:
    found = diagnose(
        aws,
        Snapshot(service=None, deployment=None, stopped=(run.task,)),
        task_definition_arn=run.task.task_definition_arn,
        reason=run.task.stopped_reason if run.exit_code is None else f"exit code {run.exit_code}",
    )
    if not run.is_timed_out:
        return found
    # What its program said when it was ended is no cause.
    over = Cause(
        code=ErrorCode.TIMED_OUT,
        summary=BareSummary.RUN_TIMED_OUT,
        where=found.cause.where,
        evidence=(),
        advice=BareAdvice.RAISE_TIMEOUT,
        tasks=(run.task.id,),
    )
    return replace(found, causes=(over,), causes_without_log=())


def read_job_rows(ecs: Ecs, ref: ServiceRef, job: JobSchedule, *, limit: int) -> tuple[Row, ...]:
    """Releases, and the runs that ECS still knows; newest first."""
    found = [ecs.find_task_definition(arn) for arn in ecs.list_task_definitions(ref.name)[:limit]]
    releases = {
        one.arn: release_info(one, outcome=deployed_outcome(one, job))
        for one in found
        if one is not None
    }
    rows = [
        Row(action="deploy", release=one, runs=arn == job.task_definition_arn)
        for arn, one in releases.items()
    ]
    _, runs = _read_runs(ecs, ref, job)
    rows += _run_rows(runs, releases)
    rows.sort(key=lambda row: row.release.at or _EPOCH, reverse=True)
    return tuple(rows[:limit])


def _run_rows(runs: tuple[Run, ...], releases: Mapping[str, ReleaseInfo]) -> Iterator[Row]:
    for run in runs:
        release = releases.get(run.task.task_definition_arn)
        if release is None:
            continue
        outcome = PastOutcome.SUCCEEDED if run.is_good else PastOutcome.FAILED
        at = run.task.stopped_at or run.task.created_at
        done = replace(release, at=at, run=run.task.started_by, forced="", outcome=outcome)
        yield Row(action="run", release=done, reason=None if run.is_good else run)


def job_network(job: JobSchedule) -> Json:
    """The schedule's network in RunTask's spelling."""
    value: JsonValue = job.parameters
    for part in ("Target", "EcsParameters", "NetworkConfiguration", "awsvpcConfiguration"):
        value = value.get(part) if isinstance(value, dict) else None
    found = value if isinstance(value, dict) else {}
    return {
        "awsvpcConfiguration": {
            "subnets": found.get("Subnets", []),
            "securityGroups": found.get("SecurityGroups", []),
            "assignPublicIp": found.get("AssignPublicIp", "DISABLED"),
        }
    }
