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
    ExistingSchedule,
    OwnGroups,
    QueueDepth,
    RegistryCredentials,
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

SHIFTED_BAKE_TIME = 5  # minutes
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
        description="The service's name. FSD derives every name on AWS from it.",
        examples=("offer-api",),
    )
    pack: Annotated[str, Limits(pattern=r"^[\w .:/=+@-]+$", max_length=128)] = key(
        description="The team that owns the service. It becomes a tag.", examples=("offers",)
    )
    owners: tuple[Owner, ...] = key(
        default=(),
        description="GitHub handles (@user or @org/team) to notify when a deployment fails.",
        examples=(("@org/offers",),),
    )


@section
class HealthCheck:
    path: HttpPath = key(
        default=DEFAULT_PATH,
        description="The path that the check requests; for gRPC, the method, such as "
        "`/grpc.health.v1.Health/Check`. Only for a service with a port.",
    )
    command: Command | ShellCommand | None = key(
        default=None,
        description="A command that ECS runs in the container as the health check. A string runs "
        "in a shell. This is the only check that a worker can have.",
        examples=(("python", "-m", "app.alive"),),
    )
    port: Port | None = key(
        default=None,
        description="The port that the check uses. By default, the service's first port.",
        examples=(8081,),
    )
    protocol: Literal["http", "https", "grpc", "tcp"] | None = key(
        default=None,
        description="The protocol of the check: https if the container itself speaks TLS on that "
        "port, tcp if a connection is enough. By default, the protocol of the port.",
    )
    matcher: Annotated[str, Limits(pattern=MATCHER_PATTERN)] | None = key(
        default=None,
        description="The status codes that count as healthy. For HTTP, from 200 to 499 (by "
        "default, `200-299`); for gRPC, from 0 to 99 (by default, `0`).",
        examples=("200-399",),
    )
    interval: Annotated[int, Limits(ge=5, le=300)] = key(
        default=30, description="Seconds from one check to the next."
    )
    timeout: Annotated[int, Limits(ge=2, le=120)] = key(
        default=5,
        description="Seconds after which a check without an answer has failed. Must "
        "be less than `interval`.",
    )
    healthy_threshold: Annotated[int, Limits(ge=2, le=10)] = key(
        default=2,
        description="Number of passed checks after which an unhealthy target counts "
        "as healthy again.",
    )
    unhealthy_threshold: Annotated[int, Limits(ge=2, le=10)] = key(
        default=3, description="Number of failed checks after which a target counts as unhealthy."
    )
    start_period: Annotated[int, Limits(ge=0, le=300)] | None = key(
        default=None,
        description="Seconds after a container's start in which failed checks in the container "
        "do not count. By default, `gracePeriod`, up to 300.",
    )
    grace_period: Annotated[int, Limits(ge=0, le=2_147_483_647)] = key(
        default=60,
        description="Seconds after a task's start in which failed checks do not count.",
    )


@section
class Resources:
    cpu: Annotated[int, Limits(gt=0)] = key(default=512, description="CPU units; 1024 is one vCPU.")
    memory: Annotated[int, Limits(gt=0)] = key(default=1024, description="Memory in MiB.")
    ephemeral_storage: Annotated[int, Limits(ge=21, le=200)] | None = key(
        default=None, description="Disk space in GiB. By default, Fargate's 20 GiB."
    )
    spot: bool | Spot | None = key(
        default=None,
        description="`true` makes every task a Spot task; a section says how many are.",
    )
    desired_count: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="Number of tasks. By default, the first deployment starts one task, and "
        "later deployments do not change the count.",
    )
    min_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="The smallest number of tasks that auto scaling sets. By "
        "default, `desiredCount`.",
    )
    max_capacity: Annotated[int, Limits(ge=0, le=5000)] | None = key(
        default=None,
        description="The largest number of tasks that auto scaling sets. By "
        "default, the larger of `desiredCount` and `minCapacity`.",
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
        default=None,
        written="targetCPUUtilization",
        description="Average CPU utilization to maintain, in percent.",
    )
    target_memory_utilization: Percent | None = key(
        default=None, description="Average memory utilization to maintain, in percent."
    )
    target_queue_depth: QueueDepth | None = key(
        default=None, description="Number of messages in a queue to maintain for each task."
    )
    target_requests_per_task: Annotated[int, Limits(ge=1)] | None = key(
        default=None,
        description="Number of requests per minute from the load balancer to maintain for each "
        "task.",
    )
    metric: TrackedMetric | None = key(
        default=None, description="A metric of your own to maintain at a value."
    )
    schedules: tuple[ScalingSchedule, ...] = key(
        default=(),
        description="Bounds that apply from a given time until the next schedule sets others.",
    )
    scale_in_cooldown: Cooldown = key(
        default=300, description="Seconds between two steps that remove tasks."
    )
    scale_out_cooldown: Cooldown = key(
        default=300, description="Seconds between two steps that add tasks."
    )


