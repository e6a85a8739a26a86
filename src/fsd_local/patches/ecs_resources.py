"""AWS::ECS::* in stacks, on our own control plane.

A service's handler waits for the service deployment, as on AWS, and fails where the circuit breaker
or an alarm ended it: https://github.com/aws/containers-roadmap/issues/1205
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from fsd_local.patches.stack_properties import Json, Plane, fail, input_shape, to_request

SERVICE = "AWS::ECS::Service"
TASK_DEFINITION = "AWS::ECS::TaskDefinition"
_LOOK = 0.1  # seconds between two looks at a service that is rolled out
# 36 hours, since each stage of a blue/green deployment may take a day.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
_TIMEOUT = 2160 * 60.0
_SUCCESSFUL = "SUCCESSFUL"
_FINAL = (_SUCCESSFUL, "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
_BREAKER = "ECS Deployment Circuit Breaker was triggered"
# "For new services, if a desired count is not specified, a default value of `1` is used."
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html
_DESIRED_COUNT = 1
# "Update requires: Replacement" in the type's reference.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html
_REPLACING = ("Cluster", "LaunchType", "Role", "SchedulingStrategy", "ServiceName")
# What a template leaves out, an update takes away.
_EMPTIED = (
    "capacityProviderStrategy",
    "loadBalancers",
    "placementConstraints",
    "placementStrategy",
    "serviceRegistries",
    "volumeConfigurations",
)
# What says that a resource is no longer there.
_GONE = (
    "HandlerErrorCode: NotFound",
    "Error Code: ClusterNotFoundException",
    "Error Code: ServiceNotFoundException",
    "The specified task definition does not exist.",
    "The specified task definition is already inactive.",
)
_CANCELLED = "_fsd_cancelled"  # of a stack: its user cancelled the update while a handler waited


def mount(ecs: Plane, *, speed: float, closing: threading.Event) -> None:
    """`speed` divides the time after which a service that is never stable fails; `closing` is set
    when the instance ends, and with it whatever waits."""
    resources = provisioners._RESOURCE_HANDLERS
    service = _Service(ecs, timeout=_TIMEOUT / speed, closing=closing)
    definition = _TaskDefinition(ecs)
    cluster, providers = _Cluster(ecs), _CapacityProviders(ecs)
    mounted: dict[str, Any] = {
        "AWS::ECS::Cluster": cluster,
        "AWS::ECS::ClusterCapacityProviderAssociations": providers,
        TASK_DEFINITION: definition,
        SERVICE: service,
    }
    for kind, handler in mounted.items():
        resources[kind] = {
            "create": handler.create,
            "update": handler.update,
            "delete": handler.delete,
        }
    everything = {*input_shape("ecs", "RegisterTaskDefinition").members} - {"tags"}
    provisioners._REPLACING_PROPERTIES[SERVICE] = _REPLACING
    provisioners._REPLACING_PROPERTIES[TASK_DEFINITION] = tuple(
        name[0].upper() + name[1:] for name in sorted(everything)
    )
    provisioners._CUSTOM_NAME_REPLACEMENT[SERVICE] = {"name": "ServiceName"}
    # The handler of a service waits, and must not hold the event loop meanwhile.
    stacks._runs_on_worker_thread = _or_a_service(stacks._runs_on_worker_thread)
    # ECS has the new settings when its rollout fails: the stack's rollback takes them back.
    stacks._sends_back_failed_update = _or_a_service(stacks._sends_back_failed_update)
    stacks._roll_back_operation = _with_who_cancelled(stacks._roll_back_operation)


def _or_a_service(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda kind: kind == SERVICE or holds(kind)


def _with_who_cancelled(roll_back: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack looks for CancelUpdateStack between two resources; ours also while one waits."""

    @functools.wraps(roll_back)
    async def roll_back_operation(
        name: str, stack_id: str, stack: Json, operation: Json, reason_override: str = ""
    ) -> None:
        if stack.pop(_CANCELLED, False):
            stacks.CLIENT_REQUEST_TOKEN.set(stack.pop("_cancel_token", ""))
            reason_override = "User Initiated"
        await roll_back(name, stack_id, stack, operation, reason_override)

    return roll_back_operation


def _take_cancellation(stack_name: str) -> bool:
    """Whether the stack's update was cancelled; the rollback that follows is not."""
    stack = cloudformation._stacks.get(stack_name) or {}
    if not stack.pop("_cancel_requested", False):
        return False
    stack[_CANCELLED] = True
    return True


@contextmanager
def _unless_gone() -> Iterator[None]:
    """What somebody has deleted already counts as deleted, as in CloudFormation."""
    try:
        yield
    except ValueError as error:
        if not any(words in str(error) for words in _GONE):
            raise


