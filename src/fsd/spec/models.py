"""The Service YAML as typed, frozen values: every key, its default and its description.

pydantic checks shape and range. What needs more than one key (a Fargate pair that exists, capacity
order, timings that fit together) is checked in `fsd.lint`, where a finding can name a fix.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

API_VERSION = "fsd/v1"
NAME_PATTERN = r"^[a-z][a-z0-9-]*[a-z0-9]$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=255)]
Owner = Annotated[str, StringConstraints(pattern=r"^@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$")]
HttpPath = Annotated[str, StringConstraints(pattern=r"^/", max_length=1024)]
Port = Annotated[int, Field(ge=1, le=65535)]
Percent = Annotated[int, Field(ge=1, le=100)]
Cooldown = Annotated[int, Field(ge=0, le=86400)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Model(BaseModel):
    """Frozen, strict about unknown keys, camelCase in the file and snake_case here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True
    )


class Metadata(Model):
    name: Name = Field(description="The service's name; every AWS name is derived from it.")
    pack: str = Field(
        pattern=r"^[\w .:/=+@-]+$", max_length=128, description="The owning team; becomes a tag."
    )
    owners: tuple[Owner, ...] = Field(
        default=(),
        description="GitHub handles, @user or @org/team, named when a deployment fails.",
    )


class HealthCheck(Model):
    path: HttpPath = Field(default="/health", description="The path that answers 200 when healthy.")
    interval: int = Field(default=30, ge=5, le=300, description="Seconds between checks.")
    timeout: int = Field(default=5, ge=2, le=120, description="Seconds; must be below interval.")
    healthy_threshold: int = Field(
        default=2, ge=2, le=10, description="Passing checks until a recovering target is healthy."
    )
    unhealthy_threshold: int = Field(
        default=3, ge=2, le=10, description="Failing checks until a target is unhealthy."
    )
    grace_period: int = Field(
        default=60,
        ge=0,
        le=2_147_483_647,
        description="Seconds after a task's start in which failing checks do not count.",
    )


class Resources(Model):
    cpu: int = Field(default=512, gt=0, description="CPU units; 1024 is one vCPU.")
    memory: int = Field(default=1024, gt=0, description="MiB.")
    desired_count: int | None = Field(
        default=None, ge=0, le=5000, description="Number of tasks; 1 unless said."
    )
    min_capacity: int | None = Field(
        default=None, ge=0, le=5000, description="Lower bound of auto scaling; desiredCount."
    )
    max_capacity: int | None = Field(
        default=None, ge=0, le=5000, description="Upper bound; max(desiredCount, minCapacity)."
    )

    @property
    def desired(self) -> int:
        return 1 if self.desired_count is None else self.desired_count

    @property
    def minimum(self) -> int:
        return self.desired if self.min_capacity is None else self.min_capacity

    @property
    def maximum(self) -> int:
        return max(self.desired, self.minimum) if self.max_capacity is None else self.max_capacity


class AutoScaling(Model):
    target_cpu_utilization: Percent | None = Field(
        default=None, alias="targetCPUUtilization", description="Average CPU to keep, percent."
    )
    target_memory_utilization: Percent | None = Field(
        default=None, description="Average memory to keep, percent."
    )
    scale_in_cooldown: Cooldown = Field(default=300, description="Seconds.")
    scale_out_cooldown: Cooldown = Field(default=300, description="Seconds.")


class Secret(Model):
    name: EnvironmentName = Field(description="The environment variable that gets the value.")
    value_from: str = Field(
        min_length=1,
        description="Full Secrets Manager ARN, with :json-key:stage:version if wanted, or an SSM "
        "parameter ARN.",
    )


class LoadBalancer(Model):
    type: Literal["application"] = Field(default="application", description="The only type.")
    internal: bool = Field(default=True, description="false makes it reachable from the internet.")
    certificate_arn: str | None = Field(
        default=None,
        pattern=r"^arn:[a-z-]+:(acm|iam):",
        description="An ACM certificate: HTTPS on 443, and 80 redirects to it.",
    )


class Networking(Model):
    vpc: bool = Field(
        default=True, description="true: private subnets and no public IP; false: public subnets."
    )
    load_balancer: LoadBalancer | None = Field(default=None, description="Absent: none.")


