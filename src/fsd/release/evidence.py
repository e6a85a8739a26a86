"""From a failed watch to a diagnosis: the causes, the last log lines, what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fsd.change import Change
from fsd.errors import CallFailedError
from fsd.release.alarms import evidence
from fsd.release.ports import Aws
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import find_causes, short, worst_task
from fsd.snapshot import Snapshot

LOG_LINES = 30
_SECRET_LIKE = re.compile(
    r"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization|credential)[\w-]*"
    r"[\"']?\s*[=:]\s*[\"']?)(?:bearer\s+)?[^\s\"',;}]+"
)
_KEY_LIKE = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS access keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_\w{20,}"
    r"|\b(?:sk|xox[abprs])-[\w-]{20,}"  # OpenAI, Stripe; Slack
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"  # JSON web tokens
)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]+:)[^\s@]+@")


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


def mask(text: str) -> str:
    """Hide what looks like a secret in a log line; a log is shown in comments and summaries."""
    text = _SECRET_LIKE.sub(r"\1***", text)
    text = _URL_PASSWORD.sub(r"\1***@", text)
    return _KEY_LIKE.sub("***", text)


def _last_lines(aws: Aws, log_group: str, streams: Sequence[str]) -> tuple[str, ...]:
    lines = [line for stream in streams for line in aws.logs.tail(log_group, stream, LOG_LINES)]
    lines.sort(key=lambda line: line.at)
    return tuple(f"{line.at:%H:%M:%S} {mask(line.text.rstrip())}" for line in lines[-LOG_LINES:])
