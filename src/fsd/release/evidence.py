"""From a failed watch to a diagnosis: the causes, the last log lines, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fsd.change import Change
from fsd.errors import CallFailedError
from fsd.release.alarms import evidence
from fsd.release.masking import mask_lines
from fsd.release.ports import Aws, LogLine
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.diagnose import find_causes, short, worst_task
from fsd.rollout.explain import Task, explain
from fsd.rollout.log_signs import LogText, read_signs
from fsd.snapshot import Snapshot, StoppedTask

LOG_LINES = 30  # that are shown
LINES_READ = 300


def diagnose(
    aws: Aws,
    snapshot: Snapshot,
    *,
    task_definition_arn: str,
    log_group: str,
    port: int | None = None,
    reason: str = "",
    changed_since: str = "",
    changes: tuple[Change, ...] = (),
) -> Diagnosis:
    """Explain a failed rollout. `port` is where the tasks are checked, where the caller knows it.

    Logs that cannot be read leave the rest of the diagnosis whole.
    """
    worst = worst_task(snapshot, task_definition_arn)
    lines: tuple[LogLine, ...] = ()
    told: tuple[str, ...] = ()
    could_read = worst is not None
    if worst is not None:
        try:
            lines = _last_lines(aws, log_group, aws.ecs.log_streams(worst))
            told = tuple(f"{line.at:%H:%M:%S} {line.text}" for line in lines[-LOG_LINES:])
        except CallFailedError as error:
            told, could_read = (f"(the logs could not be read: {error.what})",), False
    alarms = snapshot.deployment.triggered_alarms if snapshot.deployment else ()
    causes = find_causes(snapshot, task_definition_arn, reason=reason, alarms=evidence(aws, alarms))
    explained = (
        _explained(causes, _task(worst, snapshot, port), lines) if worst and could_read else causes
    )
    return Diagnosis(
        causes=explained,
        changed_since=changed_since,
        changes=changes,
        log_lines=told,
        log_task=short(worst.id) if worst else "",
        causes_without_log=causes if explained != causes else (),
    )


def _task(worst: StoppedTask, snapshot: Snapshot, port: int | None) -> Task:
    service = snapshot.service
    ports = (port, service.container_port if service else None, *(t.port for t in snapshot.targets))
    return Task(
        id=worst.id,
        name=short(worst.id),
        port=next((each for each in ports if each is not None), None),
        grace_period=service.grace_period if service else None,
        started_at=worst.started_at,
    )


def _explained(
    causes: tuple[Cause, ...], task: Task, lines: Sequence[LogLine]
) -> tuple[Cause, ...]:
    signs = read_signs([LogText(at=line.at, text=line.text) for line in lines])
    shown = tuple(line.text for line in lines[-LOG_LINES:])
    return explain(causes, signs, replace(task, shown_lines=shown))


def _last_lines(aws: Aws, log_group: str, streams: Sequence[str]) -> tuple[LogLine, ...]:
    """In order, masked; more than are shown, since a server says where it listens at its start."""
    lines = [line for stream in streams for line in aws.logs.tail(log_group, stream, LINES_READ)]
    lines.sort(key=lambda line: line.at)
    texts = mask_lines(line.text.rstrip() for line in lines)
    return tuple(replace(line, text=text) for line, text in zip(lines, texts, strict=True))
