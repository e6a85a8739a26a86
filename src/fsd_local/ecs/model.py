"""The control plane's state, as plain mutable records. No behaviour, no I/O, no clock.

Instants are seconds since the epoch. Nested JSON (deployment configuration, load balancers …) is in
AWS's spelling and is replaced as a whole, never changed in place, so an answer may share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from fsd_local.ports import Alarm, TargetState

Json: TypeAlias = dict[str, Any]


class TaskStatus(StrEnum):
    """The life of a task.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DEACTIVATING = "DEACTIVATING"  # its targets drain
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


class StopCode(StrEnum):
    FAILED_TO_START = "TaskFailedToStart"
    CONTAINER_EXITED = "EssentialContainerExited"
    USER = "UserInitiated"
    SPOT = "SpotInterruption"
    SCHEDULER = "ServiceSchedulerInitiated"


class TaskHealth(StrEnum):
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


class RolloutState(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class ServiceDeploymentStatus(StrEnum):
    """Of a service deployment.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    SUCCESSFUL = "SUCCESSFUL"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATUSES


class Stage(StrEnum):
    """Of a service deployment whose strategy shifts traffic, in the order that they come in.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
    """

    RECONCILE_SERVICE = "RECONCILE_SERVICE"  # only where earlier revisions still have tasks
    PRE_SCALE_UP = "PRE_SCALE_UP"
    SCALE_UP = "SCALE_UP"
    POST_SCALE_UP = "POST_SCALE_UP"
    TEST_TRAFFIC_SHIFT = "TEST_TRAFFIC_SHIFT"
    POST_TEST_TRAFFIC_SHIFT = "POST_TEST_TRAFFIC_SHIFT"
    PRODUCTION_TRAFFIC_SHIFT = "PRODUCTION_TRAFFIC_SHIFT"
    POST_PRODUCTION_TRAFFIC_SHIFT = "POST_PRODUCTION_TRAFFIC_SHIFT"
    BAKE_TIME = "BAKE_TIME"
    CLEAN_UP = "CLEAN_UP"


FINAL_STATUSES = frozenset(
    {
        ServiceDeploymentStatus.STOPPED,
        ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL,
        ServiceDeploymentStatus.ROLLBACK_FAILED,
        ServiceDeploymentStatus.SUCCESSFUL,
    }
)


@dataclass(slots=True, kw_only=True)
class Cluster:
    name: str
    arn: str
    status: str = "ACTIVE"
    tags: dict[str, str] = field(default_factory=dict)
    settings: list[Json] = field(default_factory=list)
    configuration: Json | None = None
    capacity_providers: list[str] = field(default_factory=list)
    default_strategy: list[Json] = field(default_factory=list)
    namespace: str = ""  # ARN of the one that Service Connect uses without another


@dataclass(slots=True, kw_only=True)
class TaskDefinition:
    """`definition` is what DescribeTaskDefinition answers, less what changes."""

    arn: str
    family: str
    revision: int
    definition: Json
    registered_at: float
    status: str = "ACTIVE"  # INACTIVE, DELETE_IN_PROGRESS
    deregistered_at: float | None = None
    delete_requested_at: float | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def containers(self) -> list[Json]:
        found: list[Json] = self.definition["containerDefinitions"]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCheck:
    """A container's check; durations in seconds, not yet divided by speed."""

    command: tuple[str, ...]  # argv
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(slots=True, kw_only=True)
class TaskContainer:
    """One container of a task, with the state of its health check."""

    name: str
    image: str
    essential: bool
    id: str
    health_check: ContainerCheck | None = None
    digest: str = ""
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    health: TaskHealth = TaskHealth.UNKNOWN
    failures: int = 0  # consecutive failed checks
    next_check: float = 0.0
    is_checking: bool = False


@dataclass(slots=True, kw_only=True)
class Registration:
    """A task as a target of one target group."""

    target_group_arn: str
    port: int
    is_registered: bool = False
    is_deregistered: bool = False
    state: TargetState | None = None  # as last seen; None before the first look
    is_reported: bool = False  # the event about it being unhealthy is out


@dataclass(slots=True, kw_only=True)
class Task:
    id: str
    arn: str
    account: str
    region: str
    cluster: str
    cluster_arn: str
    task_definition: TaskDefinition
    group: str
    started_by: str
    created_at: float
    containers: list[TaskContainer]
    network: Json
    attachment_id: str
    eni_id: str
    mac_address: str
    launch_type: str = "FARGATE"
    capacity_provider: str = ""
    overrides: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    enable_execute_command: bool = False
    has_exec_agent: bool = False  # that is connected
    protected_until: float | None = None  # None: never protected
    registrations: list[Registration] = field(default_factory=list)
    desired_status: str = "RUNNING"
    status: TaskStatus = TaskStatus.PROVISIONING
    version: int = 1
    address: str = ""
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None  # None: it never reached RUNNING
    stopping_at: float | None = None
    stopped_at: float | None = None
    stop_code: StopCode | None = None
    stopped_reason: str = ""
    # The scheduler's own notes.
    deployment_id: str = ""  # "" for a task that no service runs
    revision_arn: str = ""
    was_healthy: bool = False
    is_silent: bool = False  # it is known to have opened no port yet
    listening_since: float | None = None
    is_counted: bool = False  # its end is accounted for
    failed_resolving: bool = False
    next_look: float = 0.0
    is_looked_at: bool = False

    @property
    def is_wanted(self) -> bool:
        return self.desired_status == "RUNNING"

    def is_protected(self, now: float) -> bool:
        """From a smaller count and from deployments; not from failing or from StopTask."""
        return self.protected_until is not None and now < self.protected_until

    @property
    def is_stopped(self) -> bool:
        return self.status is TaskStatus.STOPPED

    @property
    def is_starting(self) -> bool:
        return self.status in {TaskStatus.PROVISIONING, TaskStatus.PENDING}


@dataclass(slots=True, kw_only=True)
class Revision:
    """A service revision: all that a deployment deploys.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
    """

    arn: str
    task_definition: TaskDefinition
    created_at: float
    network: Json
    load_balancers: list[Json]
    platform_version: str
    settings: Json  # serviceRegistries, serviceConnectConfiguration … as in the API
    launch_type: str
    capacity_provider_strategy: list[Json]
    digests: dict[str, str] = field(default_factory=dict)  # container → sha256:…
    uses_alternate: bool = False  # its tasks are in the alternate target groups

    def target_group(self, balancer: Json) -> str:
        """The target group of its tasks, of an entry of `load_balancers`; "" for none."""
        advanced = balancer.get("advancedConfiguration") or {}
        group = advanced.get("alternateTargetGroupArn") if self.uses_alternate else None
        found: str = group or balancer.get("targetGroupArn", "")
        return found

    @property
    def is_resolved(self) -> bool:
        return all(container["name"] in self.digests for container in self.to_resolve)

    @property
    def to_resolve(self) -> list[Json]:
        """Containers whose image ECS turns into a digest before it starts more than one task."""
        return [
            container
            for container in self.task_definition.containers
            if container.get("versionConsistency") != "disabled"
        ]


@dataclass(slots=True, kw_only=True)
class Rollback:
    reason: str
    started_at: float
    revision_arn: str


@dataclass(slots=True, kw_only=True)
class Counts:
    requested: int
    running: int
    pending: int


class HookStatus(StrEnum):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHookDetail.html"""

    AWAITING_ACTION = "AWAITING_ACTION"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(slots=True, kw_only=True)
class HookRun:
    """One lifecycle hook at one stage of one service deployment."""

    id: str
    is_pause: bool  # else a Lambda function
    stage: str
    target_arn: str
    details: Json | None
    status: HookStatus
    expires_at: float
    timeout_action: str  # ROLLBACK, CONTINUE
    next_call: float
    is_called: bool = False  # at this moment
    reason: str = ""

    @property
    def is_pending(self) -> bool:
        return self.status in {HookStatus.AWAITING_ACTION, HookStatus.IN_PROGRESS}


@dataclass(slots=True, kw_only=True)
class Traffic:
    """How far a service deployment is that shifts traffic. Percentages are the target's."""

    stage: Stage | None = None
    since: float = 0.0  # when the stage, or the step of its traffic, began
    step: int = 0  # of the production traffic: one for BLUE_GREEN, several for the others
    production: float | None = None  # None: nothing was shifted yet
    test: float | None = None
    hooks: list[HookRun] = field(default_factory=list)  # of the stage, or of its step
    hooked: tuple[str, int] = ("", 0)  # the stage of hooks, and the step, that they are of


@dataclass(slots=True, kw_only=True)
class ServiceDeployment:
    """What List/DescribeServiceDeployments know: one UpdateService with all that it led to."""

    arn: str
    target: Revision
    sources: list[Revision]
    created_at: float
    updated_at: float
    configuration: Json
    status: ServiceDeploymentStatus = ServiceDeploymentStatus.PENDING
    reason: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    stopped_at: float | None = None
    rollback: Rollback | None = None
    is_breaker_triggered: bool = False
    failure_count: int = 0
    threshold: int = 0
    final_counts: dict[str, Counts] | None = None  # revision ARN → counts when it ended
    alarms: Mapping[str, Alarm] = field(default_factory=dict)  # as last seen, by name
    ignores_alarms: bool = False
    triggered_alarms: tuple[str, ...] = ()
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def shifts_traffic(self) -> bool:
        """BLUE_GREEN, LINEAR or CANARY. The service's own strategy may be another by now."""
        found: str = self.configuration["strategy"]
        return found != "ROLLING"


@dataclass(slots=True, kw_only=True)
class ServiceRollout:
    """One entry of `services[].deployments`; a rollback has its own."""

    id: str
    revision: Revision
    service_deployment: ServiceDeployment
    created_at: float
    updated_at: float
    reason: str
    status: str = "PRIMARY"  # ACTIVE
    rollout_state: RolloutState = RolloutState.IN_PROGRESS
    is_rollback: bool = False
    failed_tasks: int = 0
    resolve_failures: int = 0
    baking_since: float | None = None
    is_deadlock_told: bool = False


@dataclass(slots=True, kw_only=True)
class ServiceEvent:
    id: str
    at: float
    message: str


@dataclass(slots=True, kw_only=True)
class EcsServiceRecord:
    account: str
    region: str
    cluster: str
    cluster_arn: str
    name: str
    arn: str
    created_at: float
    task_definition: TaskDefinition
    desired_count: int
    configuration: Json  # deploymentConfiguration with every default in it
    network: Json
    load_balancers: list[Json]
    launch_type: str = "FARGATE"
    platform_version: str = "LATEST"
    status: str = "ACTIVE"  # DRAINING, INACTIVE
    grace_period: int | None = None
    propagate_tags: str = "NONE"
    enable_managed_tags: bool = False
    enable_execute_command: bool = False
    zone_rebalancing: str = "ENABLED"
    capacity_provider_strategy: list[Json] = field(default_factory=list)
    settings: Json = field(default_factory=dict)  # serviceRegistries … as in the API
    tags: dict[str, str] = field(default_factory=dict)
    client_token: str = ""
    creation: Json = field(default_factory=dict)  # the request, for its client token
    deployments: list[ServiceRollout] = field(default_factory=list)  # newest first
    service_deployments: list[ServiceDeployment] = field(default_factory=list)  # newest first
    revisions: dict[str, Revision] = field(default_factory=dict)  # by ARN
    last_completed: ServiceRollout | None = None
    events: list[ServiceEvent] = field(default_factory=list)  # newest first
    tasks: dict[str, Task] = field(default_factory=dict)  # until they are STOPPED and counted
    back_off_until: float = 0.0
    back_off_level: int = 0
    is_steady: bool = False
    next_poll: float = 0.0
    inactive_at: float | None = None

    @property
    def primary(self) -> ServiceRollout | None:
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)


