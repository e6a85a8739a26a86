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
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
NAMESPACE_PATTERN = (
    r"^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)"
    r"|fs\.mqueue\.[a-z0-9_]+|net\.[A-Za-z0-9_./-]+)$"
)
ROLE_PATTERN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"
BOUNDARY_PATTERN = r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$"
EnvironmentFile = Annotated[str, Limits(pattern=ENVIRONMENT_FILE_PATTERN)]
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
    name: UlimitName = key(description="As in setrlimit; nofile is the number of open files.")
    soft_limit: Limit = key(description="What a process has.")
    hard_limit: Limit = key(description="What a process may raise it to.")


@section
class Capabilities:
    add: tuple[Literal["SYS_PTRACE"], ...] = key(
        default=(), description="Fargate gives no other than SYS_PTRACE."
    )
    drop: tuple[str, ...] = key(
        default=(), description="Linux names without CAP_, or ALL.", examples=(("NET_RAW",),)
    )


@section
class SystemControl:
    """A setting of the kernel, as sysctl names it."""

    namespace: Annotated[str, Limits(pattern=NAMESPACE_PATTERN)] = key(
        description="Its name: net.…, fs.mqueue.…, or one of kernel.… for IPC.",
        examples=("net.ipv4.tcp_keepalive_time",),
    )
    value: Annotated[str, Limits(min_length=1)] = key(
        description="Its value, as text.", examples=("120",)
    )


@section
class Build:
    """What `fsd deploy` builds. Paths are relative to the manifest, and stay in its repository."""

    context: RelativePath | None = key(
        default=None, description="The folder that is sent; the manifest's.", examples=("../..",)
    )
    dockerfile: RelativePath | None = key(
        default=None,
        description="The Dockerfile; `Dockerfile` in the context.",
        examples=("docker/api.Dockerfile",),
    )
    target: Annotated[str, Limits(pattern=STAGE_PATTERN)] | None = key(
        default=None, description="A stage of it; the last.", examples=("runtime",)
    )
    args: dict[str, str] = key(default={}, description="Build arguments; never secrets.")
    secrets: tuple[Annotated[str, Limits(pattern=BUILD_SECRET_PATTERN)], ...] = key(
        default=(),
        description="As `docker build --secret` takes them: a variable or a file, no value.",
        examples=(("id=pip,env=PIP_TOKEN",),),
    )
    cache: bool = key(default=True, description="false takes no layer of an earlier build.")


@section
class Roles:
    """Roles that are there already, instead of those that FSD makes."""

    task: RoleArn | None = key(
        default=None,
        description="What the program may do; `dependencies` is then checked, and not granted.",
        examples=("arn:aws:iam::123456789012:role/offers-task",),
    )
    execution: RoleArn | None = key(
        default=None, description="What ECS may do to start a task: pull, log, read secrets."
    )
    boundary: Annotated[str, Limits(pattern=BOUNDARY_PATTERN)] | None = key(
        default=None,
        description="The permissions boundary of the roles that FSD makes.",
        examples=("arn:aws:iam::123456789012:policy/developers",),
    )


@section
class Spot:
    """Tasks on spare capacity, which AWS takes back with two minutes' notice."""

    base: Annotated[int, Limits(ge=0, le=100_000)] = key(
        default=0, description="Tasks that always run on demand."
    )
    percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100, description="Of the tasks beyond `base`, how many are Spot tasks."
    )


@section
class OwnGroups:
    """Security groups that are there, and whether the tasks have one of FSD's too."""

    ids: SecurityGroupIds = key(description="Their ids.", examples=(("sg-0a1b2c3d",),))
    only: bool = key(
        default=False, description="true: FSD makes none for the tasks; these let everybody in."
    )


@section
class Connect:
    """Service Connect, in the cluster's namespace."""

    name: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=63)] | None = key(
        default=None, description="What others call it by; `metadata.name`.", examples=("offers",)
    )
    port: Annotated[int, Limits(ge=1, le=65535)] | None = key(
        default=None,
        description="What others reach; the service's first port. Without both it only reaches "
        "others.",
    )