class Metrics(Model):
    enabled: bool = Field(default=True, description="Prometheus metrics are scraped.")
    port: Port = Field(default=9090, description="The port that serves them.")
    path: HttpPath = Field(default="/metrics", description="The path that serves them.")


class Traces(Model):
    enabled: bool = Field(default=True, description="OpenTelemetry traces are sent.")
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="An OTLP endpoint; without one a collector runs beside the service.",
    )


class Logs(Model):
    enabled: bool = Field(default=True, description="Logs go to CloudWatch.")
    retention: int = Field(default=30, ge=1, description="Days; one of CloudWatch's values.")


class Observability(Model):
    metrics: Metrics | None = Field(default=None, description="Absent: off.")
    traces: Traces | None = Field(default=None, description="Absent: off.")
    logs: Logs = Field(default=Logs(), description="On, kept for 30 days.")


class CircuitBreaker(Model):
    threshold: int = Field(
        ge=1, le=200, description="Failed tasks after which ECS gives up (its COUNT type)."
    )


class Deployment(Model):
    strategy: Literal["rolling"] = Field(default="rolling", description="How tasks are replaced.")
    minimum_healthy_percent: int = Field(
        default=100, ge=0, le=100, description="Healthy tasks to keep, percent of desiredCount."
    )
    maximum_percent: int = Field(
        default=200, ge=100, le=400, description="Tasks allowed, percent of desiredCount."
    )
    circuit_breaker: CircuitBreaker | None = Field(
        default=None, description="Absent: ECS's own threshold. The breaker itself is always on."
    )
    deregistration_delay: int = Field(
        default=30, ge=0, le=3600, description="Seconds a draining target may finish requests."
    )
    bake_time: int | None = Field(
        default=None, ge=0, le=1440, description="Minutes that alarms are watched afterwards."
    )
    alarms: tuple[str, ...] = Field(
        default=(), description="CloudWatch alarms that roll a deployment back."
    )


class Service(Model):
    type: Literal["ecs"] = Field(description="Fargate on Amazon ECS.")
    port: Port | None = Field(
        default=None, description="The container's port; without it there is no load balancer."
    )
    health_check: HealthCheck | None = Field(default=None, description="See HealthCheck.")
    resources: Resources = Field(default=Resources(), description="Size and count.")
    auto_scaling: AutoScaling | None = Field(default=None, description="Absent: not scaled.")
    environment: dict[EnvironmentName, str] = Field(
        default={}, description="Environment variables; never secrets."
    )
    secrets: tuple[Secret, ...] = Field(
        default=(), description="Environment variables that ECS fills from a secret at start."
    )
    networking: Networking = Field(default=Networking(), description="Where it runs.")
    observability: Observability = Field(default=Observability(), description="What is seen.")
    command: tuple[str, ...] | None = Field(default=None, description="Overrides the image's CMD.")
    entry_point: tuple[str, ...] | None = Field(
        default=None, description="Overrides the image's ENTRYPOINT."
    )
    image: str | None = Field(
        default=None, min_length=1, description="A ready image, instead of a build."
    )
    platform: Literal["X86_64", "ARM64"] = Field(default="X86_64", description="CPU architecture.")
    deployment: Deployment = Field(default=Deployment(), description="How a release rolls out.")

    @property
    def checks(self) -> HealthCheck:
        """The health check with its defaults, also where the manifest has no such section."""
        return self.health_check or HealthCheck()


class Dependency(Model):
    type: str = Field(min_length=1, description="A Terraform-style type, aws_s3_bucket and others.")
    name: str = Field(min_length=1, description="The resource's name.")
    permissions: tuple[str, ...] = Field(min_length=1, description="IAM actions, service:Action.")


class Manifest(Model):
    """One Service YAML, interpolated and overridden."""

    api_version: Literal["fsd/v1"] = Field(description="The language's version.")
    kind: Literal["Service"] = Field(description="Always Service.")
    metadata: Metadata = Field(description="Who it is and whose.")
    service: Service = Field(description="What runs, and how.")
    dependencies: tuple[Dependency, ...] = Field(
        default=(), description="What the service may use, and how: becomes its task role."
    )
