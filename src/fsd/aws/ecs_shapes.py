"""ECS's answers as the values of `fsd.snapshot`. Pure: a dict in, a value out.

What ECS leaves out of an answer is empty here; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fsd.compile.desired import Json
from fsd.release.ports import Cluster, TaskDefinition
from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    Event,
    ServiceDeployment,
    ServiceState,
    StoppedContainer,
    StoppedTask,
    TaskState,
)

# What DescribeTaskDefinition adds to what RegisterTaskDefinition was given.
_READ_ONLY = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A service revision: immutable, but its digests come with its first task."""

    task_definition_arn: str
    digests: tuple[str, ...]
    is_resolved: bool


NO_REVISION = Revision(task_definition_arn="", digests=(), is_resolved=False)


def to_cluster(answer: dict[str, Any]) -> Cluster:
    return Cluster(
        name=answer["clusterName"],
        arn=answer["clusterArn"],
        tags=read_tags(answer.get("tags")),
        services=answer.get("activeServicesCount", 0),
        tasks=answer.get("runningTasksCount", 0) + answer.get("pendingTasksCount", 0),
    )


def to_task_definition(answer: dict[str, Any]) -> TaskDefinition:
    """From the answer of RegisterTaskDefinition or DescribeTaskDefinition: the tags are beside."""
    definition = answer["taskDefinition"]
    return TaskDefinition(
        arn=definition["taskDefinitionArn"],
        family=definition["family"],
        revision=definition["revision"],
        status=definition.get("status", "ACTIVE"),
        definition={k: v for k, v in definition.items() if k not in _READ_ONLY},
        tags=read_tags(answer.get("tags")),
        registered_at=utc(definition.get("registeredAt")),
    )


def to_service(answer: dict[str, Any]) -> ServiceState:
    network = answer.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    load_balancers = answer.get("loadBalancers", [])
    return ServiceState(
        name=answer["serviceName"],
        arn=answer["serviceArn"],
        cluster=last_part(answer["clusterArn"]),
        status=answer["status"],
        task_definition_arn=answer.get("taskDefinition", ""),
        desired=answer.get("desiredCount", 0),
        running=answer.get("runningCount", 0),
        pending=answer.get("pendingCount", 0),
        deployments=tuple(_deployment(d) for d in answer.get("deployments", [])),
        target_group_arns=tuple(
            lb["targetGroupArn"] for lb in load_balancers if lb.get("targetGroupArn")
        ),
        subnets=tuple(network.get("subnets", [])),
        security_groups=tuple(network.get("securityGroups", [])),
        assign_public_ip=network.get("assignPublicIp") == "ENABLED",
        grace_period=answer.get("healthCheckGracePeriodSeconds"),
        container_port=next((lb.get("containerPort") for lb in load_balancers), None),
        deployment_configuration=dict(answer.get("deploymentConfiguration", {})),
        current_deployment_arn=answer.get("currentServiceDeployment", ""),
        tags=tuple(sorted(read_tags(answer.get("tags")).items())),
    )


def _deployment(answer: dict[str, Any]) -> EcsDeployment:
    return EcsDeployment(
        id=answer["id"],
        status=answer.get("status", ""),
        task_definition_arn=answer.get("taskDefinition", ""),
        rollout_state=answer.get("rolloutState", ""),
        rollout_state_reason=answer.get("rolloutStateReason", ""),
        desired=answer.get("desiredCount", 0),
        running=answer.get("runningCount", 0),
        pending=answer.get("pendingCount", 0),
        failed_tasks=answer.get("failedTasks", 0),
        created_at=utc(answer.get("createdAt")),
    )


def to_revision(answer: dict[str, Any]) -> Revision:
    images = answer.get("containerImages", [])
    digests = tuple(image["imageDigest"] for image in images if image.get("imageDigest"))
    return Revision(
        task_definition_arn=answer.get("taskDefinition", ""),
        digests=digests,
        is_resolved=bool(images) and len(digests) == len(images),
    )