def _retag(ecs: Plane, arn: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Bring the tags from those of the `old` properties to those of the `new`."""
    before, after = _tags(old), _tags(new)
    gone = [tag["key"] for tag in before if tag["key"] not in {one["key"] for one in after}]
    if gone:
        ecs.call("UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if changed := [tag for tag in after if tag not in before]:
        ecs.call("TagResource", {"resourceArn": arn, "tags": changed})


def _request(logical_id: str, props: Mapping[str, Any], operation: str) -> Json:
    """All that the operation takes of the properties."""
    request = to_request(logical_id, props, input_shape("ecs", operation))
    if "tags" in request:
        request["tags"] = _tags(props)
    return request


def _tags(props: Mapping[str, Any]) -> list[Json]:
    """Without CloudFormation's own, which nobody may set by API."""
    return [
        {"key": tag["Key"], "value": tag["Value"]}
        for tag in props.get("Tags") or []
        if not tag["Key"].startswith("aws:")
    ]


# ---- task definitions


@dataclass(frozen=True, slots=True)
class _TaskDefinition:
    ecs: Plane

    def create(self, logical_id: str, props: Any, stack_name: str) -> Any:
        request = _request(logical_id, props, "RegisterTaskDefinition")
        request.setdefault("family", provisioners._physical_name(stack_name, logical_id))
        made = self.ecs.call("RegisterTaskDefinition", request)["taskDefinition"]
        arn = made["taskDefinitionArn"]
        return arn, {"TaskDefinitionArn": arn}

    def update(self, physical_id: str, old: Any, new: Any, _stack_name: str) -> Any:
        """Only tags: every other change makes the next revision."""
        _retag(self.ecs, physical_id, old, new)
        return physical_id, {"TaskDefinitionArn": physical_id}

    def delete(self, physical_id: str, _props: Any) -> None:
        with _unless_gone():
            self.ecs.call("DeregisterTaskDefinition", {"taskDefinition": physical_id})


# ---- services


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rollout:
    """What a handler waits for."""

    cluster: str
    arn: str
    deployment: str  # the service deployment's ARN; "" where the call started none
    stack: str = ""  # the name of the stack, whose update may be cancelled
    operation: str = "update"  # as CloudFormation says what was cancelled


@dataclass(frozen=True, slots=True)
class _Service:
    ecs: Plane
    timeout: float  # seconds
    closing: threading.Event

    def create(self, logical_id: str, props: Any, stack_name: str) -> Any:
        request = _service_request(logical_id, props, "CreateService")
        if request.get("schedulingStrategy") != "DAEMON":
            request.setdefault("desiredCount", _DESIRED_COUNT)
        request.setdefault(
            "serviceName", provisioners._physical_name(stack_name, logical_id, max_len=255)
        )
        made = self.ecs.call("CreateService", request)["service"]
        cluster, arn = made["clusterArn"], made["serviceArn"]
        try:
            self._wait(
                _Rollout(
                    cluster=cluster,
                    arn=arn,
                    deployment=self._newest(cluster, arn),
                    stack=stack_name,
                    operation="creation",
                )
            )
        except ValueError:
            # MiniStack does not know the ARN of what it could not make; AWS deletes it when the
            # stack goes back.
            self.delete(arn, props)
            raise
        return arn, _attributes(made)

    def update(self, physical_id: str, old: Any, new: Any, stack_name: str) -> Any:
        cluster = str(new.get("Cluster") or "default")
        request = _service_request(physical_id, new, "UpdateService")
        request |= {key: [] for key in _EMPTIED if key not in request and _had(old, key)}
        before = self._newest(cluster, physical_id)
        made = self.ecs.call(
            "UpdateService", {**request, "cluster": cluster, "service": physical_id}
        )["service"]
        _retag(self.ecs, physical_id, old, new)
        newest = self._newest(cluster, physical_id)
        started = newest if newest != before else ""
        self._wait(_Rollout(cluster=cluster, arn=physical_id, deployment=started, stack=stack_name))
        return physical_id, _attributes(made)

    def delete(self, physical_id: str, props: Any) -> None:
        cluster = str(props.get("Cluster") or "default")
        with _unless_gone():
            self.ecs.call(
                "DeleteService", {"cluster": cluster, "service": physical_id, "force": True}
            )
            self._until(
                _Rollout(cluster=cluster, arn=physical_id, deployment=""),
                lambda: self._describe(cluster, physical_id)["status"] == "INACTIVE",
            )

    def _wait(self, rollout: _Rollout) -> None:
        if rollout.deployment:
            self._until(rollout, lambda: self._deployment(rollout)["status"] in _FINAL)
            _require_success(self._deployment(rollout))
            return
        self._until(rollout, lambda: _is_stable(self._describe(rollout.cluster, rollout.arn)))

    def _until(self, rollout: _Rollout, is_over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.timeout
        while not is_over():
            if _take_cancellation(rollout.stack):
                raise ValueError(f"Resource {rollout.operation} cancelled")
            if time.monotonic() > deadline:
                fail(f"Service {rollout.arn} did not stabilize.", "NotStabilized")
            if self.closing.wait(_LOOK):
                fail("The embedded AWS is shutting down.", "ServiceInternalError")

    def _describe(self, cluster: str, arn: str) -> Json:
        found = self.ecs.call("DescribeServices", {"cluster": cluster, "services": [arn]})
        if not found["services"]:
            fail(f"Resource of type '{SERVICE}' with identifier '{arn}' was not found.", "NotFound")
        service: Json = found["services"][0]
        return service

    def _newest(self, cluster: str, arn: str) -> str:
        """The ARN of the newest service deployment; "" where there is none."""
        found = self.ecs.call("ListServiceDeployments", {"cluster": cluster, "service": arn})
        newest_first = [str(one["serviceDeploymentArn"]) for one in found["serviceDeployments"]]
        return newest_first[0] if newest_first else ""

    def _deployment(self, rollout: _Rollout) -> Json:
        self._describe(rollout.cluster, rollout.arn)
        arns = {"serviceDeploymentArns": [rollout.deployment]}
        (found,) = self.ecs.call("DescribeServiceDeployments", arns)["serviceDeployments"]
        deployment: Json = found
        return deployment


def _require_success(deployment: Json) -> None:
    if deployment["status"] == _SUCCESSFUL:
        return
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    reason = (
        _BREAKER
        if breaker.get("status") == "TRIGGERED"
        else str(deployment.get("statusReason") or deployment["status"])
    )
    fail(f"Error occurred during operation '{reason}'.", "GeneralServiceException")


def _service_request(logical_id: str, props: Mapping[str, Any], operation: str) -> Json:
    """ForceNewDeployment is an object in a template; a change of its nonce starts a deployment."""
    given = dict(props)
    forced = given.pop("ForceNewDeployment", None) or {}
    if "PlacementStrategies" in given:
        given["PlacementStrategy"] = given.pop("PlacementStrategies")
    request = _request(logical_id, given, "CreateService")
    if operation == "UpdateService":
        members = input_shape("ecs", operation).members
        request = {key: value for key, value in request.items() if key in members}
        if str(forced.get("EnableForceNewDeployment", "")).lower() == "true":
            request["forceNewDeployment"] = True
    return request


def _had(old: Mapping[str, Any], key: str) -> bool:
    return any(name.lower() == key.lower() for name, value in old.items() if value)


def _is_stable(service: Mapping[str, Any]) -> bool:
    return len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"]


def _attributes(service: Mapping[str, Any]) -> Json:
    return {"ServiceArn": service["serviceArn"], "Name": service["serviceName"]}


# ---- clusters


@dataclass(frozen=True, slots=True)
class _Cluster:
    ecs: Plane

    def create(self, logical_id: str, props: Any, stack_name: str) -> Any:
        request = _cluster_request(logical_id, props)
        request.setdefault("clusterName", provisioners._physical_name(stack_name, logical_id))
        cluster = self.ecs.call("CreateCluster", request)["cluster"]
        return cluster["clusterName"], {"Arn": cluster["clusterArn"]}

    def update(self, physical_id: str, old: Any, new: Any, _stack_name: str) -> Any:
        request = _cluster_request(physical_id, new)
        kept = ("settings", "configuration", "serviceConnectDefaults")
        changed = {key: request[key] for key in kept if key in request}
        cluster = self.ecs.call("UpdateCluster", {"cluster": physical_id, **changed})["cluster"]
        if "capacityProviders" in request:
            _put_providers(self.ecs, physical_id, request)
        _retag(self.ecs, cluster["clusterArn"], old, new)
        return physical_id, {"Arn": cluster["clusterArn"]}

    def delete(self, physical_id: str, _props: Any) -> None:
        with _unless_gone():
            self.ecs.call("DeleteCluster", {"cluster": physical_id})


def _cluster_request(logical_id: str, props: Mapping[str, Any]) -> Json:
    """ClusterSettings is the one property that the API calls otherwise."""
    given = {("Settings" if key == "ClusterSettings" else key): props[key] for key in props}
    return _request(logical_id, given, "CreateCluster")


@dataclass(frozen=True, slots=True)
class _CapacityProviders:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-clustercapacityproviderassociations.html"""

    ecs: Plane

    def create(self, logical_id: str, props: Any, _stack_name: str) -> Any:
        request = _request(logical_id, props, "PutClusterCapacityProviders")
        cluster = str(request.pop("cluster"))
        _put_providers(self.ecs, cluster, request)
        return cluster, {}

    def update(self, physical_id: str, _old: Any, new: Any, stack_name: str) -> Any:
        return self.create(physical_id, new, stack_name)

    def delete(self, physical_id: str, _props: Any) -> None:
        with _unless_gone():
            _put_providers(self.ecs, physical_id, {})


def _put_providers(ecs: Plane, cluster: str, request: Mapping[str, Any]) -> None:
    names = ("capacityProviders", "defaultCapacityProviderStrategy")
    given = {name: request.get(name, []) for name in names}
    ecs.call("PutClusterCapacityProviders", {"cluster": cluster, **given})
