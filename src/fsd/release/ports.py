"""What a release needs of AWS, as Protocols. `fsd.aws` implements them; tests use fakes.

Every method may raise `CallFailedError` (with AWS's code and message, and the resource), and
`Throttled` where a later look is the answer. Nothing here retries or sleeps: botocore retries a
call, the watcher decides when to look again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from fsd.compile.desired import Json, Scaling, ScheduledBounds
from fsd.errors import CallFailedError, ErrorCode
from fsd.plan.moved_check import TargetCheck
from fsd.plan.observed import OldSchedule
from fsd.plan.reality import Seen
from fsd.release.image_scan import ScanResult
from fsd.release.log_places import LogRoutes, log_routes
from fsd.release.reads import ONE_BY_ONE, Reads
from fsd.snapshot import (
    ServiceDeployment,
    ServiceState,
    StackLook,
    StoppedTask,
    TargetHealth,
    TaskState,
)


class Throttled(CallFailedError):
    """AWS asks to come back later; never a failure of the deployment."""

    default_code = ErrorCode.THROTTLED
    may_pass = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A CloudFormation stack. Absent and REVIEW_IN_PROGRESS read as None where it is returned."""

    name: str
    id: str
    status: str
    template: Json
    outputs: Mapping[str, str]
    tags: Mapping[str, str]
    status_reason: str = ""
    change: str = ""  # names the last one; "" where the template may not be as that one left it
    undeleted: tuple[str, ...] = ()  # `<logical name> <id>`: out of the stack, and still there


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    path: str  # /SecurityGroupIngress/0/CidrIp
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A resource that is not as the stack's template says."""

    resource: str  # logical name
    type: str
    is_gone: bool
    differences: tuple[Deviation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDrift:
    drifted: tuple[Drifted, ...] = ()
    unchecked: tuple[str, ...] = ()  # logical names of what CloudFormation could not compare
    is_complete: bool = True  # False: a resource that could not be read is in neither list
    reason: str = ""  # its words, where it could not compare all


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    arn: str
    family: str
    revision: int
    status: str  # ACTIVE | INACTIVE
    definition: Json  # as DescribeTaskDefinition answers, read-only keys removed
    tags: Mapping[str, str]
    registered_at: datetime | None = None

    @property
    def log_routes(self) -> LogRoutes:
        """As its Region's logs have them, which its ARN names."""
        region = "".join(self.arn.split(":")[3:4])
        return log_routes(self.definition, region=region)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingState:
    """A registered scalable target with the policies that FSD made, and with those of others."""

    scaling: Scaling
    policy_names: tuple[str, ...]
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    name: str
    arn: str
    tags: Mapping[str, str]
    services: int = 0
    tasks: int = 0
    namespace: str = ""  # ARN of the one that Service Connect uses without another
    capacity_providers: frozenset[str] = frozenset()


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""

    def wait(self, duration: timedelta) -> None:
        """Sleep; raises `Interrupted` at once when a signal comes."""

    def limit(self, duration: timedelta) -> AbstractContextManager[None]:
        """What is not over by then raises CallFailedError: AWS may not answer at all."""


# The template of a stack by its `change`; None where it has to be read.
KnownTemplate: TypeAlias = Callable[[str], Json | None]


class Stacks(Protocol):
    def find(self, name: str, *, known: KnownTemplate | None = None) -> Stack | None: ...

    def look(self, name: str) -> StackLook | None:
        """In whatever state; None where there is no stack of that name."""

    def apply(self, name: str, *, template: Json, tags: Mapping[str, str]) -> Stack:
        """Create or update by change set and wait; an unchanged template answers at once.

        A stack in ROLLBACK_COMPLETE (first creation failed) is deleted and made anew; an operation
        in flight is waited for. Raises CallFailedError with the first failed resource's reason.
        """

    def merge(self, name: str, *, make: Callable[[Json], Json], tags: Mapping[str, str]) -> Stack:
        """`apply` what `make` makes of the stack's template, {} where there is none.

        It is asked once nothing is in flight, and again where another run was faster: so that
        what several services set in one stack stays.
        """

    def return_traffic(self, name: str, *, group: str) -> None:
        """Have the stack's production rule send all requests to the target group of that ARN, and
        wait. Raises CallFailedError."""

    def delete(self, name: str) -> None:
        """Delete and wait; absent is fine."""

    def drift(self, name: str) -> StackDrift:
        """Compare every resource with the template, and wait. The stack must exist."""


class Reality(Protocol):
    def look(self, stack: Stack, *, targets: Sequence[TargetHealth] = ()) -> Seen:
        """Of the stack's resources, what a rollout needs; what may not be looked at is unknown.

        `targets` are those of the stack's target group as ELB has just shown them: where one is
        asked for its health, the group, its load balancer and a listener are there.
        """


class Ecs(Protocol):
    def find_cluster(self, name: str) -> Cluster | None: ...

    def create_cluster(self, name: str, *, tags: Mapping[str, str]) -> None: ...

    def prepare_cluster(self, name: str, *, namespace: str, providers: Sequence[str]) -> None:
        """Give it a namespace ("" leaves it alone) and capacity providers, beside its own."""

    def delete_cluster(self, name: str) -> None: ...

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        """None where it is missing or INACTIVE."""

    def service_names(self, cluster: str) -> Sequence[str]:
        """Of all services in the cluster, sorted; () where there is no such cluster."""

    def find_services(self, cluster: str, names: Sequence[str]) -> Sequence[ServiceState]:
        """Without those that are missing or INACTIVE."""

    def register(self, definition: Json, *, tags: Mapping[str, str]) -> TaskDefinition: ...

    def find_task_definition(self, arn: str) -> TaskDefinition | None:
        """By ARN or family:revision, with its tags; INACTIVE ones are found too."""

    def find_newest_revision(self, family: str) -> TaskDefinition | None:
        """The newest ACTIVE one, with its tags."""

    def list_task_definitions(self, family: str) -> Sequence[str]:
        """ARNs of ACTIVE revisions of exactly this family, newest first."""

    def deregister(self, arn: str) -> None:
        """ACTIVE → INACTIVE; what runs it goes on."""

    def tag_task_definition(self, arn: str, *, tags: Mapping[str, str]) -> None:
        """Add to its tags, or change those of the same name."""

    def service_revision(self, arn: str) -> Json:
        """What a service revision was deployed with, as UpdateService takes it: its network and its
        load balancers. {} where ECS has forgotten it."""

    def tag_service(self, arn: str, *, tags: Mapping[str, str]) -> None:
        """Add to its tags, or change those of the same name."""

    def delete_task_definitions(self, family: str) -> int:
        """Deregister and delete every revision of exactly this family; how many there were."""

    def create_service(self, parameters: Json) -> ServiceState: ...

    def update_service(self, parameters: Json) -> ServiceState: ...

    def delete_service(self, cluster: str, name: str) -> None:
        """Scale to 0, delete with force; returns once it is INACTIVE. Absent is fine."""

    def service_deployment_arns(self, cluster: str, service: str) -> Sequence[str]:
        """ARNs in every status, newest first. Raises PermissionDenied where the API is denied."""

    def newest_deployments(
        self, cluster: str, service: str, *, limit: int
    ) -> tuple[Sequence[str], Sequence[ServiceDeployment]]:
        """All ARNs as above, and of the newest `limit` what the list says: ARN, times, status, its
        reason and the task definition. Fewer calls than `service_deployments`."""

    def service_deployments(self, arns: Sequence[str]) -> Sequence[ServiceDeployment]:
        """With the target revision's task definition resolved; missing ones are left out."""

    def stop_service_deployment(self, arn: str) -> bool:
        """StopServiceDeployment(ROLLBACK). False where it is over already (ConflictException)."""

    def continue_service_deployment(self, arn: str, *, hook: str, goes_on: bool) -> None:
        """Answer the hook at which it pauses: ECS goes on, or rolls back."""

    def run_task(self, parameters: Json) -> str:
        """The id of the one task that it started."""

    def find_task(self, cluster: str, task: str) -> TaskState | StoppedTask | None: ...

    def stop_task(self, cluster: str, task: str, *, reason: str) -> None:
        """One that has stopped, or is gone, is fine."""

    def stopped_tasks(self, cluster: str, service: str) -> Sequence[StoppedTask]: ...

    def log_routes(self, task_definition_arn: str) -> LogRoutes:
        """Where its tasks write. Empty where it was deleted."""

    def tasks(self, cluster: str, service: str) -> Sequence[TaskState]:
        """Those that should run: PROVISIONING … RUNNING."""

    def all_tasks(
        self, cluster: str, service: str
    ) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        """`tasks` and `stopped_tasks`, with a call less."""

    def runs(self, cluster: str, family: str) -> tuple[Sequence[TaskState], Sequence[StoppedTask]]:
        """The same of a family, whatever started them: those of a Job.

        ECS knows a task that has stopped for about an hour.
        """


class RevisionInactive(CallFailedError):
    """The task definition's revision was deregistered, so that no service may use it."""


class PermissionDenied(CallFailedError):
    default_code = ErrorCode.ACCESS_DENIED


class TargetGroupGone(CallFailedError):
    """It was there, and somebody has removed it."""

    default_code = ErrorCode.TARGET_GROUP_MISSING


class Targets(Protocol):
    def health(self, target_group_arn: str) -> Sequence[TargetHealth]: ...

    def weights(self, rule_arn: str) -> Mapping[str, int]:
        """Of the target groups that a listener rule forwards to; {} where there is no such rule.
        Raises CallFailedError for every other answer: then nothing is known."""

    def find_health(self, target_group_arn: str) -> Sequence[TargetHealth] | None:
        """None where there is no such target group."""


class Probes(Protocol):
    """Target groups that exist only to ask running tasks a health check that is not theirs yet."""

    def start(
        self,
        name: str,
        *,
        like: str,
        check: TargetCheck,
        targets: Sequence[TargetHealth],
        tags: Mapping[str, str],
    ) -> str:
        """Ask the targets what `check` asks, and return the ARN of the probe's target group.

        `like` is the ARN of their target group: the probe stands beside it on its load balancer,
        behind a rule that no request matches. The name is this try's own.

        Raises TargetGroupGone where somebody removes the probe meanwhile.
        """

    def names(self, prefix: str) -> Sequence[str]:
        """Of all target groups of the Region that begin with it. One call for each 400."""

    def remove(self, name: str) -> bool:
        """With its rules. False where there was none."""


class ScalingPort(Protocol):
    def find(self, cluster: str, service: str) -> ScalingState | None: ...

    def apply(self, cluster: str, service: str, scaling: Scaling) -> None: ...

    def scheduled_actions(self, cluster: str, service: str) -> Sequence[str]:
        """The names of those that FSD did not make. They go with the target."""

    def find_schedules(self, cluster: str, service: str) -> tuple[ScheduledBounds, ...]:
        """Those that FSD made, by name."""

    def end_schedules(self, cluster: str, service: str, names: Sequence[str]) -> None:
        """Delete these of FSD's. What is gone already is fine."""

    def end_policies(self, cluster: str, service: str) -> None:
        """Delete the policies that FSD made; the target and the policies of others stay."""

    def remove(self, cluster: str, service: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSchedule:
    """A schedule of EventBridge Scheduler, with what it starts."""

    name: str
    parameters: Json  # as GetSchedule answers, without what only AWS says
    task_definition_arn: str
    cluster: str  # the name
    changed_at: datetime | None = None


class Schedules(Protocol):
    """EventBridge Scheduler, in its group `default`."""

    def find(self, name: str) -> JobSchedule | None: ...

    def names(self, cluster: str) -> Sequence[str]:
        """Of those that start tasks in this cluster, by name."""

    def put(self, parameters: Json) -> None:
        """Create it, or change all of it in one call."""

    def delete(self, name: str) -> bool:
        """False where there was none."""

    def find_old(self, arn: str) -> OldSchedule | None:
        """One that another tool made: a rule of EventBridge, or a schedule of any group."""

    def switch_old(self, arn: str, *, is_on: bool) -> None:
        """Enable or disable it; all else stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    at: datetime
    text: str
    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    name: str
    state: str  # OK | ALARM | INSUFFICIENT_DATA
    reason: str  # CloudWatch's own words for it


class AlarmsPort(Protocol):
    def find(self, names: Sequence[str]) -> Sequence[AlarmState]:
        """CloudWatch alarms, metric and composite ones; those that do not exist are left out."""


class LogsPort(Protocol):
    def tail(self, group: str, stream: str, limit: int) -> Sequence[LogLine]:
        """The last lines of one stream, oldest first; () where it does not exist (yet)."""

    def since(self, group: str, start: datetime, prefix: str = "") -> Sequence[LogLine]:
        """All streams (below the prefix), oldest first; () where there is no such group."""

    def has_group(self, name: str) -> bool:
        """True also where the role may not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    name: str
    uri: str  # always the API's answer, never composed
    arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryImage:
    digest: str
    tags: frozenset[str] = frozenset()


class Registry(Protocol):
    """ECR. `fsd.image` needs `login` as well."""

    def find_repository(self, name: str) -> Repository | None: ...

    def create_repository(self, name: str, *, tags: Mapping[str, str]) -> Repository: ...

    def delete_repository(self, name: str) -> None:
        """With its images; absent is fine."""

    def read_tags(self, repository: Repository) -> Mapping[str, str]: ...

    def find_image(
        self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
    ) -> RegistryImage | None:
        """In this account and Region, or in another, whose answer may be a refusal."""

    def tag_digest(self, repository: str, *, digest: str, tag: str) -> None:
        """Put one more tag on an image; the same tag on the same digest is fine."""

    def login(self) -> tuple[str, str, str]:
        """(user, password, registry endpoint) for docker and for the registry's HTTP API."""


class ImageScans(Protocol):
    """ECR's scans for vulnerabilities, in this account and Region."""

    def find_platform(self, repository: str, digest: str, *, architecture: str) -> str | None:
        """Digest of the image for `architecture` in an index, None where the index has none;
        `digest` where it is no index."""

    def find_scan(self, repository: str, digest: str) -> ScanResult | None:
        """None where ECR has not begun one."""

    def start_scan(self, repository: str, digest: str) -> ScanResult:
        """One of basic scanning; where Amazon Inspector scans, it begins by itself.

        What ECR answers: that it runs, that the image is none that it scans, or with status ""
        that it begins none, and why.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    vpc_id: str
    vpc_cidr: str
    private_subnets: tuple[str, ...]
    public_subnets: tuple[str, ...]
    how: str  # "tag fsd:environment=dev", "default VPC" …, for the report
    is_default: bool = False


class Networks(Protocol):
    def find(
        self, environment: str, *, vpc_id: str | None, with_subnets: bool = True
    ) -> Network | None:
        """Without subnets: for who names them all, and needs only the VPC itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    account: str
    region: str
    partition: str
    arn: str  # of the caller; "" where an ARN of something else has said the account


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRead:
    """A service as it was read before its place was known for certain."""

    cluster: str
    name: str
    service: ServiceState | None  # None where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecContainer:
    name: str
    runtime_id: str
    agent: str  # the status of ECS Exec's agent: PENDING, RUNNING, STOPPED; "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecTask:
    """A task that runs."""

    id: str
    started_at: datetime | None
    is_enabled: bool  # for ECS Exec, when it was started
    task_definition_arn: str = ""
    containers: tuple[ExecContainer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSession:
    """What ExecuteCommand answers: whoever has the token has the session."""

    id: str
    stream_url: str
    token: str = field(repr=False)
    target: str  # ecs:CLUSTER_TASK_RUNTIME


class ExecSessions(Protocol):
    """ECS Exec."""

    def running_tasks(
        self, cluster: str, service: str, *, is_job: bool = False
    ) -> Sequence[ExecTask]:
        """Of a Job those of its family, whatever started them."""

    def open(
        self, cluster: str, task: ExecTask, container: ExecContainer, command: str
    ) -> ExecSession: ...

    def session_manager_url(self) -> str:
        """Where a session that broke off is resumed."""

    def key(self) -> Mapping[str, str]:
        """The key that resumes it: the variables that AWS's programs read, with their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """Everything that a release may call; built by `fsd.cli.wiring`."""

    identity: Identity
    stacks: Stacks
    reality: Reality
    ecs: Ecs
    targets: Targets
    probes: Probes
    scaling: ScalingPort
    schedules: Schedules
    alarms: AlarmsPort
    logs: LogsPort
    registry: Registry
    scans: ImageScans
    networks: Networks
    exec_sessions: ExecSessions
    reads: Reads = ONE_BY_ONE