@section
class Secret:
    name: EnvironmentName = key(
        description="The environment variable that gets the value.", examples=("DB_PASSWORD",)
    )
    value_from: Annotated[str, Limits(min_length=1)] = key(
        description="The full ARN of a Secrets Manager secret, optionally followed by "
        "`:json-key:stage:version`; or a Systems Manager parameter, by its ARN or by its name, "
        "which starts with a slash.",
        examples=("arn:aws:secretsmanager:eu-west-1:123456789012:secret:offers/db-a1B2c3",),
    )


@section
class Domain:
    """A name of yours for the load balancer, in a hosted zone of Route 53."""

    name: Annotated[str, Limits(pattern=DOMAIN_PATTERN, max_length=253)] = key(
        description="The name that clients use.", examples=("offers.example.com",)
    )
    hosted_zone: Annotated[str, Limits(pattern=HOSTED_ZONE_PATTERN)] = key(
        description="The ID of the Route 53 hosted zone that contains the name.",
        examples=("Z0123456789ABCDEFGHIJ",),
    )


@section
class AccessLogs:
    """A line for each request, in files in S3."""

    bucket: Annotated[str, Limits(pattern=BUCKET_PATTERN, max_length=63)] = key(
        description="An existing bucket whose policy lets the load balancer write to it.",
        examples=("offers-logs",),
    )
    prefix: Annotated[str, Limits(pattern=LOG_PREFIX_PATTERN, max_length=512)] = key(
        default="", description="A folder in the bucket.", examples=("alb",)
    )


