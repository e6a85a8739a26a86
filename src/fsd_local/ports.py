"""The parts of the embedded AWS, as Protocols: the ECS control plane (`fsd_local.ecs`) decides, a
runtime (`fsd_local.runtime`) runs tasks, and MiniStack's other services are reached by the rest.

Implementations are thread-safe. Nothing here is AWS's public API; that is botocore's model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTarget:
    """awslogs of one container; the stream is `<prefix>/<container>/<task id>`."""

    account: str
    region: str
    group: str
    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLimit:
    name: str  # nofile
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLogin:
    """Of a private registry."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeMount:
    """`key` names the folder: the same for all that share it, in one task or, on EFS, in all."""

    key: str
    path: str
    is_read_only: bool
    is_kept: bool  # outlives the task


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Of a container that ends: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html"""

    attempt_period: float  # seconds that it has to have run, already divided by speed
    ignored_exit_codes: tuple[int, ...] = ()

    def applies(self, *, ran: float, exit_code: int | None) -> bool:
        """Whether a container that ran for so many seconds is started again."""
        return ran >= self.attempt_period and exit_code not in self.ignored_exit_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container of a task, with everything resolved: image by digest, secrets as values."""

    name: str
    image: str
    command: tuple[str, ...] | None
    entry_point: tuple[str, ...] | None
    environment: Mapping[str, str]  # secrets included; never log it
    working_directory: str | None
    user: str | None
    ports: tuple[int, ...]
    memory_mib: int | None  # hard limit
    essential: bool
    read_only_root: bool
    stop_timeout: float  # seconds, already divided by speed
    log: LogTarget | None
    ulimits: tuple[ResourceLimit, ...] = ()
    capabilities_added: tuple[str, ...] = ()
    capabilities_dropped: tuple[str, ...] = ()
    has_init: bool = False
    mounts: tuple[VolumeMount, ...] = ()
    depends_on: tuple[tuple[str, str], ...] = ()  # (container, START COMPLETE SUCCESS HEALTHY)
    check_command: tuple[str, ...] = ()  # argv of its health check
    labels: Mapping[str, str] = field(default_factory=dict)
    system_controls: Mapping[str, str] = field(default_factory=dict)  # sysctl name → value
    restart: RestartPolicy | None = None  # in place, without a new task
    login: RegistryLogin | None = None  # at the image's registry; None: as the runtime does itself


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    id: str  # 32 hex digits, as in the ARN
    account: str
    region: str
    cluster: str
    family: str
    revision: int
    containers: tuple[ContainerSpec, ...]
    namespace: str = ""  # of Service Connect
    known_names: tuple[str, ...] = ()  # names of that namespace that lead somewhere for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    name: str
    running: bool
    exit_code: int | None = None  # set once it has exited
    out_of_memory: bool = False
    # Whether its task has a port open; None: nobody can tell. It says nothing of the container.
    listens: bool | None = field(default=None, compare=False)


