"""What a call of our own services asks IAM: which actions, on which resources. Pure.

MiniStack knows the requests of its own services only. The resources of an action, and the keys
that conditions may ask for, are those of AWS's service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ANY = "*"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One action that must be allowed on each of the resources."""

    action: str  # ecs:UpdateService
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)  # condition key → value


# Action → (kind of resource, parameter that names it). What is not here has no resource level.
_ECS = {
    "CreateCluster": ("cluster", "clusterName"),
    "DescribeClusters": ("cluster", "clusters"),
    "DeleteCluster": ("cluster", "cluster"),
    "UpdateCluster": ("cluster", "cluster"),
    "UpdateClusterSettings": ("cluster", "cluster"),
    "PutClusterCapacityProviders": ("cluster", "cluster"),
    "CreateService": ("service", "serviceName"),
    "UpdateService": ("service", "service"),
    "DeleteService": ("service", "service"),
    "DescribeServices": ("service", "services"),
    "ListServiceDeployments": ("service", "service"),
    "DescribeServiceDeployments": ("service-deployment", "serviceDeploymentArns"),
    "DescribeServiceRevisions": ("service-revision", "serviceRevisionArns"),
    "StopServiceDeployment": ("service-deployment", "serviceDeploymentArn"),
    "ContinueServiceDeployment": ("service-deployment", "serviceDeploymentArn"),
    "DescribeTasks": ("task", "tasks"),
    "StopTask": ("task", "task"),
    "ExecuteCommand": ("task", "task"),
    "GetTaskProtection": ("task", "tasks"),
    "UpdateTaskProtection": ("task", "tasks"),
    "DescribeContainerInstances": ("container-instance", "containerInstances"),
    "RunTask": ("task-definition", "taskDefinition"),
    "RegisterTaskDefinition": ("task-definition", "family"),
    "DeleteTaskDefinitions": ("task-definition", "taskDefinitions"),
    "ListTasks": ("container-instance", ""),
    "TagResource": ("", "resourceArn"),
    "UntagResource": ("", "resourceArn"),
    "ListTagsForResource": ("", "resourceArn"),
}
_OF_A_CLUSTER = {"service", "task", "container-instance"}
_SCALING = {
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DeleteScheduledAction",
}
_SCALING_KEYS = {
    "ScalableDimension": "application-autoscaling:scalable-dimension",
    "ServiceNamespace": "application-autoscaling:service-namespace",
}
_TASKS, _SERVICES = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"


def needed(
    service: str, action: str, parameters: Json, *, account: str, region: str
) -> tuple[Needed, ...]:
    """In the order in which AWS says no. The parameters are not validated yet."""
    if service == "ecs":
        return tuple(_ecs(action, parameters, account=account, region=region))
    resources: tuple[str, ...] = (ANY,)
    if action in _SCALING:
        target = parameters.get("ResourceId", ANY)
        resources = (f"arn:aws:{service}:{region}:{account}:scalable-target/{target}",)
    elif "ResourceARN" in parameters:
        resources = (str(parameters["ResourceARN"]),)
    context = {
        key: str(parameters[name]) for name, key in _SCALING_KEYS.items() if name in parameters
    }
    return (Needed(action=f"{service}:{action}", resources=resources, context=context),)


def _ecs(action: str, parameters: Json, *, account: str, region: str) -> Iterator[Needed]:
    prefix = f"arn:aws:ecs:{region}:{account}:"
    resources = tuple(_resources(action, parameters, prefix))
    context = _context(parameters, prefix)
    yield Needed(action=f"ecs:{action}", resources=resources, context=context)
    if action == "ExecuteCommand":
        # The cluster and the task, both.
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec-best-practices.html
        cluster = f"{prefix}cluster/{_cluster_of(parameters)}"
        yield Needed(action="ecs:ExecuteCommand", resources=(cluster,), context=context)
    if parameters.get("tags") and action != "TagResource":
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
        created = {**context, "ecs:CreateAction": action}
        yield Needed(action="ecs:TagResource", resources=resources, context=created)
    roles = tuple(_passed_roles(parameters, account))
    if roles and action in {"RegisterTaskDefinition", "RunTask"}:
        yield Needed(
            action="iam:PassRole", resources=roles, context={"iam:PassedToService": _TASKS}
        )
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    roles = tuple(_roles_of_shifts(parameters))
    if roles and action in {"CreateService", "UpdateService"}:
        yield Needed(
            action="iam:PassRole", resources=roles, context={"iam:PassedToService": _SERVICES}
        )


def _resources(action: str, parameters: Json, prefix: str) -> Iterator[str]:
    kind, parameter = _ECS.get(action, ("", ""))
    found = parameters.get(parameter) if parameter else None
    names = found if isinstance(found, list) else [found]
    cluster = _cluster_of(parameters)
    for name in names or [None]:
        if isinstance(name, str) and name.startswith("arn:"):
            yield name
        elif not kind:
            yield ANY
        elif kind in _OF_A_CLUSTER:
            yield f"{prefix}{kind}/{cluster}/{name or ANY}"
        elif kind == "cluster":
            yield f"{prefix}{kind}/{name or 'default'}"
        else:
            yield f"{prefix}{kind}/{_with_revision(str(name or ANY))}"


def _with_revision(name: str) -> str:
    return name if ":" in name or name == ANY else f"{name}:{ANY}"


def _context(parameters: Json, prefix: str) -> dict[str, str]:
    context: dict[str, str] = {}
    for parameter, key in (
        ("cluster", "ecs:cluster"),
        ("service", "ecs:service"),
        ("taskDefinition", "ecs:task-definition"),
    ):
        value = parameters.get(parameter)
        if isinstance(value, str):
            context[key] = _named(key, value, parameters, prefix)
    return context


def _named(key: str, value: str, parameters: Json, prefix: str) -> str:
    """Conditions compare ARNs, whatever the request says."""
    if value.startswith("arn:"):
        return value
    kind = key.removeprefix("ecs:")
    if kind == "service":
        return f"{prefix}service/{_cluster_of(parameters)}/{value}"
    return f"{prefix}{kind}/{value}"


def _passed_roles(parameters: Json, account: str) -> Iterator[str]:
    overrides = parameters.get("overrides")
    for source in (parameters, overrides if isinstance(overrides, dict) else {}):
        for name in ("taskRoleArn", "executionRoleArn"):
            role = source.get(name)
            if isinstance(role, str) and role:
                yield role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"


def _roles_of_shifts(parameters: Json) -> Iterator[str]:
    """Of the load balancers' traffic, and of the lifecycle hooks."""
    balancers = _objects(parameters.get("loadBalancers"))
    holders = [_object(found.get("advancedConfiguration")) for found in balancers]
    configuration = _object(parameters.get("deploymentConfiguration"))
    for holder in (*holders, *_objects(configuration.get("lifecycleHooks"))):
        role = holder.get("roleArn")
        if isinstance(role, str) and role:
            yield role


def _objects(value: object) -> list[Json]:
    return [found for found in value if isinstance(found, dict)] if isinstance(value, list) else []


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _cluster_of(parameters: Json) -> str:
    return _last_part(parameters.get("cluster") or "default")


def _last_part(name: object) -> str:
    return str(name).rsplit("/", 1)[-1]