@section
class LoadBalancer:
    type: Literal["application", "network"] = key(
        default="application",
        description="`application` for HTTP; `network` for TCP connections, which it passes to "
        "the service as they are.",
    )
    internal: bool = key(
        default=True, description="`false` makes the load balancer reachable from the internet."
    )
    certificate_arn: Annotated[str, Limits(pattern=CERTIFICATE_PATTERN)] | None = key(
        default=None,
        description="The ACM certificate for HTTPS on port 443. Port 80 then redirects to it.",
        examples=("arn:aws:acm:eu-west-1:123456789012:certificate/12345678-abcd",),
    )
    listener_arn: Annotated[str, Limits(pattern=LISTENER_PATTERN)] | None = key(
        default=None,
        description="An existing listener to which FSD adds a rule for the service instead of "
        "creating a load balancer.",
    )
    target_group_arn: Annotated[str, Limits(pattern=TARGET_GROUP_PATTERN)] | None = key(
        default=None,
        description="An existing target group in which the tasks register. FSD then creates no "
        "target group, listener or health check.",
    )
    shared: Annotated[str, Limits(pattern=HOST_PATTERN, max_length=24)] | None = key(
        default=None,
        description="The name of a load balancer that several services of the environment share. "
        "FSD creates it with the first service and deletes it with the last.",
        examples=("main",),
    )
    hosts: tuple[Annotated[str, Limits(pattern=HOST_RULE_PATTERN, max_length=128)], ...] = key(
        default=(),
        description="Host names whose requests go to the service, with `shared` or "
        "`listenerArn`. `*` and `?` are wildcards.",
        examples=(("api.example.com",),),
    )
    paths: tuple[Annotated[str, Limits(pattern=HTTP_PATH_PATTERN, max_length=128)], ...] = key(
        default=(),
        description="Paths whose requests go to the service, with `shared` or `listenerArn`. `*` "
        "and `?` are wildcards.",
        examples=(("/offers", "/offers/*"),),
    )
    domain: Domain | None = key(
        default=None,
        description="A name in Route 53 for the load balancer. If the service has its own load "
        "balancer and no `certificateArn`, FSD also requests a certificate for the name.",
    )
    priority: Annotated[int, Limits(ge=1, le=50_000)] | None = key(
        default=None,
        description="The priority of the listener rule. By default, FSD derives it from the "
        "hosts, the paths and the service's name.",
    )
    idle_timeout: Annotated[int, Limits(ge=1, le=6000)] | None = key(
        default=None,
        description="Seconds after which an idle connection is closed: up to 4000, and with "
        "`type: network` from 60 to 6000. By default, AWS's 60 s, or 350 s for a network load "
        "balancer.",
    )
    access_logs: AccessLogs | None = key(
        default=None,
        description="Where the load balancer writes access logs. By default, it writes none.",
    )
    stickiness: Annotated[int, Limits(ge=1, le=604_800)] | None = key(
        default=None,
        description="Seconds for which a client's requests go to the same task. By "
        "default, any request can go to any task.",
    )
    ingress: tuple[Annotated[str, Limits(pattern=CIDR_PATTERN)], ...] = key(
        default=(),
        description="CIDR blocks that may reach the load balancer. By default, the VPC's, or "
        "every address with `internal: false`.",
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
        default=True,
        description="`true` runs the tasks in private subnets without public IP "
        "addresses; `false`, in public subnets with them.",
    )
    load_balancer: LoadBalancer | None = key(default=None, description="Absent: none.")
    connect: Connect | None = key(
        default=None,
        description="ECS Service Connect. By default, other services cannot reach "
        "the service by a name.",
    )
    security_groups: SecurityGroupIds | OwnGroups | None = key(
        default=None,
        description="Existing security groups that the tasks get in addition to the one that FSD "
        "creates.",
        examples=(("sg-0a1b2c3d4e5f60718",),),
    )
    subnets: Annotated[tuple[SubnetId, ...], Limits(max_length=16)] = key(
        default=(),
        description="The subnets in which the tasks run. By default, the environment's.",
        examples=(("subnet-0a1b2c3d4e5f60718",),),
    )

    @property
    def own_groups(self) -> OwnGroups | None:
        """None where the tasks have FSD's alone."""
        given = self.security_groups
        return OwnGroups(ids=given) if isinstance(given, tuple) else given


@section
class Metrics:
    enabled: bool = key(default=True, description="Whether Prometheus metrics are collected.")
    port: Port = key(default=9090, description="The port that serves the metrics.")
    path: HttpPath = key(default="/metrics", description="The path that serves the metrics.")


@section
class Traces:
    enabled: bool = key(default=True, description="Whether OpenTelemetry traces are sent.")
    otlp_endpoint: Annotated[str, Limits(pattern=r"^https?://")] | None = key(
        default=None,
        description="The OTLP endpoint that receives the traces. By default, a collector runs "
        "next to the service.",
        examples=("http://collector:4317",),
    )


@section
class Logs:
    enabled: bool = key(default=True, description="Whether logs go to CloudWatch.")
    retention: Annotated[int, Limits(ge=1)] = key(
        default=30,
        description="Days for which CloudWatch keeps the logs: one of the values that it accepts.",
    )
    group: Annotated[str, Limits(pattern=LOG_GROUP_PATTERN, max_length=512)] | None = key(
        default=None,
        description="An existing log group. By default, FSD creates one.",
        examples=("/copilot/shop-prod-api",),
    )
    kms_key: Annotated[str, Limits(pattern=KMS_KEY_PATTERN)] | None = key(
        default=None,
        description="The KMS key with which CloudWatch encrypts the logs. Its key policy must "
        "allow CloudWatch Logs to use it.",
        examples=("arn:aws:kms:eu-west-1:123456789012:key/12345678-abcd",),
    )
    driver: Literal["awslogs", "awsfirelens"] = key(
        default="awslogs",
        description="With `awsfirelens`, Fluent Bit runs next to the service and forwards its "
        "log lines.",
    )
    options: dict[str, str] = key(
        default={},
        description="Options of Fluent Bit's output, with `driver: awsfirelens`. `Name` selects "
        "the output.",
        examples=({"Name": "firehose", "delivery_stream": "offers"},),
    )


