"""What one look at a service shows, as frozen values in ECS's own words.

Below `plan` and `rollout`, which both read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeploymentStatus(StrEnum):
    """ServiceDeploymentStatus of the ECS API, and UNKNOWN for one that this version does not know.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    STOP_REQUESTED = "STOP_REQUESTED"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    STOPPED = "STOPPED"
    SUCCESSFUL = "SUCCESSFUL"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def _missing_(cls, value: object) -> DeploymentStatus:
        """A status that ECS may add is no end, and no error."""
        del value
        return cls.UNKNOWN

    @property
    def is_final(self) -> bool:
        return self in {
            DeploymentStatus.STOPPED,
            DeploymentStatus.SUCCESSFUL,
            DeploymentStatus.ROLLBACK_SUCCESSFUL,
            DeploymentStatus.ROLLBACK_FAILED,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleHook:
    """A hook of a deployment's lifecycle; one that awaits action holds the deployment.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
    """

    id: str
    status: str  # AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT
    expires_at: datetime | None = None
    timeout_action: str = ""  # ROLLBACK, CONTINUE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeployment:
    arn: str
    status: DeploymentStatus
    task_definition_arn: str  # of the target revision
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    status_reason: str = ""
    requested: int = 0
    running: int = 0
    pending: int = 0
    source_running: int = 0  # tasks of all source revisions
    breaker_status: str = ""  # TRIGGERED, MONITORING, MONITORING_COMPLETE, DISABLED
    failure_count: int = 0
    failure_threshold: int = 0
    alarm_status: str = ""  # TRIGGERED, MONITORING, MONITORING_COMPLETE, DISABLED
    alarms: tuple[str, ...] = ()
    triggered_alarms: tuple[str, ...] = ()
    rollback_reason: str = ""
    updated_at: datetime | None = None
    lifecycle_stage: str = ""
    traffic: float | None = None  # percent that the target revision has; None: none shifts
    hooks: tuple[LifecycleHook, ...] = ()
    revision_arn: str = ""  # of the target service revision

    @property
    def awaits(self) -> LifecycleHook | None:
        """The hook at which somebody must act before ECS goes on."""
        return next((hook for hook in self.hooks if hook.status == "AWAITING_ACTION"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsDeployment:
    """An entry of `services[].deployments`."""

    id: str
    status: str  # PRIMARY, ACTIVE, INACTIVE
    task_definition_arn: str
    rollout_state: str = ""  # COMPLETED, FAILED, IN_PROGRESS
    rollout_state_reason: str = ""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed_tasks: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet:
    """An entry of `services[].taskSets`: what CODE_DEPLOY and EXTERNAL controllers deploy."""

    id: str
    status: str  # PRIMARY, ACTIVE, DRAINING
    task_definition_arn: str
    stability: str = ""  # STEADY_STATE, STABILIZING
    running: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    id: str
    at: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """One entry of DescribeServices."""

    name: str
    arn: str
    cluster: str
    status: str  # ACTIVE, DRAINING
    task_definition_arn: str
    desired: int
    running: int
    pending: int
    deployments: tuple[EcsDeployment, ...]
    target_group_arns: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False
    exec: bool = False  # ECS Exec
    connect: dict[str, object] = field(default_factory=dict)  # serviceConnectConfiguration
    capacity: tuple[Mapping[str, object], ...] = ()  # capacityProviderStrategy
    grace_period: int | None = None
    container_port: int | None = None
    container_name: str = ""  # behind the load balancer
    deployment_configuration: dict[str, object] = field(default_factory=dict)
    current_deployment_arn: str = ""
    events: tuple[Event, ...] = ()  # newest first, at most 100
    tags: tuple[tuple[str, str], ...] = ()
    launch_type: str = ""  # FARGATE, EC2, EXTERNAL; "" with capacity providers
    capacity_providers: tuple[str, ...] = ()
    scheduling: str = ""  # REPLICA, DAEMON
    controller: str = ""  # ECS, CODE_DEPLOY, EXTERNAL; "" in old answers, which means ECS
    task_sets: tuple[TaskSet, ...] = ()
    # One tuple a load balancer: its target group, with the alternate one of a blue/green service.
    target_groups: tuple[tuple[str, ...], ...] = ()
    production_rule: str = ""  # ARN: what divides requests between the two of a pair
    load_balancers: tuple[Mapping[str, object], ...] = ()  # as ECS says them, and takes them
    classic_load_balancers: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()  # CloudWatch's, that may end a deployment; () where not enabled
    unsaid: frozenset[str] = frozenset()  # keys that the answer should have and has not

    @property
    def primary(self) -> EcsDeployment | None:
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def shifts_traffic(self) -> bool:
        """BLUE_GREEN, CANARY or LINEAR: its next deployment does."""
        return self.deployment_configuration.get("strategy", "ROLLING") != "ROLLING"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """A task that should run."""

    id: str  # the last part of its ARN
    task_definition_arn: str
    last_status: str
    health: str = "UNKNOWN"  # HEALTHY, UNHEALTHY, UNKNOWN
    address: str = ""
    started_at: datetime | None = None
    started_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedContainer:
    name: str
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedTask:
    id: str
    task_definition_arn: str
    stop_code: str
    stopped_reason: str
    started_by: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None  # None: it never reached RUNNING
    stopped_at: datetime | None = None
    containers: tuple[StoppedContainer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    address: str
    port: int
    state: str  # initial, healthy, unhealthy, draining, unused, unavailable
    reason: str = ""
    description: str = ""
    check_port: int | None = None  # where the health check asks; None: not said

    @property
    def asked_port(self) -> int:
        return self.check_port or self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class StackLook:
    """What CloudFormation says of a stack, in whatever state it is."""

    name: str
    status: str
    reason: str = ""  # of the resource that failed first, where the status tells of a failure
    outputs: tuple[tuple[str, str], ...] = ()
    drift: str = ""  # DRIFTED, IN_SYNC, NOT_CHECKED, UNKNOWN
    drift_checked_at: datetime | None = None

    @property
    def is_broken(self) -> bool:
        """The last operation failed and left less than a stack, or one that nobody can change.

        UPDATE_ROLLBACK_COMPLETE is none: everything is as it was before.
        """
        return self.status.endswith("_FAILED") or self.status in {
            "ROLLBACK_COMPLETE",
            "ROLLBACK_IN_PROGRESS",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that one look saw. Evidence is empty where it was not fetched this time."""

    service: ServiceState | None
    deployment: ServiceDeployment | None  # ours, by ARN
    newer: ServiceDeployment | None = None  # a later one than ours
    tasks: tuple[TaskState, ...] = ()
    stopped: tuple[StoppedTask, ...] = ()  # of our revision
    events: tuple[Event, ...] = ()
    targets: tuple[TargetHealth, ...] = ()