@section
class ContainerPort:
    """A port that the container listens on; a load balancer and Service Connect use the first."""

    port: Annotated[int, Limits(ge=1, le=65535)] = key(description="Its number.", examples=(50051,))
    name: Annotated[str, Limits(pattern=PORT_NAME_PATTERN, max_length=64)] | None = key(
        default=None, description="What Service Connect calls it by.", examples=("grpc",)
    )
    protocol: PortProtocol = key(
        default="http",
        description="http2 and grpc without TLS; tcp is anything else.",
    )


@section
class StepResources:
    cpu: Annotated[int, Limits(gt=0)] = key(description="CPU units; 1024 is one vCPU.")
    memory: Annotated[int, Limits(gt=0)] = key(description="MiB.")


@section
class DeployStep:
    """A one-off task of the new image, with the settings of the new task definition."""

    command: (
        Annotated[tuple[str, ...], Limits(min_length=1)] | Annotated[str, Limits(min_length=1)]
    ) = key(
        description="What it runs; text is run by a shell.",
        examples=(("python", "manage.py", "migrate"),),
    )
    timeout: Duration = key(default="10m", description="After it the task is stopped, and failed.")
    resources: StepResources | None = key(
        default=None, description="Its size; the service's without it."
    )
    environment: dict[Annotated[str, Limits(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = key(
        default={}, description="Variables beside the service's."
    )

    @property
    def seconds(self) -> int:
        return seconds_of(self.timeout)


@section
class Efs:
    """A file system of yours, always with encryption on the way."""

    file_system: Annotated[str, Limits(pattern=FILE_SYSTEM_PATTERN)] = key(
        description="Its id.", examples=("fs-0a1b2c3d4e5f67890",)
    )
    access_point: Annotated[str, Limits(pattern=ACCESS_POINT_PATTERN)] | None = key(
        default=None, description="Its access point, which then says the folder."
    )
    root: Annotated[str, Limits(pattern=MOUNT_PATTERN)] | None = key(
        default=None, description="A folder in it; the whole file system without it."
    )


@section
class Volume:
    name: ContainerName = key(description="What sidecars call it by.", examples=("media",))
    path: MountPath = key(description="Where the service has it.", examples=("/srv/media",))
    read_only: bool = key(default=False, description="The service may only read it.")
    efs: Efs | None = key(
        default=None, description="Absent: empty at the start, and gone with the task."
    )


@section
class Mount:
    name: ContainerName = key(description="Of `service.volumes`.")
    path: MountPath = key(description="Where the sidecar has it.")
    read_only: bool = key(default=False, description="The sidecar may only read it.")


@section
class SidecarCheck:
    command: (
        Annotated[tuple[str, ...], Limits(min_length=1)] | Annotated[str, Limits(min_length=1)]
    ) = key(description="Ends with 0 for healthy; text is run by a shell.")
    interval: Annotated[int, Limits(ge=5, le=300)] = key(default=30, description="Seconds.")
    timeout: Annotated[int, Limits(ge=2, le=60)] = key(default=5, description="Seconds.")
    unhealthy_threshold: Annotated[int, Limits(ge=1, le=10)] = key(
        default=3, description="Failing checks until it is unhealthy."
    )
    start_period: Annotated[int, Limits(ge=0, le=300)] | None = key(
        default=None, description="Seconds in which failing checks do not count."
    )


@section
class SidecarResources:
    cpu: Annotated[int, Limits(gt=0)] | None = key(
        default=None, description="CPU units of the task's that it gets."
    )
    memory: Annotated[int, Limits(gt=0)] | None = key(
        default=None, description="MiB of the task's that it may use."
    )


@section
class SidecarSecret:
    name: VariableName = key(description="The environment variable that gets the value.")
    value_from: Annotated[str, Limits(min_length=1)] = key(description="As in `service.secrets`.")


@section
class Sidecar:
    """A container beside the service, in the same task: they share localhost."""

    name: ContainerName = key(description="Its name in the task.", examples=("proxy",))
    image: Annotated[str, Limits(min_length=1)] = key(
        description="A ready image.", examples=("public.ecr.aws/nginx/nginx:1.27",)
    )
    command: tuple[str, ...] | None = key(default=None, description="Overrides the image's CMD.")
    entry_point: tuple[str, ...] | None = key(
        default=None, description="Overrides the image's ENTRYPOINT."
    )
    environment: dict[VariableName, str] = key(default={}, description="Variables; no secrets.")
    secrets: tuple[SidecarSecret, ...] = key(default=(), description="As for the service.")
    environment_files: Annotated[tuple[EnvironmentFile, ...], Limits(max_length=10)] = key(
        default=(), description="As for the service."
    )
    port: Annotated[int, Limits(ge=1, le=65535)] | None = key(
        default=None, description="A port that it listens on."
    )
    essential: bool = key(
        default=True, description="Its end ends the task; false for one that may end."
    )
    health_check: SidecarCheck | None = key(default=None, description="Absent: none.")
    depends_on: dict[ContainerName, Condition] = key(
        default={}, description="Containers of the task that come first, and how far."
    )
    resources: SidecarResources | None = key(
        default=None, description="Absent: no share of its own."
    )
    volumes: tuple[Mount, ...] = key(default=(), description="Volumes of the service that it has.")
    stop_timeout: Annotated[int, Limits(ge=2, le=120)] | None = key(
        default=None, description="Seconds from SIGTERM to SIGKILL; ECS's 30 without it."
    )
    user: Annotated[str, Limits(min_length=1)] | None = key(
        default=None, description="Overrides the image's USER: a name or an id, with :group."
    )
    working_directory: Annotated[str, Limits(pattern=DIRECTORY_PATTERN)] | None = key(
        default=None, description="Overrides the image's WORKDIR.", examples=("/app",)
    )
    init: bool = key(
        default=False, description="An init as process 1: it passes signals on and reaps children."
    )
    readonly_root_filesystem: bool = key(
        default=False, description="The container cannot write to its own file system."
    )
    ulimits: tuple[Ulimit, ...] = key(default=(), description="Limits of its processes.")
    capabilities: Capabilities | None = key(
        default=None, description="Linux capabilities beside Docker's."
    )
    system_controls: tuple[SystemControl, ...] = key(
        default=(), description="As for the service; those of net.… are the whole task's."
    )
    docker_labels: dict[str, str] = key(default={}, description="Docker labels of the container.")


@section
class QueueDepth:
    queue: Annotated[str, Limits(pattern=r"^[A-Za-z0-9_-]{1,80}(\.fifo)?$")] = key(
        description="An SQS queue of the account, by name.", examples=("offers-${ENV}",)
    )
    messages_per_task: Annotated[int, Limits(ge=1)] = key(
        description="Visible messages that one task may have to do."
    )


@section
class ScalingSchedule:
    """Scheduled scaling: bounds that hold from each of its times on."""

    name: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=64)] = key(
        description="Of the scheduled action.", examples=("morning",)
    )
    cron: Annotated[str, Limits(pattern=CRON_PATTERN, max_length=256)] = key(
        description="Six fields, with or without `cron(…)`.", examples=("0 8 ? * MON-FRI *",)
    )
    timezone: Annotated[str, Limits(pattern=ZONE_PATTERN, max_length=50)] | None = key(
        default=None, description="UTC without it.", examples=("Europe/Berlin",)
    )
    min_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None, description="Lower bound from then on; as it was without it."
    )
    max_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None, description="Upper bound from then on; as it was without it."
    )

    @property
    def expression(self) -> str:
        return self.cron if self.cron.startswith("cron(") else f"cron({self.cron.strip()})"


@section
class TrackedMetric:
    namespace: Annotated[str, Limits(min_length=1, max_length=255)] = key(
        description="Of CloudWatch.", examples=("Offers",)
    )
    name: Annotated[str, Limits(min_length=1, max_length=255)] = key(description="The metric.")
    dimensions: dict[str, str] = key(default={}, description="All that it has.")
    statistic: Literal["Average", "Minimum", "Maximum", "SampleCount", "Sum"] = key(
        default="Average", description="Over a minute."
    )
    target: Annotated[int, Limits(ge=1)] = key(description="The value to keep.")