@section
class Observability:
    metrics: Metrics | None = key(default=None, description="Absent: off.")
    traces: Traces | None = key(default=None, description="Absent: off.")
    logs: Logs = key(
        default=Logs(), description="Logs. By default, they are on and kept for 30 days."
    )


@section
class CircuitBreaker:
    threshold: Annotated[int, Limits(ge=1, le=200)] = key(
        description="Number of failed tasks after which ECS ends the deployment (threshold type "
        "COUNT)."
    )


@section
class EarlySuccess:
    healthy_percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100,
        description="The deployment is done when this percentage of `desiredCount` is running as "
        "healthy new tasks.",
    )
    cleanup: Literal["deferred", "blocking"] = key(
        default="deferred",
        description="Whether the deployment is done before the old tasks are drained and stopped "
        "(`deferred`) or after (`blocking`).",
    )


@section
class CanaryShift:
    percent: Percent = key(
        default=5, description="Percent of the traffic that the new tasks get first."
    )
    bake_time: Annotated[int, Limits(ge=0, le=1440)] = key(
        default=10, description="Minutes until the new tasks get the rest."
    )


@section
class LinearShift:
    step_percent: Annotated[int, Limits(ge=3, le=100)] = key(
        default=10, description="Percent of the traffic that moves with each step."
    )
    step_bake_time: Annotated[int, Limits(ge=0, le=1440)] = key(
        default=6, description="Minutes between two steps."
    )


