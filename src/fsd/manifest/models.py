"""The Service YAML as typed, frozen values: every key, its default and its description.

`fsd.manifest.section` checks shape and range. What needs more than one key (a Fargate pair that
exists, capacity order, timings that fit together) is checked in `fsd.lint`, where a finding can
name a fix.
"""

from typing import Annotated, Literal

from fsd.manifest.container import (
    HOST_PATTERN,
    ZONE_PATTERN,
    Build,
    Capabilities,
    Condition,
    Connect,
    ContainerName,
    ContainerPort,
    DeployStep,
    Duration,
    EnvironmentFile,
    OwnGroups,
    QueueDepth,
    Roles,
    ScalingSchedule,
    SecurityGroupIds,
    Sidecar,
    Spot,
    SubnetId,
    SystemControl,
    TagValue,
    TrackedMetric,
    Ulimit,
    Volume,
    seconds_of,
)
from fsd.manifest.section import Limits, key, section

STEADY_FOR = 60  # seconds, for a service that nothing checks
CERTIFICATE_PATTERN = r"^arn:aws[a-z-]*:(acm|iam):[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9/+=,.@_-]+$"
HTTP_PATH_PATTERN = r"^/[!-~]*$"  # printable ASCII: what a request line can have
# An application load balancer takes 200 to 499 of HTTP, and 0 to 99 of gRPC.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
MATCHER_PATTERN = (
    r"^([2-4][0-9]{2}|[0-9]{1,2})(-([2-4][0-9]{2}|[0-9]{1,2}))?"
    r"(,([2-4][0-9]{2}|[0-9]{1,2})(-([2-4][0-9]{2}|[0-9]{1,2}))?)*$"
)
DEFAULT_PATH = "/health"
# https://github.com/grpc/grpc/blob/master/doc/health-checking.md
GRPC_PATH = "/grpc.health.v1.Health/Check"
_HTTP_CODES, _GRPC_CODES = "200-299", "0"
NAME_PATTERN = r"^[a-z][a-z0-9-]*[a-z0-9]$"

LISTENER_PATTERN = (
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener/app/[A-Za-z0-9-]+/"
    r"[0-9a-f]+/[0-9a-f]+$"
)
TARGET_GROUP_PATTERN = (
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/"
    r"[A-Za-z0-9-]+/[0-9A-Za-z]+$"
)
LOG_GROUP_PATTERN = r"^[A-Za-z0-9_/.#-]+$"
KMS_KEY_PATTERN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$"
BUCKET_PATTERN = r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$"
LOG_PREFIX_PATTERN = r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$"
DOMAIN_PATTERN = r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*$"
HOSTED_ZONE_PATTERN = r"^Z[A-Z0-9]{1,31}$"
HOST_RULE_PATTERN = r"^[A-Za-z0-9.*?-]+$"
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
SCHEDULE_PATTERN = r"^(rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\([^()]+\))$"
CIDR_PATTERN = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$"

