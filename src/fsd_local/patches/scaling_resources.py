"""AWS::ApplicationAutoScaling::* in stacks, on our own control plane.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApplicationAutoScaling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import provisioners

from fsd_local.patches.stack_properties import Json, Plane, input_shape, to_request

_SERVICE = "application-autoscaling"
_PREFIX = "AWS::ApplicationAutoScaling::"
_IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# What is only said once: another one is another resource.
_REPLACING = {
    f"{_PREFIX}ScalableTarget": _IDENTITY,
    f"{_PREFIX}ScalingPolicy": (*_IDENTITY, "PolicyName", "ScalingTargetId"),
}


def mount(scaling: Plane) -> None:
    resources = provisioners._RESOURCE_HANDLERS
    target, policy = _ScalableTarget(scaling), _ScalingPolicy(scaling)
    for kind, handler in (("ScalableTarget", target), ("ScalingPolicy", policy)):
        resources[_PREFIX + kind] = {
            "create": handler.create,
            "update": handler.update,
            "delete": handler.delete,
        }
    provisioners._REPLACING_PROPERTIES.update(_REPLACING)


@dataclass(frozen=True, slots=True)
class _ScalableTarget:
    """`Ref` is RESOURCE|DIMENSION|NAMESPACE."""

    scaling: Plane

    def create(self, logical_id: str, props: Any, _stack_name: str) -> Any:
        self._put(logical_id, {}, props)
        id_ = f"{props['ResourceId']}|{props['ScalableDimension']}|{props['ServiceNamespace']}"
        return id_, {"Id": id_}

    def update(self, physical_id: str, old: Any, new: Any, _stack_name: str) -> Any:
        self._put(physical_id, old, new)
        return physical_id, {"Id": physical_id}

    def delete(self, _physical_id: str, props: Any) -> None:
        self.scaling.call("DeregisterScalableTarget", {key: props[key] for key in _IDENTITY})

    def _put(self, logical_id: str, old: Any, new: Any) -> None:
        given = {
            key: value for key, value in new.items() if key not in ("ScheduledActions", "Tags")
        }
        shape = input_shape(_SERVICE, "RegisterScalableTarget")
        self.scaling.call("RegisterScalableTarget", to_request(logical_id, given, shape))
        identity = {key: new[key] for key in _IDENTITY}
        before, after = _actions(old), _actions(new)
        for name in before.keys() - after.keys():
            gone = {**identity, "ScheduledActionName": name}
            self.scaling.call("DeleteScheduledAction", gone)
        action_shape = input_shape(_SERVICE, "PutScheduledAction")
        for action in after.values():
            request = to_request(logical_id, {**identity, **action}, action_shape)
            self.scaling.call("PutScheduledAction", request)


def _actions(props: Mapping[str, Any]) -> dict[str, Json]:
    return {action["ScheduledActionName"]: action for action in props.get("ScheduledActions") or []}


@dataclass(frozen=True, slots=True)
class _ScalingPolicy:
    """Of the target that it names by `ScalingTargetId`, or by the three properties."""

    scaling: Plane

    def create(self, logical_id: str, props: Any, _stack_name: str) -> Any:
        given = {key: value for key, value in props.items() if key != "ScalingTargetId"}
        shape = input_shape(_SERVICE, "PutScalingPolicy")
        request = to_request(logical_id, given | _target_of(props), shape)
        arn = self.scaling.call("PutScalingPolicy", request)["PolicyARN"]
        return arn, {"Arn": arn}

    def update(self, physical_id: str, _old: Any, new: Any, stack_name: str) -> Any:
        return self.create(physical_id, new, stack_name)

    def delete(self, _physical_id: str, props: Any) -> None:
        request = {**_target_of(props), "PolicyName": props["PolicyName"]}
        self.scaling.call("DeleteScalingPolicy", request)


def _target_of(props: Mapping[str, Any]) -> Json:
    if "ScalingTargetId" not in props:
        return {key: props[key] for key in _IDENTITY}
    resource, dimension, namespace = str(props["ScalingTargetId"]).split("|")
    return {
        "ServiceNamespace": namespace,
        "ResourceId": resource,
        "ScalableDimension": dimension,
    }
