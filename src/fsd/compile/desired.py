"""What a release wants AWS to look like: the output of `compile`, the input of `plan`.

Values are plain: the template and the API inputs are dicts in AWS's own spelling, so that what is
planned is what is sent. The only thing not known before the stack is applied is its outputs; the
service names them (`StackOutput`) and `resolve` fills them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = dict[str, "JsonValue"]
JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

# Outputs of every stack that FSD makes. The load balancer's are absent for a worker.
OUTPUT_TASK_SECURITY_GROUP = "TaskSecurityGroupId"
OUTPUT_TARGET_GROUP = "TargetGroupArn"
OUTPUT_ALTERNATE_GROUP = "AlternateTargetGroupArn"  # of a service whose traffic shifts
OUTPUT_PRODUCTION_RULE = "ProductionRuleArn"  # the same: the listener rule that ECS changes
OUTPUT_INFRASTRUCTURE_ROLE = "InfrastructureRoleArn"  # the same: with which ECS changes it
OUTPUT_URL = "ServiceUrl"
OUTPUT_LOAD_BALANCER = "LoadBalancerArn"
OUTPUT_REQUEST_LABEL = "RequestCountLabel"  # of a target group behind a load balancer
OUTPUT_SCHEDULE_ROLE = "ScheduleRoleArn"  # of a Job
OUTPUT_SERVICE = "ServiceName"  # only where the manifest says `existingService`

# The tag of a revision whose tasks are watched after a rollout: for how many seconds.
STEADY_TAG = "fsd:steady-for"

# The tag of a revision whose `beforeDeploy` succeeded: the task that ran it.
BEFORE_TAG = "fsd:before-deploy"

# The docker label that makes a load balancer's health check part of the revision.
HEALTH_CHECK_LABEL = "fsd.health-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a release goes: everything about the account that compiling needs."""

    environment: str
    account: str
    region: str
    partition: str  # aws, aws-cn, aws-us-gov
    cluster: str
    vpc_id: str
    vpc_cidr: str
    task_subnets: tuple[str, ...]  # private with `vpc: true`, else public
    load_balancer_subnets: tuple[str, ...]
    protected: bool = False
    permissions_boundary: str = ""  # ARN; of every role that a stack makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image in a registry: what is deployed is `uri`, by digest wherever it is known.

    Only an image of a registry that FSD cannot ask has no digest.
    """

    repository: str  # registry/name, no tag
    digest: str  # sha256:…
    tag: str = ""  # for people: the commit's SHA

    @property
    def uri(self) -> str:
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag or 'latest'}"


# Stand for a release's version and commit where only they differ from what runs.
ANY_VERSION = "fsd-any-version"
ANY_COMMIT = "fsd-any-commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the ledger (the task definition's tags) says of a release."""

    version: str  # a label, or the short commit
    commit: str  # full SHA, "" outside git
    run: str = ""  # GitHub run URL, or user@host
    forced: str = ""  # what was forced over the environment's border, and by whom
    promoted_from: str = ""  # the path of the digest until here, as the ledger notes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A metric of CloudWatch that a policy keeps at its target."""

    name: str  # queue, metric: the end of the policy's name
    target: float
    specification: Json  # CustomizedMetricSpecification


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledBounds:
    """A scheduled action of Application Auto Scaling; None leaves a bound as it is."""

    name: str  # the end of the action's name
    expression: str
    time_zone: str
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Application Auto Scaling of one service. Targets in percent, cooldowns in seconds."""

    minimum: int
    maximum: int
    cpu: float | None
    memory: float | None
    scale_in_cooldown: int
    scale_out_cooldown: int
    tracked: tuple[Tracked, ...] = ()  # beside cpu and memory
    schedules: tuple[ScheduledBounds, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSettings:
    """None where nobody said it."""

    certificate: str | None = None
    ingress: tuple[str, ...] | None = None
    idle_timeout: int | None = None  # seconds
    log_bucket: str | None = None  # of access logs
    log_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBalancer:
    """A load balancer that several services of an environment have, in a stack of its own."""

    stack_name: str
    name: str
    is_internal: bool
    settings: SharedSettings
    target: Target

    @property
    def tags(self) -> dict[str, str]:
        return {"fsd:shared": self.name, "fsd:environment": self.target.environment}


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredService:
    """Input of CreateService/UpdateService, less what only the stack knows."""

    name: str
    cluster: str
    desired_count: int  # used on create; on update only where the manifest says it
    subnets: tuple[str, ...]
    assign_public_ip: bool
    container: str
    port: int | None  # None: no load balancer
    has_load_balancer: bool
    grace_period: int | None  # seconds
    deployment_configuration: Json  # as in the API
    tags: Mapping[str, str]
    exec: bool = False  # ECS Exec
    connect: Json | None = None  # serviceConnectConfiguration, in the cluster's namespace
    capacity: tuple[Json, ...] = ()  # capacityProviderStrategy; () Fargate on demand
    security_groups: tuple[str, ...] = ()  # that the manifest names
    has_own_group: bool = True  # and the stack's
    count_is_said: bool = True  # False: no `desiredCount`, so an update leaves the count alone

    @property
    def shifts_traffic(self) -> bool:
        """BLUE_GREEN, CANARY or LINEAR."""
        return self.deployment_configuration.get("strategy", "ROLLING") != "ROLLING"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A task that runs once, with the settings of the service's task definition."""

    command: tuple[str, ...]
    timeout: int  # seconds
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cpu: int | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSchedule:
    """Input of CreateSchedule/UpdateSchedule, less what only the stack and the revision know."""

    name: str
    expression: str
    time_zone: str
    is_enabled: bool  # False: nothing starts it but a hand; it holds the revision all the same
    retries: int  # starts that are tried again where ECS starts nothing
    cluster_arn: str
    takes_over: str = ""  # ARN of what starts the task until this schedule does


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    name: str  # the ECS service's: <service>-<env>, or what the manifest says
    family: str  # of its task definitions: <service>-<env>
    service_name: str  # metadata.name
    environment: str
    stack_name: str
    template: Json  # CloudFormation; serialised with sorted keys when it is sent
    stack_tags: Mapping[str, str]
    task_definition: Json  # RegisterTaskDefinition input, without tags
    task_definition_tags: Mapping[str, str]
    service: DesiredService
    scaling: Scaling | None  # None: not scaled; what FSD scaled before ends
    log_group: str
    health_path: str
    drain: int = 0  # seconds that a target may finish its requests in; 0 without a load balancer
    check_port: int | None = None  # where a check in the container asks; None: none does
    steady_for: int = 0  # seconds after the rollout in which no task may end by itself
    shared: SharedBalancer | None = None  # a load balancer that it has with others
    owners: tuple[str, ...] = ()
    before: OneOff | None = None  # runs before the rollout
    after: OneOff | None = None  # runs once it has succeeded
    schedule: DesiredSchedule | None = None  # of a Job, which has no ECS service
    # The task definition with ANY_VERSION and ANY_COMMIT in place of the release's own. None where
    # the release was given a version, which is then part of what is asked for.
    unnamed: Json | None = None