def to_service_deployment(answer: dict[str, Any], target: Revision) -> ServiceDeployment:
    revision = answer.get("targetServiceRevision", {})
    breaker = answer.get("deploymentCircuitBreaker", {})
    rollback = answer.get("rollback", {})
    return ServiceDeployment(
        arn=answer["serviceDeploymentArn"],
        status=DeploymentStatus(answer["status"]),
        task_definition_arn=target.task_definition_arn,
        target_revision_arn=revision.get("arn", ""),
        created_at=utc(answer.get("createdAt")) or _EPOCH,
        started_at=utc(answer.get("startedAt")),
        finished_at=utc(answer.get("finishedAt") or answer.get("stoppedAt")),
        status_reason=answer.get("statusReason", ""),
        requested=revision.get("requestedTaskCount", 0),
        running=revision.get("runningTaskCount", 0),
        pending=revision.get("pendingTaskCount", 0),
        source_running=sum(
            source.get("runningTaskCount", 0) for source in answer.get("sourceServiceRevisions", [])
        ),
        breaker_status=breaker.get("status", ""),
        failure_count=breaker.get("failureCount", 0),
        failure_threshold=breaker.get("threshold", 0),
        triggered_alarms=tuple(answer.get("alarms", {}).get("triggeredAlarmNames", [])),
        rollback_reason=rollback.get("reason", ""),
        rollback_revision_arn=rollback.get("serviceRevisionArn", ""),
        lifecycle_stage=answer.get("lifecycleStage", ""),
        digests=target.digests,
    )


def to_task(answer: dict[str, Any]) -> TaskState:
    return TaskState(
        id=last_part(answer["taskArn"]),
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        last_status=answer.get("lastStatus", ""),
        health=answer.get("healthStatus", "UNKNOWN"),
        address=_address(answer),
        started_at=utc(answer.get("startedAt")),
        started_by=answer.get("startedBy", ""),
    )


def to_stopped_task(answer: dict[str, Any], log_streams: tuple[str, ...]) -> StoppedTask:
    return StoppedTask(
        id=last_part(answer["taskArn"]),
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        stop_code=answer.get("stopCode", ""),
        stopped_reason=answer.get("stoppedReason", ""),
        started_by=answer.get("startedBy", ""),
        started_at=utc(answer.get("startedAt")),
        stopped_at=utc(answer.get("stoppedAt")),
        containers=tuple(
            StoppedContainer(
                name=container.get("name", ""),
                exit_code=container.get("exitCode"),
                reason=container.get("reason", ""),
            )
            for container in answer.get("containers", [])
        ),
        log_streams=log_streams,
    )


def to_event(answer: dict[str, Any]) -> Event:
    return Event(
        id=answer["id"], at=utc(answer.get("createdAt")) or _EPOCH, message=answer["message"]
    )


def log_stream_prefixes(definition: Json) -> tuple[str, ...]:
    """`<prefix>/<container>/` of each essential container that logs to CloudWatch.

    A sidecar's lines are not the service's; where only sidecars log, theirs are better than none.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    containers: list[Any] = list(_list(definition.get("containerDefinitions")))
    logging = [(c, _stream_prefix(c)) for c in containers if isinstance(c, dict)]
    essential = [prefix for c, prefix in logging if prefix and c.get("essential", True)]
    return tuple(essential or [prefix for _, prefix in logging if prefix])


def _stream_prefix(container: Mapping[str, Any]) -> str:
    log = container.get("logConfiguration") or {}
    prefix = (log.get("options") or {}).get("awslogs-stream-prefix", "")
    if log.get("logDriver") != "awslogs" or not prefix:
        return ""
    return f"{prefix}/{container['name']}/"


def _address(task: dict[str, Any]) -> str:
    """The private IPv4 address of the task's network interface; "" before it has one."""
    for attachment in task.get("attachments", []):
        for detail in attachment.get("details", []):
            if detail.get("name") == "privateIPv4Address":
                return str(detail.get("value", ""))
    for container in task.get("containers", []):
        for interface in container.get("networkInterfaces", []):
            if interface.get("privateIpv4Address"):
                return str(interface["privateIpv4Address"])
    return ""


def read_tags(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in tags or ()}


def write_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": tags[key]} for key in sorted(tags)]


def without_none(value: Any) -> Any:
    """A copy without None at any depth: botocore refuses None where a key is optional."""
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_none(item) for item in value if item is not None]
    return value


def last_part(arn: str) -> str:
    return arn.rpartition("/")[2]


def utc(instant: datetime | None) -> datetime | None:
    """botocore answers in the machine's time zone."""
    return instant.astimezone(UTC) if instant else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
