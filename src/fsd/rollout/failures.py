"""What ECS's failure texts mean: the rows, and which of them a task or an event is.

A row says what to look for, what it means, what to do, and after how many sightings of it a
rollout is lost (None: never by itself; the platform may recover). `fsd explain` shows a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fsd.rollout.advice import Advice, AfterDenial
from fsd.rollout.denials import Denial, find_denial
from fsd.rollout.event_failures import (
    ALARM_TRIGGERED,
    EVENT_FAILURES,
    PLACING,
    ROLLBACK_REQUESTED,
    ROLLOUT_FAILED,
    WITHOUT_TASKS,
)
from fsd.rollout.failure import Failure
from fsd.rollout.image_failures import IMAGE_FAILURES
from fsd.rollout.reasons import Reason, read_reason
from fsd.rollout.start_failures import START_FAILURES
from fsd.snapshot import StoppedTask

__all__ = [
    "ALARM_TRIGGERED",
    "EVENT_FAILURES",
    "FAILURES",
    "ROLLBACK_REQUESTED",
    "ROLLOUT_FAILED",
    "WITHOUT_TASKS",
    "Failure",
    "KnownFailure",
    "classify",
    "classify_event",
    "recognize",
    "recognize_event",
]

# Stops that say nothing about the release: replaced, scaled in, stopped by hand, the platform.
INNOCENT_CODES = {"UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"}
INNOCENT_REASON = re.compile(
    r"scaling activity initiated by|availability zone rebalancing|deployment completed|"
    r"spot task was interrupted|maintenance on the underlying infrastructure|"
    r"^host ec2 \(instance|container instance .* (?:deregistered|terminated)",
    re.IGNORECASE,
)

FAILURES: tuple[Failure, ...] = (*IMAGE_FAILURES, *START_FAILURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """The row of a text, and AWS's denial where the text quotes one that says more."""

    failure: Failure
    denial: Denial | None = None

    @property
    def advice(self) -> Advice:
        if self.denial is None:
            return self.failure
        return AfterDenial(denial=self.denial, failure=self.failure)


def classify(task: StoppedTask) -> Failure | None:
    """The row for one stopped task; None where its end says nothing about the release."""
    found = recognize(task)
    return found.failure if found else None


def classify_event(message: str) -> Failure | None:
    """The row for one service event; None where it tells of no failure that has a name."""
    found = recognize_event(message)
    return found.failure if found else None


def recognize(task: StoppedTask) -> KnownFailure | None:
    """The row for one stopped task; None where its end says nothing about the release.

    What ECS says in an event it may say of a task too ("Capacity is unavailable"); the row that
    takes everything comes last.
    """
    if task.stop_code in INNOCENT_CODES or INNOCENT_REASON.search(task.stopped_reason):
        return None
    texts = [task.stopped_reason, *(c.reason for c in task.containers if c.reason)]
    account = _account(task.task_definition_arn)
    reasons = [(text, read_reason(text, account=account)) for text in texts]
    exit_code = next((c.exit_code for c in task.containers if c.exit_code is not None), None)
    failing = next((c.exit_code for c in task.containers if c.exit_code), exit_code)
    return (
        _first(FAILURES[:-1], reasons, failing)
        or _first(EVENT_FAILURES, reasons, None)
        or _first(FAILURES[-1:], reasons, failing)
    )


def recognize_event(message: str) -> KnownFailure | None:
    """The row for one service event; None where it tells of no failure that has a name.

    An event may quote a task's reason behind "was unable to place a task. Reason:".
    """
    found = _first(EVENT_FAILURES, [(message, read_reason(message))], None)
    if found is not None:
        return found
    quoted = _QUOTED.search(message)
    if quoted is None:
        return None
    reason = quoted["reason"]
    return _first(_OF_TASKS, [(reason, read_reason(reason))], None)


_QUOTED = re.compile(rf"{PLACING}\. Reason: (?P<reason>.*)", re.DOTALL)
_OF_TASKS = tuple(row for row in FAILURES if not row.exit_codes and row is not FAILURES[-1])


def _account(arn: str) -> str:
    """`arn:aws:ecs:REGION:ACCOUNT:task-definition/…` → the account; "" of anything else."""
    parts = arn.split(":")
    return parts[4] if arn.startswith("arn:") and len(parts) > 5 else ""


def _first(
    rows: tuple[Failure, ...], reasons: Sequence[tuple[str, Reason]], exit_code: int | None
) -> KnownFailure | None:
    """What is left of a stage is asked last. The order of the rest only ranks several texts."""
    for row in sorted(rows, key=lambda row: row.is_rest):
        text = next((text for text, reason in reasons if row.matches(reason, exit_code)), None)
        if text is not None:
            return KnownFailure(failure=row, denial=_telling_denial(text))
    return None


def _telling_denial(text: str) -> Denial | None:
    """AWS's own clause, where it says more than a row can: which action, and whose policy."""
    denial = find_denial(text)
    if denial is None or (denial.policy is None and not denial.is_explicit):
        return None
    return denial