Name = Annotated[str, Limits(pattern=NAME_PATTERN, max_length=255)]
Owner = Annotated[str, Limits(pattern=r"^@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$")]
HttpPath = Annotated[str, Limits(pattern=HTTP_PATH_PATTERN, max_length=1024)]
Port = Annotated[int, Limits(ge=1, le=65535)]
Percent = Annotated[int, Limits(ge=1, le=100)]
Cooldown = Annotated[int, Limits(ge=0, le=86400)]
Command = Annotated[tuple[str, ...], Limits(min_length=1)]
ShellCommand = Annotated[str, Limits(min_length=1)]
EnvironmentName = Annotated[str, Limits(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


@section
class Metadata:
    name: Name = key(
        description="The service's name; every AWS name is derived from it.",
        examples=("offer-api",),
    )
    pack: Annotated[str, Limits(pattern=r"^[\w .:/=+@-]+$", max_length=128)] = key(
        description="The owning team; becomes a tag.", examples=("offers",)
    )
    owners: tuple[Owner, ...] = key(
        default=(),
        description="GitHub handles, @user or @org/team, named when a deployment fails.",
        examples=(("@org/offers",),),
    )


@section
class HealthCheck:
    path: HttpPath = key(
        default=DEFAULT_PATH,
        description="The path that answers 200 when healthy, only with a port; or gRPC's method, "
        "`/grpc.health.v1.Health/Check`.",
    )
    command: Command | ShellCommand | None = key(
        default=None,
        description="A check that ECS runs in the container; text is run by a shell. A worker has "
        "no other.",
        examples=(("python", "-m", "app.alive"),),
    )
    port: Port | None = key(
        default=None,
        description="The port that is asked; the service's first without it.",
        examples=(8081,),
    )
    protocol: Literal["http", "https", "grpc", "tcp"] | None = key(
        default=None,
        description="What the port speaks, without it; https where the container itself speaks TLS "
        "on that port, tcp where a connection is enough.",
    )
    matcher: Annotated[str, Limits(pattern=MATCHER_PATTERN)] | None = key(
        default=None,
        description="The healthy status codes, between 200 and 499, `200-299` without it; of gRPC "
        "between 0 and 99, `0` without it.",
        examples=("200-399",),
    )
    interval: Annotated[int, Limits(ge=5, le=300)] = key(
        default=30, description="Seconds between checks."
    )
    timeout: Annotated[int, Limits(ge=2, le=120)] = key(
        default=5, description="Seconds; must be below interval."
    )
    healthy_threshold: Annotated[int, Limits(ge=2, le=10)] = key(
        default=2, description="Passing checks until a recovering target is healthy."
    )
    unhealthy_threshold: Annotated[int, Limits(ge=2, le=10)] = key(
        default=3, description="Failing checks until a target is unhealthy."
    )
    start_period: Annotated[int, Limits(ge=0, le=300)] | None = key(
        default=None,
        description="Seconds in which failing checks in the container do not count; gracePeriod, "
        "up to 300.",
    )
    grace_period: Annotated[int, Limits(ge=0, le=2_147_483_647)] = key(
        default=60,
        description="Seconds after a task's start in which failing checks do not count.",
    )


@section
class Resources:
    cpu: Annotated[int, Limits(gt=0)] = key(default=512, description="CPU units; 1024 is one vCPU.")
    memory: Annotated[int, Limits(gt=0)] = key(default=1024, description="MiB.")
    ephemeral_storage: Annotated[int, Limits(ge=21, le=200)] | None = key(
        default=None, description="GiB of disk; Fargate's 20 without it."
    )
    spot: bool | Spot | None = key(
        default=None, description="true: every task is a Spot task; or how many of them are."
    )
    desired_count: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="Number of tasks. Without it the first deployment starts 1, and later ones "
        "leave the count alone.",
    )
    min_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None, description="Lower bound of auto scaling; desiredCount."
    )
    max_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None, description="Upper bound; max(desiredCount, minCapacity)."
    )

    @property
    def spot_tasks(self) -> Spot | None:
        """None where every task runs on demand."""
        if isinstance(self.spot, Spot):
            return self.spot
        return Spot() if self.spot else None

    @property
    def desired(self) -> int:
        return 1 if self.desired_count is None else self.desired_count

    @property
    def minimum(self) -> int:
        return self.desired if self.min_capacity is None else self.min_capacity

    @property
    def maximum(self) -> int:
        return max(self.desired, self.minimum) if self.max_capacity is None else self.max_capacity


