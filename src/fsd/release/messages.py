"""The one thing to say of an outcome that is not a plain success, as values.

`fsd.report.messages` puts them into words, and is the only place that does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from fsd.quoted import Quoted
from fsd.release.follow_ups import ServiceCommand
from fsd.release.notes import DeploymentPaused, LeftBehind, StackClash, Undeleted
from fsd.rollout.summaries import Summary
from fsd.snapshot import DeploymentStatus


class RolloutStage(StrEnum):
    """In a rollout's order."""

    START = "start"
    CHECK = "check"
    REPLACE = "replace"
    DRAIN = "drain"
    BAKE = "bake"
    PAUSE = "pause"
    SETTLE = "settle"  # ECS's own end of the deployment


class BareMessage(StrEnum):
    """Messages that have no values."""

    HEALTHY_TOO_SOON = "healthy-too-soon"  # for ECS to stop it
    SERVICE_DELETED = "service-deleted"  # meanwhile
    SCALED_BACK_TO_ZERO = "scaled-back-to-zero"  # nothing to go back to
    SAME_REVISION_BEFORE = "same-revision-before"  # nothing to go back to either
    SERVICE_GONE = "service-gone"  # when the rollback was verified
    ROLLBACK_GOES_ON = "rollback-goes-on"  # ECS's own; it is not done yet


# --- a signal ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRequested:
    """Before ECS was asked to change anything that runs."""

    stack: str = ""  # that CloudFormation is changing


@dataclass(frozen=True, slots=True, kw_only=True)
class NotListed:
    """In the moment in which ECS was asked: it lists no deployment yet."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesOn:
    """ECS goes on rolling out."""

    revision: str
    refused: Quoted | None = None  # why it could not be asked to go back


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequested:
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLateToGoBack:
    revision: str
    status: DeploymentStatus | None  # None: ECS no longer lists it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """ECS had called it done; that its tasks keep running was not seen to the end."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WasGoingBack:
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WasSettling:
    """The release had succeeded; what follows it may be missing."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCut:
    """Of a job's deployment."""

    look: ServiceCommand | None  # None before its schedule was moved


CutOff: TypeAlias = (
    NotRequested
    | ScheduleCut
    | NotListed
    | GoesOn
    | RollbackRequested
    | TooLateToGoBack
    | Unconfirmed
    | WasGoingBack
    | WasSettling
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedBySignal:
    """A signal came; what state things are in."""

    signal: Quoted
    state: CutOff


# --- the rollout ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUnknown:
    """AWS stopped answering in mid-rollout."""

    revision: str
    error: Quoted
    is_called_done: bool  # by ECS: only whether its tasks keep running was not seen


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingRan:
    """At count 0 no task shows that the revision can start."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutProgress:
    """How far a rollout is."""

    stage: RolloutStage
    desired: int
    running: int
    pending: int
    healthy: int
    old_running: int
    alarms: tuple[str, ...] = ()  # that ECS watches
    drained_at: datetime | None = None  # at the latest; None where it is not known
    drain: timedelta = timedelta()  # deregistrationDelay as written
    slowest: RolloutStage | None = None  # what took the most time
    slowest_took: timedelta = timedelta()

    @property
    def is_healthy(self) -> bool:
        """All new tasks."""
        return self.stage not in {RolloutStage.START, RolloutStage.CHECK}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """In time; ECS goes on by itself."""

    timeout: timedelta
    status: DeploymentStatus | None
    stands: RolloutProgress | DeploymentPaused
    is_service_seen: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftFailed:
    """`--no-rollback`: the revision that failed is still ECS's newest deployment."""

    revision: str
    others: tuple[str, ...] = ()  # revisions that run beside it, as far as that was seen
    do_serve: bool = False  # behind a load balancer that calls their tasks healthy


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBegun:
    """A step before the rollout failed; nothing that runs was changed."""

    error: Quoted
    is_job: bool = False  # what its schedule starts


@dataclass(frozen=True, slots=True, kw_only=True)
class InWorkflow:
    """A message as the Action says it, with inputs where a terminal has options."""

    said: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertakenBy:
    """Another deployment, of which nothing was undone."""

    revision: str = ""  # "" where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsAlready:
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAlready:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountChanged:
    before: int
    after: int


# --- the way back --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AsBefore:
    """Scaling is as before, and so is the stack unless somebody else has changed it since."""

    is_stack_restored: bool = False  # the release had changed it; False: nothing changed it
    new_stack: str = ""  # that the service did not have before, and that stays
    clash: StackClash | None = None
    left: LeftBehind | None = None
    undeleted: Undeleted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsAgain:
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingBefore:
    """A first deployment: scaled to 0, and the evidence stays."""

    unproved: str  # a revision that ran before and was never proved; ""
    is_stopped: bool  # else tasks are still stopping


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackDenied:
    """The role may not ask ECS to go back."""

    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """What keeps the good revision from running."""

    revision: str
    cause: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsCouldNot:
    reason: Quoted
    why: WhyNot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackNotDone:
    """ECS goes on with the deployment of the last good revision."""

    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackFailed:
    """The last good revision fails too."""

    revision: str
    got_healthy: bool  # but did not keep running
    why: WhyNot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRefused:
    """AWS refused a step of the way back."""

    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUnknown:
    """AWS did not finish the rollback."""

    revision: str
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRolledOutAgain:
    revision: str
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckNotRestored:
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    at: datetime
    is_known: bool  # else it was only seen then


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthUnknown:
    error: Quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class WasDown:
    """No task was healthy from then until then."""

    since: Since
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServesAllTheSame:
    """The last good revision serves, though going back to it is called failed."""

    revision: str
    healthy: int
    desired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """The service is down, and bringing the last good revision back failed."""

    service: str
    since: Since
    revision: str
    tried: BackEnded
    health_path: str  # "" where nothing is asked


BackEnded: TypeAlias = (
    BareMessage
    | OvertakenBy
    | AsBefore
    | RunsAgain
    | NothingBefore
    | RollbackDenied
    | EcsCouldNot
    | BackNotDone
    | BackFailed
    | StepRefused
    | BackUnknown
    | NotRolledOutAgain
    | CheckNotRestored
    | Down
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackAndHealth:
    """How going back ended, and what users saw meanwhile."""

    ended: BackEnded
    health: WasDown | HealthUnknown | ServesAllTheSame


Message: TypeAlias = (
    StoppedBySignal
    | StateUnknown
    | NothingRan
    | NotDone
    | LeftFailed
    | NotBegun
    | InWorkflow
    | RunsAlready
    | CountAlready
    | CountChanged
    | BackEnded
    | BackAndHealth
)
