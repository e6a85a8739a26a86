"""ECS's answers as the values of `fsd.snapshot`. Pure: a dict in, a value out.

What ECS leaves out of an answer is empty here; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fsd.release.mask import mask
from fsd.release.ports import Cluster, TaskDefinition
from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    Event,
    LifecycleHook,
    ServiceDeployment,
    ServiceState,
    StoppedContainer,
    StoppedTask,
    TaskSet,
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
EPOCH = datetime.fromtimestamp(0, UTC)
# Without these nobody can say whether a service is well.
_TELLING = ("status", "desiredCount", "runningCount", "loadBalancers", "deployments")


def to_cluster(answer: dict[str, Any]) -> Cluster:
    return Cluster(
        name=answer["clusterName"],
        arn=answer["clusterArn"],
        tags=read_tags(answer.get("tags")),
        services=answer.get("activeServicesCount", 0),
        tasks=answer.get("runningTasksCount", 0) + answer.get("pendingTasksCount", 0),
        namespace=answer.get("serviceConnectDefaults", {}).get("namespace", ""),
        capacity_providers=frozenset(answer.get("capacityProviders", [])),
    )


def to_task_definition(answer: dict[str, Any]) -> TaskDefinition:
    """From the answer of RegisterTaskDefinition or DescribeTaskDefinition: the tags are beside."""
    definition = answer.get("taskDefinition", {})
    return TaskDefinition(
        arn=definition.get("taskDefinitionArn", ""),
        family=definition.get("family", ""),
        revision=definition.get("revision", 0),
        status=definition.get("status", "ACTIVE"),
        definition={k: v for k, v in definition.items() if k not in _READ_ONLY},
        tags=read_tags(answer.get("tags")),
        registered_at=utc(definition.get("registeredAt")),
    )


def to_service(answer: dict[str, Any]) -> ServiceState:
    network = answer.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    load_balancers = answer.get("loadBalancers", [])
    return ServiceState(
        name=answer.get("serviceName", ""),
        arn=answer.get("serviceArn", ""),
        cluster=last_part(answer.get("clusterArn", "")),
        status=answer.get("status", ""),
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
        connect=_connect(answer.get("deployments", [])),
        capacity=tuple(answer.get("capacityProviderStrategy", [])),
        exec=answer.get("enableExecuteCommand", False),
        grace_period=answer.get("healthCheckGracePeriodSeconds"),
        container_port=next((lb.get("containerPort") for lb in load_balancers), None),
        container_name=next((lb.get("containerName", "") for lb in load_balancers), ""),
        deployment_configuration=dict(answer.get("deploymentConfiguration", {})),
        current_deployment_arn=answer.get("currentServiceDeployment", ""),
        events=_events(answer.get("events", [])),
        tags=tuple(sorted(read_tags(answer.get("tags")).items())),
        launch_type=answer.get("launchType", ""),
        capacity_providers=tuple(
            entry["capacityProvider"]
            for entry in answer.get("capacityProviderStrategy", [])
            if entry.get("capacityProvider")
        ),
        scheduling=answer.get("schedulingStrategy", ""),
        controller=answer.get("deploymentController", {}).get("type", ""),
        task_sets=tuple(_task_set(entry) for entry in answer.get("taskSets", [])),
        target_groups=_target_groups(load_balancers),
        load_balancers=tuple(load_balancers),
        production_rule=next(
            (
                lb["advancedConfiguration"].get("productionListenerRule", "")
                for lb in load_balancers
                if lb.get("advancedConfiguration")
            ),
            "",
        ),
        classic_load_balancers=tuple(
            lb["loadBalancerName"] for lb in load_balancers if lb.get("loadBalancerName")
        ),
        alarms=_alarms(answer),
        unsaid=_unsaid(answer),
    )


def _connect(deployments: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the newest deployment: the service itself does not say it."""
    primary = next((d for d in deployments if d.get("status") == "PRIMARY"), {})
    return dict(primary.get("serviceConnectConfiguration", {}))


def _unsaid(answer: dict[str, Any]) -> frozenset[str]:
    """Keys that are missing, also inside: a load balancer without a name, no newest deployment."""
    missing = {key for key in _TELLING if key not in answer}
    deployments = answer.get("deployments", [])
    if deployments and not any(d.get("status") == "PRIMARY" for d in deployments):
        missing.add("deployments")
    alarms = answer.get("deploymentConfiguration", {}).get("alarms", {})
    if alarms.get("enable") and "alarmNames" not in alarms:
        missing.add("alarmNames")
    named = ("targetGroupArn", "loadBalancerName")
    if any(not any(lb.get(key) for key in named) for lb in answer.get("loadBalancers", [])):
        missing.add("loadBalancers")
    return frozenset(missing)


def _alarms(answer: dict[str, Any]) -> tuple[str, ...]:
    alarms = answer.get("deploymentConfiguration", {}).get("alarms", {})
    return tuple(alarms.get("alarmNames", [])) if alarms.get("enable", True) else ()