@section
class AutoScaling:
    target_cpu_utilization: Percent | None = key(
        default=None, written="targetCPUUtilization", description="Average CPU to keep, percent."
    )
    target_memory_utilization: Percent | None = key(
        default=None, description="Average memory to keep, percent."
    )
    target_queue_depth: QueueDepth | None = key(
        default=None, description="Messages of a queue to keep for each task."
    )
    target_requests_per_task: Annotated[int, Limits(ge=1)] | None = key(
        default=None,
        description="Requests a minute of the load balancer to keep for each task.",
    )
    metric: TrackedMetric | None = key(default=None, description="A metric of your own to keep.")
    schedules: tuple[ScalingSchedule, ...] = key(
        default=(), description="Other bounds from a time on, until the next schedule's."
    )
    scale_in_cooldown: Cooldown = key(default=300, description="Seconds.")
    scale_out_cooldown: Cooldown = key(default=300, description="Seconds.")


@section
class Secret:
    name: EnvironmentName = key(
        description="The environment variable that gets the value.", examples=("DB_PASSWORD",)
    )
    value_from: Annotated[str, Limits(min_length=1)] = key(
        description="Full Secrets Manager ARN, with :json-key:stage:version if wanted, or an SSM "
        "parameter by ARN or by its name with a slash in front.",
        examples=("arn:aws:secretsmanager:eu-west-1:123456789012:secret:offers/db-a1B2c3",),
    )


@section
class Domain:
    """A name of yours for the load balancer, in a hosted zone of Route 53."""

    name: Annotated[str, Limits(pattern=DOMAIN_PATTERN, max_length=253)] = key(
        description="What clients call it by.", examples=("offers.example.com",)
    )
    hosted_zone: Annotated[str, Limits(pattern=HOSTED_ZONE_PATTERN)] = key(
        description="The id of the zone that the name is in.", examples=("Z0123456789ABCDEFGHIJ",)
    )


@section
class AccessLogs:
    """A line for each request, in files in S3."""

    bucket: Annotated[str, Limits(pattern=BUCKET_PATTERN, max_length=63)] = key(
        description="A bucket of yours, whose policy lets the load balancer write.",
        examples=("offers-logs",),
    )
    prefix: Annotated[str, Limits(pattern=LOG_PREFIX_PATTERN, max_length=512)] = key(
        default="", description="A folder in it.", examples=("alb",)
    )


@section
class LoadBalancer:
    type: Literal["application", "network"] = key(
        default="application",
        description="application: HTTP; network: TCP, which the service itself speaks.",
    )
    internal: bool = key(default=True, description="false makes it reachable from the internet.")
    certificate_arn: Annotated[str, Limits(pattern=CERTIFICATE_PATTERN)] | None = key(
        default=None,
        description="An ACM certificate: HTTPS on 443, and 80 redirects to it.",
        examples=("arn:aws:acm:eu-west-1:123456789012:certificate/12345678-abcd",),
    )
    listener_arn: Annotated[str, Limits(pattern=LISTENER_PATTERN)] | None = key(
        default=None,
        description="An existing listener: the service gets a rule of it, and makes no load "
        "balancer.",
    )
    target_group_arn: Annotated[str, Limits(pattern=TARGET_GROUP_PATTERN)] | None = key(
        default=None,
        description="An existing target group, with its listener and its health check: the "
        "tasks register in it, and FSD makes none.",
    )
    shared: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=24)] | None = key(
        default=None,
        description="The name of a load balancer that services of the environment share: the first "
        "makes it, and it goes with the last.",
        examples=("main",),
    )
    hosts: tuple[Annotated[str, Limits(pattern=HOST_RULE_PATTERN, max_length=128)], ...] = key(
        default=(),
        description="Host names that lead to it, with `shared` or `listenerArn`; * and ? are "
        "wildcards.",
        examples=(("api.example.com",),),
    )
    paths: tuple[Annotated[str, Limits(pattern=HTTP_PATH_PATTERN, max_length=128)], ...] = key(
        default=(),
        description="Paths that lead to it, with `shared` or `listenerArn`; * and ? are wildcards.",
        examples=(("/offers", "/offers/*"),),
    )
    domain: Domain | None = key(
        default=None,
        description="A name in Route 53 that leads to it; without `certificateArn` a load balancer "
        "of the service's own gets a certificate for it.",
    )
    priority: Annotated[int, Limits(ge=1, le=50_000)] | None = key(
        default=None,
        description="Of the rule; made from its hosts and paths and the service's name without it.",
    )
    idle_timeout: Annotated[int, Limits(ge=1, le=4000)] | None = key(
        default=None, description="Seconds that a connection may be silent; AWS's 60 without it."
    )
    access_logs: AccessLogs | None = key(default=None, description="Absent: no access logs.")
    stickiness: Annotated[int, Limits(ge=1, le=604_800)] | None = key(
        default=None, description="Seconds in which a client stays with its task; absent: none."
    )
    ingress: tuple[Annotated[str, Limits(pattern=CIDR_PATTERN)], ...] = key(
        default=(),
        description="Addresses that may reach it; the VPC, or with `internal: false` everybody.",
        examples=(("203.0.113.0/24",),),
    )

    @property
    def has_rule(self) -> bool:
        """Whether the service is one of several of a listener."""
        return self.listener_arn is not None or self.shared is not None

    @property
    def makes_certificate(self) -> bool:
        """Of a load balancer that several have, the certificate is theirs to name."""
        is_own = not self.has_rule and self.target_group_arn is None
        return is_own and self.domain is not None and self.certificate_arn is None

    @property
    def is_network(self) -> bool:
        return self.type == "network"

    @property
    def is_secure(self) -> bool:
        """Whether it has an HTTPS listener, or one of TLS."""
        return self.certificate_arn is not None or self.makes_certificate


