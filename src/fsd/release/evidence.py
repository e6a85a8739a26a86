"""From a failed watch to a diagnosis: the causes, the last log lines, what changed."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.change import Change
from fsd.errors import CallFailedError
from fsd.release.alarms import evidence
from fsd.release.masking import mask_lines
from fsd.release.ports import Aws
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import find_causes, short, worst_task
from fsd.snapshot import Snapshot

LOG_LINES = 30


def diagnose(
    aws: Aws,
    snapshot: Snapshot,
    *,
    task_definition_arn: str,
    log_group: str,
    reason: str = "",
    changed_since: str = "",
    changes: tuple[Change, ...] = (),
) -> Diagnosis:
    """Explain a failed rollout. Logs that cannot be read leave the rest of the diagnosis whole."""
    worst = worst_task(snapshot, task_definition_arn)
    lines: tuple[str, ...] = ()
    if worst is not None:
        try:
            lines = _last_lines(aws, log_group, aws.ecs.log_streams(worst))
        except CallFailedError as error:
            lines = (f"(the logs could not be read: {error.what})",)
    alarms = snapshot.deployment.triggered_alarms if snapshot.deployment else ()
    return Diagnosis(
        causes=find_causes(
            snapshot, task_definition_arn, reason=reason, alarms=evidence(aws, alarms)
        ),
        changed_since=changed_since,
        changes=changes,
        log_lines=lines,
        log_task=short(worst.id) if worst else "",
    )


def _last_lines(aws: Aws, log_group: str, streams: Sequence[str]) -> tuple[str, ...]:
    lines = [line for stream in streams for line in aws.logs.tail(log_group, stream, LOG_LINES)]
    lines.sort(key=lambda line: line.at)
    texts = mask_lines(line.text.rstrip() for line in lines)
    shown = [f"{line.at:%H:%M:%S} {text}" for line, text in zip(lines, texts, strict=True)]
    return tuple(shown[-LOG_LINES:])
