"""Settings of a container that most services leave alone, in the words of a task definition.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from typing import Annotated, Literal

from fsd.manifest.section import Limits, key, section

TAG_VALUE_PATTERN = r"^[\w .:/=+@-]*$"
RELATIVE_PATH_PATTERN = r"^[^/\\]"
STAGE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
BUILD_SECRET_PATTERN = r"^[a-z]+="
DIRECTORY_PATTERN = r"^/[!-~]*$"
RelativePath = Annotated[str, Limits(pattern=RELATIVE_PATH_PATTERN, max_length=1024)]
ENVIRONMENT_FILE_PATTERN = r"^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]+/.*\.env$"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
CREDENTIALS_PATTERN = (
    r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$"
)
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
NAMESPACE_PATTERN = (
    r"^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)"
    r"|fs\.mqueue\.[a-z0-9_]+|net\.[A-Za-z0-9_./-]+)$"
)
ROLE_PATTERN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"
BOUNDARY_PATTERN = r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$"
EnvironmentFile = Annotated[str, Limits(pattern=ENVIRONMENT_FILE_PATTERN)]
RegistryCredentials = Annotated[str, Limits(pattern=CREDENTIALS_PATTERN)]
# Rules with a schedule are on the bus `default` only, whose name their ARN does not have.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
OLD_SCHEDULE_PATTERN = (
    r"^arn:aws[a-z-]*:(events:[a-z0-9-]+:[0-9]{12}:rule|scheduler:[a-z0-9-]+:[0-9]{12}:schedule"
    r"/[A-Za-z0-9_.-]{1,64})/[A-Za-z0-9_.-]{1,64}$"
)
RoleArn = Annotated[str, Limits(pattern=ROLE_PATTERN)]
CRON_PATTERN = r"^(cron\([^()]+\)|[^()]+)$"
ZONE_PATTERN = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
DURATION_PATTERN = r"^[1-9][0-9]{0,4}[smh]$"
Duration = Annotated[str, Limits(pattern=DURATION_PATTERN)]
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
PORT_NAME_PATTERN = r"^[a-z0-9_][a-z0-9_-]*$"
PortProtocol = Literal["http", "http2", "grpc", "tcp"]
HOST_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
MOUNT_PATTERN = r"^/[!-~]+$"
FILE_SYSTEM_PATTERN = r"^fs-[0-9a-f]{8,40}$"
ACCESS_POINT_PATTERN = r"^fsap-[0-9a-f]{8,40}$"
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
SecurityGroupId = Annotated[str, Limits(pattern=r"^sg-[0-9a-f]{8,17}$")]
SecurityGroupIds = Annotated[tuple[SecurityGroupId, ...], Limits(min_length=1, max_length=5)]
SubnetId = Annotated[str, Limits(pattern=r"^subnet-[0-9a-f]{8,17}$")]
MountPath = Annotated[str, Limits(pattern=MOUNT_PATTERN, max_length=1024)]
VariableName = Annotated[str, Limits(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
# ContainerCondition of the ECS API.
Condition = Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]
ContainerName = Annotated[str, Limits(pattern=HOST_PATTERN, max_length=255)]
TagValue = Annotated[str, Limits(pattern=TAG_VALUE_PATTERN, max_length=256)]
Limit = Annotated[int, Limits(ge=0, le=2_147_483_647)]

# UlimitName of the ECS API.
UlimitName = Literal[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
]


def seconds_of(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


@section
class Ulimit:
    name: UlimitName = key(
        description="The limit, as in setrlimit(2). `nofile` is the number of open files."
    )
    soft_limit: Limit = key(description="The limit that a process starts with.")
    hard_limit: Limit = key(description="The value to which a process may raise its limit.")


@section
class Capabilities:
    add: tuple[Literal["SYS_PTRACE"], ...] = key(
        default=(), description="Capabilities to add. Fargate allows SYS_PTRACE only."
    )
    drop: tuple[str, ...] = key(
        default=(),
        description="Capabilities to drop, without `CAP_`, or `ALL`.",
        examples=(("NET_RAW",),),
    )


@section
class SystemControl:
    """A setting of the kernel, as sysctl names it."""

    namespace: Annotated[str, Limits(pattern=NAMESPACE_PATTERN)] = key(
        description="The setting's name: `net.…`, `fs.mqueue.…`, or one of `kernel.…` for IPC.",
        examples=("net.ipv4.tcp_keepalive_time",),
    )
    value: Annotated[str, Limits(min_length=1)] = key(
        description="The setting's value, as text.", examples=("120",)
    )


@section
class Build:
    """What `fsd deploy` builds. Paths are relative to the manifest, and stay in its repository."""

    context: RelativePath | None = key(
        default=None,
        description="The build context. By default, the manifest's folder.",
        examples=("../..",),
    )
    dockerfile: RelativePath | None = key(
        default=None,
        description="The Dockerfile. By default, `Dockerfile` in the build context.",
        examples=("docker/api.Dockerfile",),
    )
    target: Annotated[str, Limits(pattern=STAGE_PATTERN)] | None = key(
        default=None,
        description="The stage to build. By default, the last one.",
        examples=("runtime",),
    )
    args: dict[str, str] = key(
        default={}, description="Build arguments. They must not contain secrets."
    )
    secrets: tuple[Annotated[str, Limits(pattern=BUILD_SECRET_PATTERN)], ...] = key(
        default=(),
        description="Build secrets in the format of `docker build --secret`: each names a "
        "variable or a file, not a value.",
        examples=(("id=pip,env=PIP_TOKEN",),),
    )
    cache: bool = key(default=True, description="`false` reuses no layer of an earlier build.")


@section
class Roles:
    """Roles that are there already, instead of those that FSD makes."""

    task: RoleArn | None = key(
        default=None,
        description="The role of the program. FSD then checks `dependencies`, but grants nothing.",
        examples=("arn:aws:iam::123456789012:role/offers-task",),
    )
    execution: RoleArn | None = key(
        default=None,
        description="The role with which ECS pulls the image, writes logs and reads secrets.",
    )
    boundary: Annotated[str, Limits(pattern=BOUNDARY_PATTERN)] | None = key(
        default=None,
        description="The permissions boundary of the roles that FSD creates.",
        examples=("arn:aws:iam::123456789012:policy/developers",),
    )


@section
class ExistingSchedule:
    """What starts the task of a Job until FSD's own schedule does."""

    arn: Annotated[str, Limits(pattern=OLD_SCHEDULE_PATTERN)] = key(
        description="The ARN of an EventBridge rule, or of a schedule of EventBridge Scheduler.",
        examples=("arn:aws:events:eu-west-1:123456789012:rule/nightly-report",),
    )
    role: RoleArn | None = key(
        default=None,
        description="The role of a schedule of EventBridge Scheduler, which has to be passed again "
        "when it is disabled.",
        examples=("arn:aws:iam::123456789012:role/nightly-scheduler",),
    )