@dataclass(slots=True, kw_only=True)
class Scope:
    """Everything of one account in one Region."""

    account: str
    region: str
    clusters: dict[str, Cluster] = field(default_factory=dict)  # by name
    deleted_clusters: dict[str, Cluster] = field(default_factory=dict)  # by name
    task_definitions: dict[str, dict[int, TaskDefinition]] = field(default_factory=dict)
    last_revision: dict[str, int] = field(default_factory=dict)  # family → last number given
    services: dict[tuple[str, str], EcsServiceRecord] = field(
        default_factory=dict
    )  # (cluster, name)
    tasks: dict[str, Task] = field(default_factory=dict)  # by id; stopped ones for an hour
    account_settings: dict[str, str] = field(default_factory=dict)
    run_tokens: dict[str, tuple[Json, list[Task]]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class State:
    scopes: dict[tuple[str, str], Scope] = field(default_factory=dict)

    def scope(self, account: str, region: str) -> Scope:
        key = (account, region)
        if key not in self.scopes:
            self.scopes[key] = Scope(account=account, region=region)
        return self.scopes[key]

    def services(self) -> Iterator[tuple[Scope, EcsServiceRecord]]:
        for scope in self.scopes.values():
            for service in scope.services.values():
                yield scope, service

    def tasks(self) -> Iterator[tuple[Scope, Task]]:
        for scope in self.scopes.values():
            for task in scope.tasks.values():
                yield scope, task
