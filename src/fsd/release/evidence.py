"""From a failed watch to a diagnosis: the causes, the last log lines, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fsd.change import Change
from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.alarms import evidence
from fsd.release.mask import mask_lines
from fsd.release.ports import Aws, LogLine
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.diagnose import find_causes, find_task_to_read, short
from fsd.rollout.explain import LoggedTask, explain
from fsd.rollout.failures import ROLLOUT_FAILED
from fsd.rollout.log_noise import without_health_checks
from fsd.rollout.log_remarks import LogElsewhere
from fsd.rollout.log_signs import LogText, read_signs
from fsd.rollout.summaries import NoTargetHealthy
from fsd.rollout.unhealthy_tasks import find_unhealthy_rollout
from fsd.snapshot import Snapshot, StoppedTask, TaskState

LOG_LINES = 30  # that are shown
LINES_READ = 300


def diagnose(
    aws: Aws,
    snapshot: Snapshot,
    *,
    task_definition_arn: str,
    port: int | None = None,
    reason: str | NoTargetHealthy = "",
    changed_since: str = "",
    changes: tuple[Change, ...] = (),
) -> Diagnosis:
    """Explain a failed rollout. `port` is where a check in the container asks, where one does.

    Logs that cannot be read leave the rest of the diagnosis whole.
    """
    alarms = snapshot.deployment.triggered_alarms if snapshot.deployment else ()
    causes = find_causes(snapshot, task_definition_arn, reason=reason, alarms=evidence(aws, alarms))
    task = find_task_to_read(snapshot, task_definition_arn)
    waiting = find_unhealthy_rollout(snapshot, task_definition_arn)
    if waiting is not None and causes[0].code == ROLLOUT_FAILED.code:  # no task has ended
        causes, task = (waiting.cause,), _as_stopped(waiting.task)
    log = _read_log(aws, task)
    explained = causes
    if task is not None and log.error is None:
        explained = _explained(causes, _task(task, snapshot, port), log)
    return Diagnosis(
        causes=explained,
        changed_since=changed_since,
        changes=changes,
        log_lines=log.told,
        logs_elsewhere=log.elsewhere,
        log_error=log.error,
        log_task=short(task.id) if task else "",
        causes_without_log=causes if explained != causes else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """`told` is what the report shows; `error` is why AWS gave no answer.

    `is_whole` is False where an essential container's lines are not among them.
    """

    lines: tuple[LogLine, ...] = ()
    told: tuple[str, ...] = ()
    elsewhere: tuple[LogElsewhere, ...] = ()
    error: Quoted | None = None
    is_whole: bool = True


def _read_log(aws: Aws, task: StoppedTask | None) -> _Log:
    """From wherever its task definition sends its lines; none where that is gone."""
    if task is None:
        return _Log()
    try:
        routes = aws.ecs.log_routes(task.task_definition_arn)
        lines = _last_lines(aws, [(one.group, one.stream(task.id)) for one in routes.places])
    except CallFailedError as error:
        return _Log(error=Quoted.of(error))
    is_whole = bool(routes.places) and not routes.elsewhere
    return _Log(lines=lines, told=_told(lines), elsewhere=routes.elsewhere, is_whole=is_whole)


def _as_stopped(task: TaskState) -> StoppedTask:
    """Which streams a task writes to depends on its definition alone."""
    return StoppedTask(
        id=task.id,
        task_definition_arn=task.task_definition_arn,
        stop_code="",
        stopped_reason="",
        started_at=task.started_at,
    )


def _task(worst: StoppedTask, snapshot: Snapshot, port: int | None) -> LoggedTask:
    service = snapshot.service
    checked = [target.asked_port for target in snapshot.targets]
    ports = (port, *checked, service.container_port if service else None)
    return LoggedTask(
        id=worst.id,
        name=short(worst.id),
        port=next((each for each in ports if each is not None), None),
        grace_period=service.grace_period if service else None,
        started_at=worst.started_at,
    )


def _explained(causes: tuple[Cause, ...], task: LoggedTask, log: _Log) -> tuple[Cause, ...]:
    signs = read_signs([LogText(at=line.at, text=line.text) for line in log.lines])
    shown = tuple(line.text for line in _shown(log.lines))
    return explain(causes, signs, replace(task, shown_lines=shown, is_log_whole=log.is_whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedTask:
    causes: tuple[Cause, ...]
    log_lines: tuple[str, ...] = ()
    logs_elsewhere: tuple[LogElsewhere, ...] = ()
    log_error: Quoted | None = None  # why they could not be read


def explain_task(
    aws: Aws, causes: tuple[Cause, ...], worst: StoppedTask, snapshot: Snapshot
) -> ExplainedTask:
    """The causes with what the task's log adds, and its last lines."""
    log = _read_log(aws, worst)
    if log.error is not None:
        return ExplainedTask(causes=causes, log_error=log.error)
    explained = _explained(causes, _task(worst, snapshot, None), log)
    return ExplainedTask(causes=explained, log_lines=log.told, logs_elsewhere=log.elsewhere)


def _told(lines: Sequence[LogLine]) -> tuple[str, ...]:
    return tuple(f"{line.at:%H:%M:%S} {line.text}" for line in _shown(lines))


def _shown(lines: Sequence[LogLine]) -> list[LogLine]:
    """The last ones; health checks come every few seconds, and would hide what went wrong."""
    kept = without_health_checks([line.text for line in lines])
    return [lines[number] for number in kept][-LOG_LINES:]


def _last_lines(aws: Aws, streams: Sequence[tuple[str, str]]) -> tuple[LogLine, ...]:
    """In order, masked; more than are shown, since a server says where it listens at its start."""
    lines = [line for group, stream in streams for line in aws.logs.tail(group, stream, LINES_READ)]
    lines.sort(key=lambda line: line.at)
    texts = mask_lines(line.text.rstrip() for line in lines)
    return tuple(replace(line, text=text) for line, text in zip(lines, texts, strict=True))