@section
class Approval:
    stage: Literal["postScaleUp", "preProductionTrafficShift", "postProductionTrafficShift"] = key(
        default="postScaleUp",
        description="When it pauses: once the new tasks are healthy, before each shift of the "
        "traffic, or after the last one.",
    )
    timeout: Duration = key(
        default="24h", description="How long the deployment waits for an answer."
    )
    then: Literal["rollback", "continue"] = key(
        default="rollback", description="What ECS does if there is no answer in that time."
    )

    @property
    def minutes(self) -> int:
        """Of `timeout`, rounded up: ECS counts whole ones."""
        return -(-seconds_of(self.timeout) // 60)


@section
class Deployment:
    strategy: Literal["rolling", "blueGreen", "canary", "linear"] = key(
        default="rolling",
        description="How tasks are replaced: in batches (`rolling`), or by new tasks beside all "
        "old ones, which get the traffic at once, first a small part of it, or in equal steps.",
    )
    canary: CanaryShift | None = key(
        default=None, description="For `strategy: canary`. By default, 5 % for 10 minutes."
    )
    linear: LinearShift | None = key(
        default=None, description="For `strategy: linear`. By default, 10 % every 6 minutes."
    )
    approval: Approval | None = key(
        default=None,
        description="The deployment pauses until somebody runs `fsd approve` or `fsd reject`.",
        examples=({"timeout": "4h"},),
    )
    minimum_healthy_percent: Annotated[int, Limits(ge=0, le=100)] = key(
        default=100,
        description="The smallest number of healthy tasks during a deployment, in "
        "percent of `desiredCount`.",
    )
    maximum_percent: Annotated[int, Limits(ge=100, le=400)] = key(
        default=200,
        description="The largest number of tasks during a deployment, in percent of "
        "`desiredCount`.",
    )
    circuit_breaker: CircuitBreaker | None = key(
        default=None,
        description="The threshold of the circuit breaker, which is always on. By "
        "default, ECS's own threshold.",
    )
    deregistration_delay: Annotated[int, Limits(ge=0, le=3600)] = key(
        default=30, description="Seconds that a draining target has to finish its requests."
    )
    bake_time: Annotated[int, Limits(ge=0, le=1440)] | None = key(
        default=None,
        description="Minutes for which ECS watches the alarms at the end of a deployment. If "
        "traffic shifts, the old tasks stay for that time; by default, 5.",
    )
    alarms: tuple[str, ...] = key(
        default=(), description="Names of CloudWatch alarms that roll a deployment back."
    )
    early_success: EarlySuccess | None = key(
        default=None,
        description="When a deployment is done early. By default, it is done once the old tasks "
        "are drained and stopped.",
    )
    steady_for: Annotated[int, Limits(ge=0, le=3600)] | None = key(
        default=None,
        description="Seconds after the rollout in which a task that ends by itself makes the "
        "release fail. By default, 60 if nothing checks the service's health, otherwise 0.",
    )

    @property
    def shifts_traffic(self) -> bool:
        """Whether new tasks start beside all old ones, in a target group of their own."""
        return self.strategy != "rolling"

    @property
    def bake_minutes(self) -> int | None:
        """None where ECS decides: by the alarms of a rolling deployment."""
        if self.bake_time is None and self.shifts_traffic:
            return SHIFTED_BAKE_TIME
        return self.bake_time


_USUAL_CHECKS = HealthCheck()


@section
class Service:
    type: Literal["ecs"] = key(description="The platform: Fargate on Amazon ECS.")
    existing_service: Annotated[str, Limits(pattern=r"^[A-Za-z0-9_-]+$", max_length=255)] | None = (
        key(
            default=None,
            description="The name of an ECS service that another tool created and that "
            "deployments take over. By default, FSD's own `<name>-<environment>`.",
            examples=("shop-prod-api-Service-Ab1Cd2",),
        )
    )
    port: Port | None = key(
        default=None,
        description="The container's port. A service without a port has no load balancer.",
        examples=(8000,),
    )
    ports: tuple[ContainerPort, ...] = key(
        default=(),
        description="The ports of the container, instead of `port`: for several ports, or for a "
        "protocol other than HTTP.",
        examples=(({"name": "grpc", "port": 50051, "protocol": "grpc"},),),
    )
    health_check: HealthCheck | None = key(
        default=None, description="How to check whether a task is healthy."
    )
    resources: Resources = key(
        default=Resources(), description="The size and the number of the tasks."
    )
    auto_scaling: AutoScaling | None = key(
        default=None, description="Auto scaling. By default, the number of tasks is not scaled."
    )
    environment: dict[EnvironmentName, str] = key(
        default={}, description="Environment variables. They must not contain secrets."
    )
    secrets: tuple[Secret, ...] = key(
        default=(),
        description="Environment variables whose values ECS reads from secrets when a task starts.",
    )
    environment_files: Annotated[tuple[EnvironmentFile, ...], Limits(max_length=10)] = key(
        default=(),
        description="ARNs of files in S3 with one NAME=value per line. `environment` takes "
        "precedence over them.",
        examples=(("arn:aws:s3:::offers-config/api.env",),),
    )
    roles: Roles | None = key(
        default=None, description="Existing IAM roles. By default, FSD creates both roles."
    )
    networking: Networking = key(
        default=Networking(), description="The network in which the service runs."
    )
    observability: Observability = key(
        default=Observability(), description="Metrics, traces and logs."
    )
    logs: Logs | None = key(default=None, description="A short form of `observability.logs`.")
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
        description="An existing image, which FSD then does not build.",
        examples=("123456789012.dkr.ecr.eu-west-1.amazonaws.com/offer-api:v1",),
    )
    repository_credentials: RegistryCredentials | None = key(
        default=None,
        description="The ARN of a secret with the `username` and `password` for a private "
        "registry.",
        examples=("arn:aws:secretsmanager:eu-west-1:123456789012:secret:offers/ghcr-a1B2c3",),
    )
    build: Build | None = key(default=None, description="How to build the image.")
    platform: Literal["X86_64", "ARM64"] = key(
        default="X86_64", description="The CPU architecture."
    )
    exec: bool = key(
        default=False,
        description="Whether `fsd exec` can open a shell in a running task (ECS Exec). The task "
        "role gets the permissions for it.",
    )
    stop_timeout: Annotated[int, Limits(ge=2, le=120)] = key(
        default=30, description="Seconds from SIGTERM to SIGKILL when a task is stopped."
    )
    user: Annotated[str, Limits(min_length=1)] | None = key(
        default=None,
        description="Overrides the image's USER: a name or an ID, optionally with `:group`.",
    )
    working_directory: Annotated[str, Limits(pattern=HTTP_PATH_PATTERN)] | None = key(
        default=None, description="Overrides the image's WORKDIR.", examples=("/app",)
    )
    init: bool = key(
        default=True,
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
        description="Kernel settings (sysctl). Settings of `net.…` apply to the whole task.",
        examples=(({"namespace": "net.ipv4.tcp_keepalive_time", "value": "120"},),),
    )
    enable_fault_injection: bool = key(
        default=False,
        description="Whether AWS Fault Injection Service may disrupt the network of the tasks.",
    )
    docker_labels: dict[str, str] = key(default={}, description="Docker labels of the container.")
    tags: dict[str, TagValue] = key(
        default={},
        description="Tags for everything that FSD creates for the service, in "
        "addition to FSD's own.",
    )
    sidecars: tuple[Sidecar, ...] = key(
        default=(), description="Containers that run next to the service in the same task."
    )
    depends_on: dict[ContainerName, Condition] = key(
        default={},
        description="Sidecars that the service waits for, each with a condition: START, "
        "COMPLETE, SUCCESS or HEALTHY.",
        examples=({"migrate": "SUCCESS"},),
    )
    volumes: tuple[Volume, ...] = key(
        default=(), description="Folders on EFS, or folders that the task's containers share."
    )
    before_deploy: DeployStep | None = key(
        default=None,
        description="A task to run before the rollout. If it fails, nothing that is running is "
        "changed.",
    )
    after_deploy: DeployStep | None = key(
        default=None,
        description="A task to run after a rollout that succeeded. If it fails, FSD warns.",
    )
    deployment: Deployment = key(default=Deployment(), description="How ECS rolls out a release.")
    schedule: Annotated[str, Limits(pattern=SCHEDULE_PATTERN, max_length=256)] | None = key(
        default=None,
        description="When a Job runs. By default, only `fsd run` starts it.",
        examples=("rate(1 hour)", "cron(0 6 * * ? *)"),
    )
    timezone: Annotated[str, Limits(pattern=ZONE_PATTERN, max_length=50)] | None = key(
        default=None,
        description="The time zone of a `cron` schedule. By default, UTC.",
        examples=("Europe/Berlin",),
    )
    timeout: Duration | None = key(
        default=None,
        description="How long a run of a Job may take before it is stopped and "
        "counts as failed. By default, there is no limit.",
    )
    retries: Annotated[int, Limits(ge=0, le=185)] | None = key(
        default=None,
        description="How often EventBridge Scheduler tries again if ECS does not start a run. By "
        "default, 3. A run that fails is not repeated.",
    )

    existing_schedule: ExistingSchedule | None = key(
        default=None,
        description="What another tool created to start the task of a Job. A deployment with "
        "--adopt disables it when FSD's own schedule begins.",
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
        description="The type of the resource, as in Terraform, such as aws_s3_bucket."
    )
    name: Annotated[str, Limits(min_length=1)] = key(
        description="The resource's name.", examples=("offers-${ENV}",)
    )
    permissions: Annotated[tuple[str, ...], Limits(min_length=1)] = key(
        description="IAM actions, such as s3:GetObject.",
        examples=(("s3:GetObject", "s3:ListBucket"),),
    )


@section
class Manifest:
    """One Service YAML, interpolated and overridden."""

    api_version: Literal["fsd/v1"] = key(description="The version of this format.")
    kind: Literal["Service", "Job"] = key(
        description="A Service runs all the time. A Job runs on a schedule or when you start it, "
        "and ends."
    )
    metadata: Metadata = key(description="The service's name and owners.")
    service: Service = key(description="What runs, and how it runs.")
    environments: dict[str, object] = key(
        default={},
        description="Keys of `service`, and `metadata.owners`, that have other values in an "
        "environment.",
    )
    dependencies: tuple[Dependency, ...] = key(
        default=(),
        description="AWS resources that the service uses, with the permissions that "
        "its task role gets.",
    )

    @property
    def is_job(self) -> bool:
        return self.kind == "Job"