class LaunchError(Exception):
    """A task could not start. `reason` is in AWS's words (CannotPullContainerError: …)."""

    def __init__(self, reason: str, *, container: str = "", exit_code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container
        self.exit_code = exit_code


class Terminal(Protocol):
    """A program in a container on a terminal of its own. `read` is for one thread."""

    def read(self) -> bytes:
        """Blocks for the next output; b"" once the program is gone."""

    def write(self, content: bytes) -> None:
        """What is typed; nothing happens once the program is gone."""

    def resize(self, columns: int, rows: int) -> None: ...

    def close(self) -> None:
        """End the program, with all of its session."""


class Runtime(Protocol):
    """Runs tasks. All calls may block for the time that the engine takes; none waits for health."""

    @property
    def name(self) -> Literal["container", "process"]: ...

    def resolve(self, image: str, *, login: RegistryLogin | None = None) -> str:
        """The image's digest. Raises LaunchError (CannotPullContainerError …) if there is none."""

    def launch(self, task: TaskSpec) -> str:
        """Pull, create and start all containers; returns the task's own IPv4 address.

        All containers of a task share that address and localhost (awsvpc). Raises LaunchError,
        and then leaves nothing behind.
        """

    def inspect(self, task_id: str) -> Sequence[ContainerState]:
        """() once the task is removed."""

    def execute(self, task_id: str, container: str, command: Sequence[str], timeout: float) -> int:
        """Run a health check's argv in the container; its exit code, 124 after the timeout."""

    def open_terminal(self, task_id: str, container: str, command: Sequence[str]) -> Terminal:
        """Start a program in a running container. Raises LaunchError."""

    def set_names(self, namespace: str, names: Mapping[str, Sequence[str]]) -> None:
        """Where the names of a namespace lead from now on, for tasks that know them."""

    def stop(self, task_id: str) -> Sequence[ContainerState]:
        """SIGTERM, SIGKILL after stop_timeout, remove; the final states. Unknown task: ()."""

    def close(self) -> None:
        """Stop and remove everything that this runtime started."""


class LogSink(Protocol):
    def exists(self, target: LogTarget) -> bool:
        """Whether the log group is there."""

    def write(self, target: LogTarget, lines: Sequence[tuple[int, str]]) -> None:
        """(milliseconds since the epoch, text). Creates the stream, even for no lines. Without the
        group, nothing."""


class SecretError(Exception):
    """A secret could not be read; the text is what ECS puts behind ResourceInitializationError."""


class Secrets(Protocol):
    def resolve(self, value_from: str, *, account: str, region: str) -> str:
        """Secrets Manager ARN (with :json-key:stage:version) or SSM ARN/name → value."""

    def log_in(self, secret: str, *, account: str, region: str) -> RegistryLogin | None:
        """What a secret, by ARN or name, says for a registry; None for one that was made up.
        Raises SecretError."""

    def read_file(self, arn: str, *, account: str, region: str) -> str:
        """The text of an environment file in S3. Raises SecretError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """One of the two roles of a task, as the task has it."""

    role_arn: str
    task_id: str
    task_arn: str
    account: str
    region: str


class RoleError(Exception):
    """IAM says no; the text is the service's own, with its error code."""


class TaskRoles(Protocol):
    """The roles of tasks. Where IAM is not enforced, no check ever raises."""

    def assume(self, session: RoleSession) -> None:
        """Raises RoleError where ECS could not assume it: absent, or it does not trust ECS."""

    def check_registry(self, session: RoleSession, image: str) -> None:
        """Whether it may log in where the image is. Raises RoleError."""

    def check_image(self, session: RoleSession, image: str) -> None:
        """Whether it may pull the image. Raises RoleError."""

    def check_secret(self, session: RoleSession, value_from: str) -> None:
        """Raises RoleError."""

    def check_file(self, session: RoleSession, arn: str) -> None:
        """Whether it may read an environment file. Raises RoleError."""

    def check_stream(self, session: RoleSession, target: LogTarget) -> None:
        """Whether it may create the stream. Raises RoleError."""

    def may_write(self, session: RoleSession, target: LogTarget) -> bool:
        """Whether its lines arrive."""

    def may_open_channels(self, session: RoleSession) -> bool:
        """Whether ECS Exec's agent connects with it."""

    def environment(self, session: RoleSession) -> Mapping[str, str]:
        """Where a container of the task finds AWS and the role's credentials."""

    def end(self, task_id: str) -> None:
        """The task is over, and its credentials are no longer handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    state: str  # initial healthy unhealthy draining unused
    reason: str = ""  # Target.ResponseCodeMismatch …
    description: str = ""  # Health checks failed with these codes: [500]


class LoadBalancers(Protocol):
    """The target groups. Health checks run behind this port, by real HTTP, while registered."""

    def exists(self, target_group_arn: str) -> bool: ...

    def is_attached(self, target_group_arn: str) -> bool:
        """Whether a listener (rule) forwards to it."""

    def target_type(self, target_group_arn: str) -> str:
        """ip, instance, lambda, alb; "" where there is no such group."""

    def register(self, target_group_arn: str, address: str, port: int) -> None: ...

    def deregister(self, target_group_arn: str, address: str, port: int) -> None:
        """Starts draining; `state` says `unused` when the deregistration delay is over."""

    def state(self, target_group_arn: str, address: str, port: int) -> TargetState: ...

    def weights(self, rule_arn: str) -> Mapping[str, int] | None:
        """What a listener rule forwards to, by target group; None where there is no such rule."""

    def shift(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        """The rule forwards so from now on. A rule that is gone is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A CloudWatch alarm as it is now."""

    state: str  # OK ALARM INSUFFICIENT_DATA
    window: float = 0.0  # seconds of data that it judges; 0 for a composite alarm


class HookError(Exception):
    """A lifecycle hook's function could not be invoked; the text is ECS's reason."""


class LambdaHooks(Protocol):
    """The Lambda functions that lifecycle hooks call."""

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its answer; blocks as long as it runs. Raises HookError."""

    def stop(self) -> None:
        """End what runs."""


class Alarms(Protocol):
    def read(self, names: Sequence[str], *, account: str, region: str) -> Mapping[str, Alarm]:
        """By name, those that exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A CloudWatch metric and the statistic of it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Average"
    unit: str = ""  # "" any
    is_shared: bool = False  # among the tasks: it is the number of messages, not that for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The newest period of a metric that has data."""

    value: float
    version: object  # another one as soon as somebody puts more data


class MetricSource(Alarms, Protocol):
    """CloudWatch as Application Auto Scaling uses it."""

    def put_alarm(self, body: Mapping[str, Any], *, account: str, region: str) -> None:
        """As PutMetricAlarm; an alarm that is there keeps its state."""

    def delete_alarms(self, names: Sequence[str], *, account: str, region: str) -> None: ...

    def measure(self, metric: Metric, *, account: str, region: str) -> Measured | None:
        """None where there is no data of the last minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    vpc: str
    zone: str  # us-east-1a


class Surroundings(Protocol):
    """What a service or a task may name beside ECS, in the caller's account and Region."""

    def subnets(self, ids: Sequence[str], *, account: str, region: str) -> Mapping[str, Subnet]:
        """Those that exist."""

    def security_groups(
        self, ids: Sequence[str], *, account: str, region: str
    ) -> Mapping[str, str]:
        """Id → VPC, of those that exist."""

    def has_registry(self, arn: str, *, account: str, region: str) -> bool:
        """A Cloud Map service."""

    def namespace(self, name_or_arn: str, *, account: str, region: str) -> str:
        """The ARN of a Cloud Map namespace; "" where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What the control plane works with."""

    runtime: Runtime
    logs: LogSink
    secrets: Secrets
    roles: TaskRoles
    load_balancers: LoadBalancers
    alarms: Alarms
    surroundings: Surroundings
    hooks: LambdaHooks


class SimulatedClock(Protocol):
    def time(self) -> float:
        """Seconds since the epoch, in the simulation's sense (tests inject their own)."""
