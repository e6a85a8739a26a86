"""What the scheduler decides, and what the engine must then do outside, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fsd_local.ecs.model import (
    Registration,
    ServiceDeploymentStatus,
    Stage,
    StopCode,
    Task,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTasks:
    deployment_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTasks:
    """Drain, then stop. ECS deregisters a task's targets before it sends SIGTERM."""

    task_ids: tuple[str, ...]
    reason: str
    code: StopCode = StopCode.SCHEDULER


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTask:
    """Drained: its containers may be stopped now."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetTask:
    """Over and accounted for: the scheduler has no more interest in it."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTargets:
    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkHealthy:
    """For the first time."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForTask:
    """A task ended, or will be stopped, for a fault of its own."""

    task_id: str
    is_failure: bool  # for the breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    until: float
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTarget:
    task_id: str
    target_group_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitEvent:
    message: str  # without the leading (service …)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellDeadlock:
    deployment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginServiceDeployment:
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetServiceDeployment:
    arn: str
    status: ServiceDeploymentStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailDeployment:
    """No more tasks are launched for it."""

    deployment_id: str
    reason: str
    is_breaker: bool
    alarms: tuple[str, ...] = ()  # that went off


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRollback:
    """A new deployment of the last completed revision, under the same service deployment."""

    deployment_id: str  # that is given up
    reason: str  # Rollback.reason
    rollout_reason: str  # rolloutStateReason of the new deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginBake:
    deployment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteDeployment:
    deployment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterStage:
    """Of the service deployment that the primary deployment is part of."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginHooks:
    """Of these stages, at a step of the production traffic."""

    stages: tuple[str, ...]
    speed: float
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOutHook:
    hook_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTraffic:
    """Percentages of the service deployment's target; its sources get the rest. None: as it is."""

    production: float | None = None
    test: float | None = None
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneDeployments:
    deployment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSteady:
    is_steady: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivate:
    """DRAINING → INACTIVE."""


Action: TypeAlias = (
    StartTasks
    | StopTasks
    | ReleaseTask
    | ForgetTask
    | RegisterTargets
    | MarkHealthy
    | AccountForTask
    | BackOff
    | ReportTarget
    | EmitEvent
    | TellDeadlock
    | BeginServiceDeployment
    | SetServiceDeployment
    | FailDeployment
    | BeginRollback
    | BeginBake
    | CompleteDeployment
    | EnterStage
    | BeginHooks
    | TimeOutHook
    | SetTraffic
    | PruneDeployments
    | SetSteady
    | Deactivate
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    task: Task
    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Deregister:
    task: Task
    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInRuntime:
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From now on a listener rule forwards by these weights, by target group."""

    rule_arn: str
    weights: Mapping[str, int]


Effect: TypeAlias = Launch | Register | Deregister | StopInRuntime | Shift
