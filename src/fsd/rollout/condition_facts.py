"""What a look at a service could not see, and what it saw besides faults. Values:
`fsd.report.condition_facts` has the words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from fsd.quoted import Quoted
from fsd.rollout.failure import Failure

# --- why nobody can say that the service is healthy ----------------------------------------------


class ReadPart(StrEnum):
    """What AWS was asked for."""

    DEPLOYMENTS = "deployments"
    STACK = "stack"
    TASKS = "tasks"
    STOPPED_TASKS = "stopped-tasks"
    TAGS = "tags"
    ALARMS = "alarms"  # by name
    RULE = "rule"  # of the load balancer, that traffic shifts by
    TARGETS = "targets"  # of target groups, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class CouldNotRead:
    part: ReadPart
    error: Quoted
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUnsaid:
    """A key that ECS's answer lacks."""

    key: str  # desiredCount


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusUnknown:
    status: str  # of the service, as ECS calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutUnsaid:
    """Old deployments have no state, and here not all tasks run."""

    running: int
    desired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsUnsaid:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StackUnsaid:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsUnsaid:
    names: tuple[str, ...]


Unknown: TypeAlias = (
    CouldNotRead
    | KeyUnsaid
    | StatusUnknown
    | RolloutUnsaid
    | TargetsUnsaid
    | StackUnsaid
    | AlarmsUnsaid
)

# --- what else was seen --------------------------------------------------------------------------


class BareNote(StrEnum):
    """Notes that have no values."""

    NO_TASK_SET = "no-task-set"
    ROLLOUT_IN_PROGRESS = "rollout-in-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedByOther:
    """Not by ECS: by task sets, whose deployments FSD does not judge."""

    controller: str  # CODE_DEPLOY, EXTERNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetSeen:
    revision: str  # "" where ECS does not name it
    status: str
    stability: str
    running: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindClassic:
    load_balancers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAndReplaced:
    """Tasks that ended by themselves in the last hour; others run in their place."""

    count: int
    last_at: datetime | None
    seen_at: datetime
    failure: Failure | None = None  # of the last one; None where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksStarting:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDrifted:
    name: str
    checked_at: datetime | None
    seen_at: datetime


ConditionNote: TypeAlias = (
    BareNote
    | DeployedByOther
    | TaskSetSeen
    | BehindClassic
    | EndedAndReplaced
    | TasksStarting
    | StackDrifted
    | CouldNotRead
)