@section
class Spot:
    """Tasks on spare capacity, which AWS takes back with two minutes' notice."""

    base: Annotated[int, Limits(ge=0, le=100_000)] = key(
        default=0, description="Number of tasks that always run on demand."
    )
    percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100, description="Percentage of the tasks beyond `base` that are Spot tasks."
    )


@section
class OwnGroups:
    """Security groups that are there, and whether the tasks have one of FSD's too."""

    ids: SecurityGroupIds = key(
        description="The IDs of the security groups.", examples=(("sg-0a1b2c3d",),)
    )
    only: bool = key(
        default=False,
        description="`true` means that FSD creates no security group for the "
        "tasks. Yours must then let the load balancer and other clients in.",
    )


@section
class Connect:
    """Service Connect, in the cluster's namespace."""

    name: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=63)] | None = key(
        default=None,
        description="The name by which other services reach this one. By default, `metadata.name`.",
        examples=("offers",),
    )
    port: Annotated[int, Limits(ge=1, le=65535)] | None = key(
        default=None,
        description="The port that other services reach. By default, the service's first port. "
        "Without a port, the service can only reach others.",
    )


@section
class ContainerPort:
    """A port that the container listens on; a load balancer and Service Connect use the first."""

    port: Annotated[int, Limits(ge=1, le=65535)] = key(
        description="The port's number.", examples=(50051,)
    )
    name: Annotated[str, Limits(pattern=PORT_NAME_PATTERN, max_length=64)] | None = key(
        default=None, description="The port's name in Service Connect.", examples=("grpc",)
    )
    protocol: PortProtocol = key(
        default="http",
        description="The protocol of the port. http2 and grpc are without TLS; tcp stands for "
        "any other protocol.",
    )