@section
class Networking:
    vpc: bool = key(
        default=True, description="true: private subnets and no public IP; false: public subnets."
    )
    load_balancer: LoadBalancer | None = key(default=None, description="Absent: none.")
    connect: Connect | None = key(
        default=None, description="Absent: other services do not reach it by a name."
    )
    security_groups: SecurityGroupIds | OwnGroups | None = key(
        default=None,
        description="Security groups of yours, which the tasks have beside the one that FSD makes.",
        examples=(("sg-0a1b2c3d4e5f60718",),),
    )
    subnets: Annotated[tuple[SubnetId, ...], Limits(max_length=16)] = key(
        default=(),
        description="Where its tasks run; the environment's subnets without it.",
        examples=(("subnet-0a1b2c3d4e5f60718",),),
    )

    @property
    def own_groups(self) -> OwnGroups | None:
        """None where the tasks have FSD's alone."""
        given = self.security_groups
        return OwnGroups(ids=given) if isinstance(given, tuple) else given


@section
class Metrics:
    enabled: bool = key(default=True, description="Prometheus metrics are scraped.")
    port: Port = key(default=9090, description="The port that serves them.")
    path: HttpPath = key(default="/metrics", description="The path that serves them.")


@section
class Traces:
    enabled: bool = key(default=True, description="OpenTelemetry traces are sent.")
    otlp_endpoint: Annotated[str, Limits(pattern=r"^https?://")] | None = key(
        default=None,
        description="An OTLP endpoint; without one a collector runs beside the service.",
        examples=("http://collector:4317",),
    )


@section
class Logs:
    enabled: bool = key(default=True, description="Logs go to CloudWatch.")
    retention: Annotated[int, Limits(ge=1)] = key(
        default=30, description="Days; one of CloudWatch's values."
    )
    group: Annotated[str, Limits(pattern=LOG_GROUP_PATTERN, max_length=512)] | None = key(
        default=None,
        description="An existing log group; FSD makes one without it.",
        examples=("/copilot/shop-prod-api",),
    )
    kms_key: Annotated[str, Limits(pattern=KMS_KEY_PATTERN)] | None = key(
        default=None,
        description="The key that CloudWatch encrypts them with; its policy has to let CloudWatch.",
        examples=("arn:aws:kms:eu-west-1:123456789012:key/12345678-abcd",),
    )
    driver: Literal["awslogs", "awsfirelens"] = key(
        default="awslogs",
        description="awsfirelens: Fluent Bit runs beside the service, and sends its lines on.",
    )
    options: dict[str, str] = key(
        default={},
        description="Of Fluent Bit's output, with `driver: awsfirelens`; `Name` says which.",
        examples=({"Name": "firehose", "delivery_stream": "offers"},),
    )


