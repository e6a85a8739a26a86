"""How a rollout ended. The one place where a verdict becomes an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from fsd.release.follow_ups import FollowUp
from fsd.release.messages import Message
from fsd.release.result import Outcome
from fsd.release.watch import TimedOut
from fsd.rollout.assess import (
    Doomed,
    Failed,
    InProgress,
    RolledBack,
    RollingBack,
    Succeeded,
    Superseded,
    Unproved,
    Verdict,
)
from fsd.rollout.cause import Diagnosis
from fsd.snapshot import ServiceState

# What a verdict can come to: whoever asks names each, so that a new one is not taken for a failure.
VerdictOutcome: TypeAlias = Literal[
    Outcome.SUCCEEDED,
    Outcome.SUPERSEDED,
    Outcome.ROLLED_BACK,
    Outcome.TIMED_OUT,
    Outcome.ROLLBACK_FAILED,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    outcome: Outcome
    message: Message | None = None  # the one sentence for outcomes that are not plain success
    diagnosis: Diagnosis | None = None
    next_steps: tuple[FollowUp, ...] = ()
    service: ServiceState | None = None  # where it was read a moment ago, and nothing changed since
    is_proved: bool = False  # its tasks ran, and were good until the watch ended
    is_known: bool = True  # False: AWS does not answer, so that a last look is in vain


def outcome_of(verdict: Verdict | TimedOut) -> VerdictOutcome:
    """What the deployment that is judged came to. ROLLBACK_FAILED is a failure after which nothing
    has gone back: the caller's way back may change that."""
    match verdict:
        case Succeeded():
            return Outcome.SUCCEEDED
        case Superseded():
            return Outcome.SUPERSEDED
        case RolledBack():
            return Outcome.ROLLED_BACK
        case TimedOut() | InProgress():
            return Outcome.TIMED_OUT
        case Unproved() | Doomed() | RollingBack() | Failed():
            return Outcome.ROLLBACK_FAILED
        case _:
            assert_never(verdict)