@section
class StepResources:
    cpu: Annotated[int, Limits(gt=0)] = key(description="CPU units; 1024 is one vCPU.")
    memory: Annotated[int, Limits(gt=0)] = key(description="Memory in MiB.")


@section
class DeployStep:
    """A one-off task of the new image, with the settings of the new task definition."""

    command: (
        Annotated[tuple[str, ...], Limits(min_length=1)] | Annotated[str, Limits(min_length=1)]
    ) = key(
        description="The command to run. A string runs in a shell.",
        examples=(("python", "manage.py", "migrate"),),
    )
    timeout: Duration = key(
        default="10m",
        description="How long the task may take before it is stopped and counts as failed.",
    )
    resources: StepResources | None = key(
        default=None, description="The task's size. By default, the service's."
    )
    environment: dict[Annotated[str, Limits(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = key(
        default={}, description="Environment variables in addition to the service's."
    )

    @property
    def seconds(self) -> int:
        return seconds_of(self.timeout)


@section
class Efs:
    """A file system of yours, always with encryption on the way."""

    file_system: Annotated[str, Limits(pattern=FILE_SYSTEM_PATTERN)] = key(
        description="The ID of the EFS file system.", examples=("fs-0a1b2c3d4e5f67890",)
    )
    access_point: Annotated[str, Limits(pattern=ACCESS_POINT_PATTERN)] | None = key(
        default=None, description="The access point, which then determines the folder."
    )
    root: Annotated[str, Limits(pattern=MOUNT_PATTERN)] | None = key(
        default=None, description="A folder in the file system. By default, the whole file system."
    )


@section
class Volume:
    name: ContainerName = key(
        description="The volume's name, by which sidecars refer to it.", examples=("media",)
    )
    path: MountPath = key(
        description="The path at which the service finds it.", examples=("/srv/media",)
    )
    read_only: bool = key(default=False, description="Whether the service can only read it.")
    efs: Efs | None = key(
        default=None,
        description="An EFS file system. By default, the volume is empty when a "
        "task starts and is deleted with it.",
    )


@section
class Mount:
    name: ContainerName = key(description="The name of one of `service.volumes`.")
    path: MountPath = key(description="The path at which the sidecar finds it.")
    read_only: bool = key(default=False, description="Whether the sidecar can only read it.")


@section
class SidecarCheck:
    command: (
        Annotated[tuple[str, ...], Limits(min_length=1)] | Annotated[str, Limits(min_length=1)]
    ) = key(
        description="The command that checks the container: exit code 0 means healthy. A "
        "string runs in a shell."
    )
    interval: Annotated[int, Limits(ge=5, le=300)] = key(
        default=30, description="Seconds from one check to the next."
    )
    timeout: Annotated[int, Limits(ge=2, le=60)] = key(
        default=5, description="Seconds after which a check that has not ended has failed."
    )
    unhealthy_threshold: Annotated[int, Limits(ge=1, le=10)] = key(
        default=3,
        description="Number of failed checks after which the container counts as unhealthy.",
    )
    start_period: Annotated[int, Limits(ge=0, le=300)] | None = key(
        default=None,
        description="Seconds after the container's start in which failed checks do not count.",
    )


@section
class SidecarResources:
    cpu: Annotated[int, Limits(gt=0)] | None = key(
        default=None, description="How many of the task's CPU units the sidecar gets."
    )
    memory: Annotated[int, Limits(gt=0)] | None = key(
        default=None, description="How many MiB of the task's memory the sidecar may use."
    )


@section
class SidecarSecret:
    name: VariableName = key(description="The environment variable that gets the value.")
    value_from: Annotated[str, Limits(min_length=1)] = key(
        description="The secret or parameter, as in `service.secrets`."
    )


@section
class Sidecar:
    """A container beside the service, in the same task: they share localhost."""

    name: ContainerName = key(description="The container's name in the task.", examples=("proxy",))
    image: Annotated[str, Limits(min_length=1)] = key(
        description="The image.", examples=("public.ecr.aws/nginx/nginx:1.27",)
    )
    repository_credentials: RegistryCredentials | None = key(
        default=None,
        description="The ARN of a secret with the `username` and `password` for a private "
        "registry.",
    )
    command: tuple[str, ...] | None = key(default=None, description="Overrides the image's CMD.")
    entry_point: tuple[str, ...] | None = key(
        default=None, description="Overrides the image's ENTRYPOINT."
    )
    environment: dict[VariableName, str] = key(
        default={}, description="Environment variables. They must not contain secrets."
    )
    secrets: tuple[SidecarSecret, ...] = key(default=(), description="The same as for the service.")
    environment_files: Annotated[tuple[EnvironmentFile, ...], Limits(max_length=10)] = key(
        default=(), description="The same as for the service."
    )
    port: Annotated[int, Limits(ge=1, le=65535)] | None = key(
        default=None, description="A port on which the sidecar listens."
    )
    essential: bool = key(
        default=True, description="Whether the task stops when this container ends."
    )
    health_check: SidecarCheck | None = key(default=None, description="Absent: none.")
    depends_on: dict[ContainerName, Condition] = key(
        default={}, description="Containers that this one waits for, each with a condition."
    )
    resources: SidecarResources | None = key(
        default=None,
        description="The sidecar's share of the task's size. By default, it has no fixed share.",
    )
    volumes: tuple[Mount, ...] = key(
        default=(), description="Volumes of the service that the sidecar uses."
    )
    stop_timeout: Annotated[int, Limits(ge=2, le=120)] | None = key(
        default=None, description="Seconds from SIGTERM to SIGKILL. By default, ECS's 30 s."
    )
    user: Annotated[str, Limits(min_length=1)] | None = key(
        default=None,
        description="Overrides the image's USER: a name or an ID, optionally with `:group`.",
    )
    working_directory: Annotated[str, Limits(pattern=DIRECTORY_PATTERN)] | None = key(
        default=None, description="Overrides the image's WORKDIR.", examples=("/app",)
    )
    init: bool = key(
        default=False,
        description="Whether an init process runs as process 1. It forwards "
        "signals and reaps child processes.",
    )
    readonly_root_filesystem: bool = key(
        default=False, description="Whether the container's own file system is read-only."
    )
    ulimits: tuple[Ulimit, ...] = key(
        default=(), description="Resource limits of the container's processes."
    )
    capabilities: Capabilities | None = key(
        default=None,
        description="Linux capabilities to add to Docker's defaults, or to drop from them.",
    )
    system_controls: tuple[SystemControl, ...] = key(
        default=(),
        description="Kernel settings, as for the service. Settings of `net.…` apply "
        "to the whole task.",
    )
    docker_labels: dict[str, str] = key(default={}, description="Docker labels of the container.")


@section
class QueueDepth:
    queue: Annotated[str, Limits(pattern=r"^[A-Za-z0-9_-]{1,80}(\.fifo)?$")] = key(
        description="The name of an SQS queue in the account.", examples=("offers-${ENV}",)
    )
    messages_per_task: Annotated[int, Limits(ge=1)] = key(
        description="Number of visible messages for each task."
    )


@section
class ScalingSchedule:
    """Scheduled scaling: bounds that hold from each of its times on."""

    name: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=64)] = key(
        description="The name of the scheduled action.", examples=("morning",)
    )
    cron: Annotated[str, Limits(pattern=CRON_PATTERN, max_length=256)] = key(
        description="A cron expression with six fields, with or without `cron(…)`.",
        examples=("0 8 ? * MON-FRI *",),
    )
    timezone: Annotated[str, Limits(pattern=ZONE_PATTERN, max_length=50)] | None = key(
        default=None, description="The time zone. By default, UTC.", examples=("Europe/Berlin",)
    )
    min_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="The lower bound from that time on. By default, it stays as it was.",
    )
    max_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="The upper bound from that time on. By default, it stays as it was.",
    )

    @property
    def expression(self) -> str:
        return self.cron if self.cron.startswith("cron(") else f"cron({self.cron.strip()})"


@section
class TrackedMetric:
    namespace: Annotated[str, Limits(min_length=1, max_length=255)] = key(
        description="The CloudWatch namespace of the metric.", examples=("Offers",)
    )
    name: Annotated[str, Limits(min_length=1, max_length=255)] = key(
        description="The name of the metric."
    )
    dimensions: dict[str, str] = key(default={}, description="All dimensions of the metric.")
    statistic: Literal["Average", "Minimum", "Maximum", "SampleCount", "Sum"] = key(
        default="Average", description="The statistic, over one minute."
    )
    target: Annotated[int, Limits(ge=1)] = key(description="The value to maintain.")