@section
class Observability:
    metrics: Metrics | None = key(default=None, description="Absent: off.")
    traces: Traces | None = key(default=None, description="Absent: off.")
    logs: Logs = key(default=Logs(), description="On, kept for 30 days.")


@section
class CircuitBreaker:
    threshold: Annotated[int, Limits(ge=1, le=200)] = key(
        description="Failed tasks after which ECS gives up (its COUNT type)."
    )


@section
class EarlySuccess:
    healthy_percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100,
        description="Healthy new tasks, percent of desiredCount, that end the deployment.",
    )
    cleanup: Literal["deferred", "blocking"] = key(
        default="deferred",
        description="When the old tasks are drained and stopped: afterwards, or before it is done.",
    )


@section
class Deployment:
    strategy: Literal["rolling"] = key(default="rolling", description="How tasks are replaced.")
    minimum_healthy_percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100, description="Healthy tasks to keep, percent of desiredCount."
    )
    maximum_percent: Annotated[int, Limits(ge=100, le=400)] = key(
        default=200, description="Tasks allowed, percent of desiredCount."
    )
    circuit_breaker: CircuitBreaker | None = key(
        default=None, description="Absent: ECS's own threshold. The breaker itself is always on."
    )
    deregistration_delay: Annotated[int, Limits(ge=0, le=3600)] = key(
        default=30, description="Seconds a draining target may finish requests."
    )
    bake_time: Annotated[int, Limits(ge=0, le=1440)] | None = key(
        default=None, description="Minutes that alarms are watched afterwards."
    )
    alarms: tuple[str, ...] = key(
        default=(), description="CloudWatch alarms that roll a deployment back."
    )
    early_success: EarlySuccess | None = key(
        default=None,
        description="Absent: a deployment is done once the old tasks are drained and gone.",
    )
    steady_for: Annotated[int, Limits(ge=0, le=3600)] | None = key(
        default=None,
        description="Seconds after the rollout in which a task that ends by itself is a failed "
        "release; 60 for a service that nothing checks, else 0.",
    )


_USUAL_CHECKS = HealthCheck()


