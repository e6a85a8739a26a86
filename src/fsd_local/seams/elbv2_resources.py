"""The load balancing resources of MiniStack's CloudFormation: reachable, complete, swept clean.

Apart from `seams.elbv2` because CloudFormation's provisioners import every service there is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from fsd_local.seams.elbv2 import dns_name

# What AWS reports for attributes that nobody set (API_TargetGroupAttribute and its sibling).
_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
}
_BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
}


def mount(*, port: int) -> None:
    """Wrap the handlers, and the module's own names: a replacement calls those."""
    _mount_load_balancer_resource(port)
    _mount_target_group_resource()
    provisioners._elbv2_listener_delete = _forget_attributes(provisioners._elbv2_listener_delete)
    provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::Listener"]["delete"] = (
        provisioners._elbv2_listener_delete
    )


def _mount_load_balancer_resource(port: int) -> None:
    create = provisioners._elbv2_load_balancer_create

    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        record = alb._lbs[arn]
        record["DNSName"] = attributes["DNSName"] = dns_name(record["LoadBalancerName"], port)
        _complete(alb._lb_attrs[arn], _BALANCER_ATTRIBUTES)
        return arn, attributes

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    provisioners._elbv2_load_balancer_create = handlers["create"] = create_resource


def _mount_target_group_resource() -> None:
    create = provisioners._elbv2_target_group_create

    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        _complete(alb._tg_attrs[arn], _GROUP_ATTRIBUTES)
        return arn, attributes

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"]
    provisioners._elbv2_target_group_create = handlers["create"] = create_resource


def _complete(attributes: list[dict[str, str]], defaults: Mapping[str, str]) -> None:
    """AWS reports every attribute, set or not; MiniStack only what the template set."""
    for attribute in attributes:
        attribute["Value"] = _text(attribute["Value"])
    present = {attribute["Key"] for attribute in attributes}
    attributes.extend(
        {"Key": key, "Value": value} for key, value in defaults.items() if key not in present
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _forget_attributes(delete: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    @functools.wraps(delete)
    def delete_listener(physical_id: str, props: Any) -> None:
        delete(physical_id, props)
        alb._listener_attrs.pop(physical_id, None)

    return delete_listener