def _target_groups(load_balancers: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """A blue/green service's tasks are in one of two groups, and change sides.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html
    """
    pairs = [
        (
            lb.get("targetGroupArn"),
            lb.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
        )
        for lb in load_balancers
    ]
    found = (tuple(arn for arn in pair if arn) for pair in pairs)
    return tuple(dict.fromkeys(arns for arns in found if arns))


def _task_set(answer: dict[str, Any]) -> TaskSet:
    return TaskSet(
        id=answer.get("id", ""),
        status=answer.get("status", ""),
        task_definition_arn=answer.get("taskDefinition", ""),
        stability=answer.get("stabilityStatus", ""),
        running=answer.get("runningCount"),
        created_at=utc(answer.get("createdAt")),
    )


def _deployment(answer: dict[str, Any]) -> EcsDeployment:
    return EcsDeployment(
        id=answer.get("id", ""),
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


def to_service_deployment(answer: dict[str, Any], task_definition_arn: str) -> ServiceDeployment:
    """`task_definition_arn` is the target revision's: the answer names only the revision."""
    revision = answer.get("targetServiceRevision", {})
    breaker = answer.get("deploymentCircuitBreaker", {})
    rollback = answer.get("rollback", {})
    alarms = answer.get("alarms", {})
    return ServiceDeployment(
        arn=answer.get("serviceDeploymentArn", ""),
        revision_arn=revision.get("arn", ""),
        status=DeploymentStatus(answer.get("status", "")),
        task_definition_arn=task_definition_arn,
        created_at=utc(answer.get("createdAt")) or EPOCH,
        started_at=utc(answer.get("startedAt")),
        finished_at=utc(answer.get("finishedAt") or answer.get("stoppedAt")),
        updated_at=utc(answer.get("updatedAt")),
        status_reason=mask(answer.get("statusReason", "")),
        requested=revision.get("requestedTaskCount", 0),
        running=revision.get("runningTaskCount", 0),
        pending=revision.get("pendingTaskCount", 0),
        source_running=sum(
            source.get("runningTaskCount", 0) for source in answer.get("sourceServiceRevisions", [])
        ),
        breaker_status=breaker.get("status", ""),
        failure_count=breaker.get("failureCount", 0),
        failure_threshold=breaker.get("threshold", 0),
        alarm_status=alarms.get("status", ""),
        alarms=tuple(alarms.get("alarmNames", [])),
        triggered_alarms=tuple(alarms.get("triggeredAlarmNames", [])),
        rollback_reason=mask(rollback.get("reason", "")),
        lifecycle_stage=answer.get("lifecycleStage", ""),
        traffic=revision.get("requestedProductionTrafficWeight"),
        hooks=tuple(_hook(hook) for hook in answer.get("lifecycleHookDetails", [])),
    )


def to_listed_deployment(answer: dict[str, Any], task_definition_arn: str) -> ServiceDeployment:
    """From ListServiceDeployments, whose entries have no counts, alarms and hooks."""
    return ServiceDeployment(
        arn=answer.get("serviceDeploymentArn", ""),
        status=DeploymentStatus(answer.get("status", "")),
        task_definition_arn=task_definition_arn,
        created_at=utc(answer.get("createdAt")) or EPOCH,
        started_at=utc(answer.get("startedAt")),
        finished_at=utc(answer.get("finishedAt")),
        status_reason=mask(answer.get("statusReason", "")),
    )


def _hook(answer: dict[str, Any]) -> LifecycleHook:
    return LifecycleHook(
        id=answer.get("hookId", ""),
        status=answer.get("status", ""),
        expires_at=utc(answer.get("expiresAt")),
        timeout_action=answer.get("timeoutAction", ""),
    )


def to_task(answer: dict[str, Any]) -> TaskState:
    return TaskState(
        id=last_part(answer.get("taskArn", "")),
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        last_status=answer.get("lastStatus", ""),
        health=answer.get("healthStatus", "UNKNOWN"),
        address=_address(answer),
        started_at=utc(answer.get("startedAt")),
        started_by=answer.get("startedBy", ""),
    )


def to_stopped_task(answer: dict[str, Any]) -> StoppedTask:
    return StoppedTask(
        id=last_part(answer.get("taskArn", "")),
        task_definition_arn=answer.get("taskDefinitionArn", ""),
        stop_code=answer.get("stopCode", ""),
        stopped_reason=mask(answer.get("stoppedReason", "")),
        started_by=answer.get("startedBy", ""),
        created_at=utc(answer.get("createdAt")),
        started_at=utc(answer.get("startedAt")),
        stopped_at=utc(answer.get("stoppedAt")),
        containers=tuple(
            StoppedContainer(
                name=container.get("name", ""),
                exit_code=container.get("exitCode"),
                reason=mask(container.get("reason", "")),
            )
            for container in answer.get("containers", [])
        ),
    )


def _events(answers: list[dict[str, Any]]) -> tuple[Event, ...]:
    """Newest first."""
    events = [
        Event(
            id=answer.get("id", ""),
            at=utc(answer.get("createdAt")) or EPOCH,
            message=mask(answer.get("message", "")),
        )
        for answer in answers
        if answer.get("message")
    ]
    return tuple(sorted(events, key=lambda event: event.at, reverse=True)[:100])


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
    return {tag.get("key", ""): tag.get("value", "") for tag in tags or ()}


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