@section
class Service:
    type: Literal["ecs"] = key(description="Fargate on Amazon ECS.")
    existing_service: Annotated[str, Limits(pattern=r"^[A-Za-z0-9_-]+$", max_length=255)] | None = (
        key(
            default=None,
            description="An ECS service that another tool made, by its name: deployments take it "
            "over; `<name>-<environment>` without it.",
            examples=("shop-prod-api-Service-Ab1Cd2",),
        )
    )
    port: Port | None = key(
        default=None,
        description="The container's port; a service without one has no load balancer.",
        examples=(8000,),
    )
    ports: tuple[ContainerPort, ...] = key(
        default=(),
        description="Instead of `port`, for several or for another protocol than HTTP.",
        examples=(({"name": "grpc", "port": 50051, "protocol": "grpc"},),),
    )
    health_check: HealthCheck | None = key(default=None, description="See HealthCheck.")
    resources: Resources = key(default=Resources(), description="Size and count.")
    auto_scaling: AutoScaling | None = key(default=None, description="Absent: not scaled.")
    environment: dict[EnvironmentName, str] = key(
        default={}, description="Environment variables; never secrets."
    )
    secrets: tuple[Secret, ...] = key(
        default=(), description="Environment variables that ECS fills from a secret at start."
    )
    environment_files: Annotated[tuple[EnvironmentFile, ...], Limits(max_length=10)] = key(
        default=(),
        description="Files in S3 with NAME=value in each line; `environment` wins over them.",
        examples=(("arn:aws:s3:::offers-config/api.env",),),
    )
    roles: Roles | None = key(default=None, description="Absent: FSD makes both roles.")
    networking: Networking = key(default=Networking(), description="Where it runs.")
    observability: Observability = key(default=Observability(), description="What is seen.")
    logs: Logs | None = key(default=None, description="Short for `observability.logs`.")
    command: tuple[str, ...] | None = key(
        default=None,
        description="Overrides the image's CMD.",
        examples=(("uvicorn", "app:app", "--host", "0.0.0.0"),),
    )
    entry_point: tuple[str, ...] | None = key(
        default=None, description="Overrides the image's ENTRYPOINT."
    )
    image: Annotated[str, Limits(min_length=1)] | None = key(
        default=None,
        description="A ready image, instead of a build.",
        examples=("123456789012.dkr.ecr.eu-west-1.amazonaws.com/offer-api:v1",),
    )
    build: Build | None = key(default=None, description="What is built; see Build.")
    platform: Literal["X86_64", "ARM64"] = key(default="X86_64", description="CPU architecture.")
    exec: bool = key(
        default=False,
        description="ECS Exec: `fsd exec` opens a shell in a running task, with its permissions.",
    )
    stop_timeout: Annotated[int, Limits(ge=2, le=120)] = key(
        default=30, description="Seconds from SIGTERM to SIGKILL."
    )
    user: Annotated[str, Limits(min_length=1)] | None = key(
        default=None, description="Overrides the image's USER: a name or an id, with :group."
    )
    working_directory: Annotated[str, Limits(pattern=HTTP_PATH_PATTERN)] | None = key(
        default=None, description="Overrides the image's WORKDIR.", examples=("/app",)
    )
    init: bool = key(
        default=True, description="An init as process 1: it passes signals on and reaps children."
    )
    readonly_root_filesystem: bool = key(
        default=False, description="The container cannot write to its own file system."
    )
    ulimits: tuple[Ulimit, ...] = key(default=(), description="Limits of its processes.")
    capabilities: Capabilities | None = key(
        default=None, description="Linux capabilities beside Docker's."
    )
    system_controls: tuple[SystemControl, ...] = key(
        default=(),
        description="Settings of the kernel (sysctl); those of net.… are the whole task's.",
        examples=(({"namespace": "net.ipv4.tcp_keepalive_time", "value": "120"},),),
    )
    enable_fault_injection: bool = key(
        default=False,
        description="AWS Fault Injection Service may disturb the network of its tasks.",
    )
    docker_labels: dict[str, str] = key(default={}, description="Docker labels of the container.")
    tags: dict[str, TagValue] = key(
        default={}, description="Tags of all that FSD makes for it, beside its own."
    )
    sidecars: tuple[Sidecar, ...] = key(
        default=(), description="Containers beside the service, in the same task."
    )
    depends_on: dict[ContainerName, Condition] = key(
        default={},
        description="Sidecars that come first, and how far: START, COMPLETE, SUCCESS or HEALTHY.",
        examples=({"migrate": "SUCCESS"},),
    )
    volumes: tuple[Volume, ...] = key(
        default=(), description="Folders on EFS, or that the task's containers share."
    )
    before_deploy: DeployStep | None = key(
        default=None,
        description="Runs before the rollout; where it fails, nothing is changed.",
    )
    after_deploy: DeployStep | None = key(
        default=None, description="Runs after the rollout succeeded; a failure is a warning."
    )
    deployment: Deployment = key(default=Deployment(), description="How a release rolls out.")
    schedule: Annotated[str, Limits(pattern=SCHEDULE_PATTERN, max_length=256)] | None = key(
        default=None,
        description="When a Job runs; without it only `fsd run` starts it.",
        examples=("rate(1 hour)", "cron(0 6 * * ? *)"),
    )
    timezone: Annotated[str, Limits(pattern=ZONE_PATTERN, max_length=50)] | None = key(
        default=None,
        description="Of a `cron` schedule; UTC without it.",
        examples=("Europe/Berlin",),
    )
    timeout: Duration | None = key(
        default=None, description="After it a run of a Job is stopped, and failed; absent: never."
    )
    retries: Annotated[int, Limits(ge=0, le=185)] | None = key(
        default=None,
        description="How often a run is started again where ECS did not start it; 3. A run that "
        "ends badly is not repeated.",
    )

    @property
    def log_settings(self) -> Logs:
        """`logs`, or `observability.logs`, which it is short for."""
        return self.logs or self.observability.logs

    @property
    def checks(self) -> HealthCheck:
        """The health check with its defaults, also where the manifest has no such section."""
        return self.health_check or _USUAL_CHECKS

    @property
    def open_ports(self) -> tuple[ContainerPort, ...]:
        """`ports`, or the one that `port` is short for."""
        short = (ContainerPort(port=self.port),) if self.port is not None else ()
        return self.ports or short

    @property
    def main_port(self) -> int | None:
        """What a load balancer sends to; None for a worker."""
        return self.ports[0].port if self.ports else self.port

    @property
    def main_protocol(self) -> str:
        """http, http2, grpc or tcp; http for a worker."""
        return self.ports[0].protocol if self.ports else "http"

    @property
    def check_protocol(self) -> str:
        """http, https, grpc or tcp."""
        spoken = self.main_protocol
        return self.checks.protocol or ("http" if spoken == "http2" else spoken)

    @property
    def check_path(self) -> str:
        """A path, or gRPC's method; "" where a connection is enough."""
        path = self.checks.path
        match self.check_protocol:
            case "tcp":
                return ""
            case "grpc":
                return GRPC_PATH if path == DEFAULT_PATH else path
        return path

    @property
    def healthy_codes(self) -> str:
        """Of HTTP or gRPC; "" where a connection is enough."""
        if self.check_protocol == "tcp":
            return ""
        usual = _GRPC_CODES if self.check_protocol == "grpc" else _HTTP_CODES
        return self.checks.matcher or usual

    @property
    def offered_port(self) -> int | None:
        """What others reach by Service Connect; None for one that only reaches others."""
        connect = self.networking.connect
        return (connect.port or self.main_port) if connect is not None else None

    @property
    def timeout_seconds(self) -> int | None:
        return None if self.timeout is None else seconds_of(self.timeout)

    @property
    def steady_for(self) -> int:
        """Seconds; see `Deployment.steady_for`."""
        said = self.deployment.steady_for
        if said is not None:
            return said
        is_checked = self.main_port is not None or self.checks.command is not None
        return 0 if is_checked else STEADY_FOR


@section
class Dependency:
    type: Annotated[str, Limits(min_length=1)] = key(
        description="A Terraform-style type, aws_s3_bucket and others."
    )
    name: Annotated[str, Limits(min_length=1)] = key(
        description="The resource's name.", examples=("offers-${ENV}",)
    )
    permissions: Annotated[tuple[str, ...], Limits(min_length=1)] = key(
        description="IAM actions, service:Action.", examples=(("s3:GetObject", "s3:ListBucket"),)
    )


@section
class Manifest:
    """One Service YAML, interpolated and overridden."""

    api_version: Literal["fsd/v1"] = key(description="The language's version.")
    kind: Literal["Service", "Job"] = key(
        description="Service: runs all the time; Job: runs by a schedule or by hand, and ends."
    )
    metadata: Metadata = key(description="Who it is and whose.")
    service: Service = key(description="What runs, and how.")
    environments: dict[str, object] = key(
        default={},
        description="By environment, keys of `service` and `metadata.owners` that differ in it.",
    )
    dependencies: tuple[Dependency, ...] = key(
        default=(), description="What the service may use, and how: becomes its task role."
    )

    @property
    def is_job(self) -> bool:
        return self.kind == "Job"
