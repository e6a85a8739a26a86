"""What the summary of a cause says, as values; `fsd.report.cause_summaries` has the words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fsd.quoted import Quoted
from fsd.rollout.failure import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHttpAnswer:
    """A connection that was refused, or an answer that is not HTTP."""

    port: int | None  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpStatuses:
    codes: str  # "500", "502, 503", as the load balancer lists them


TargetAnswer: TypeAlias = NoHttpAnswer | HttpStatuses | Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsInState:
    """A state, and how many targets have it."""

    count: int
    state: str  # unused, draining, initial …
    reason: str  # "Target.NotInUse: Target group is not configured …", "" where none is given


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTargetHealthy:
    """ECS reports the deployment as complete, but no target is healthy."""

    targets: tuple[TargetsInState, ...]  # () where none is registered


class BareSummary(StrEnum):
    """Summaries that have no values."""

    CLASSIC_CHECK_FAILED = "classic-check-failed"
    NEWEST_FAILED = "newest-failed"
    ROLLBACK_ASKED = "rollback-asked"
    RUN_TIMED_OUT = "run-timed-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksEnded:
    """Tasks that ended as this failure says."""

    failure: Failure
    count: int
    exit_codes: tuple[int, ...] = ()
    answer: TargetAnswer | None = None  # to the load balancer's health check


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksKeepEnding:
    summary: Summary  # of the last ones
    count: int
    since: str  # times as they are shown
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedWith:
    """The program ended with this exception."""

    summary: Summary
    exception: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAfter:
    """The check failed, and the log has this exception before it."""

    summary: Summary
    exception: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswered:
    """The health check inside the container; the log has what the service answered to it."""

    summary: Summary
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsLeftOut:
    """Of a build without Docker."""

    steps: tuple[str, ...]  # that are shown
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWithoutDocker:
    """What the image lacks can be why: steps, or the Python that its base has (a sentence)."""

    summary: Summary
    lacks: StepsLeftOut | Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsMadeUp:
    """The embedded AWS made up the values of these secrets, by their variables."""

    summary: Summary
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEnded:
    """ECS ended the deployment, and says why; no task does."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsWentOff:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsInAlarm:
    """They are in the state ALARM now."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksFailing:
    """Tasks run, and the load balancer calls them unhealthy."""

    count: int
    answer: TargetAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsUnhealthy:
    count: int
    of: int
    groups: tuple[str, ...]  # target groups, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsUnused:
    count: int
    of: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersUnhealthy:
    failure: Failure
    count: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StackInStatus:
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFewRunning:
    running: int
    desired: int


# A Failure: what its row says. Quoted: what the ledger says.
Summary: TypeAlias = (
    Failure
    | Quoted
    | BareSummary
    | TasksEnded
    | TasksKeepEnding
    | EndedWith
    | FailedAfter
    | CheckAnswered
    | MadeWithoutDocker
    | SecretsMadeUp
    | RolloutEnded
    | NoTargetHealthy
    | AlarmsWentOff
    | AlarmsInAlarm
    | ChecksFailing
    | TargetsUnhealthy
    | TargetsUnused
    | ContainersUnhealthy
    | StackInStatus
    | TooFewRunning
)
