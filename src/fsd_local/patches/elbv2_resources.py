"""The load balancing resources of MiniStack's CloudFormation: reachable, complete, swept clean.

Apart from `patches.elbv2` because CloudFormation's provisioners import every service there is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from fsd_local.balancing.checks import (
    check_listener,
    check_load_balancer,
    check_target_group,
    subnet_ids,
)
from fsd_local.balancing.faults import BalancingFault
from fsd_local.balancing.rules import check_conditions
from fsd_local.network_plane import IDLE_SECONDS, IDLE_TIMEOUT
from fsd_local.patches import access_logs, elbv2_checks, elbv2_limits
from fsd_local.patches.elbv2 import dns_name
from fsd_local.patches.elbv2_certificates import drop_certificates, keep_certificates
from fsd_local.patches.network_arns import name_balancer, name_listener

Check = Callable[[Any, str], object]
# A template's properties have the names that these requests have.
_ACTIONS = {
    "LoadBalancer": "CreateLoadBalancer",
    "TargetGroup": "CreateTargetGroup",
    "Listener": "CreateListener",
    "ListenerRule": "CreateRule",
}
# What AWS reports for attributes that nobody set (API_TargetGroupAttribute and its sibling).
_GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
}
_TCP_LISTENER_ATTRIBUTES = {IDLE_TIMEOUT: str(IDLE_SECONDS)}
_BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
}


def mount(*, port: int) -> None:
    """Wrap the handlers, and the module's own names: a replacement calls those."""
    provisioners._elbv2_listener_actions = _keep_actions
    provisioners._flatten_listener_rule_conditions = list
    _mount_load_balancer_resource(port)
    _mount_target_group_resource()
    _mount_listener_resource()
    provisioners._elbv2_listener_delete = _forget_attributes(provisioners._elbv2_listener_delete)
    provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::Listener"]["delete"] = (
        provisioners._elbv2_listener_delete
    )
    provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::ListenerCertificate"] = {
        "create": _add_certificates,
        "update": _change_certificates,
        "delete": _remove_certificates,
    }
    for kind, check in _CHECKS.items():
        handlers = provisioners._RESOURCE_HANDLERS[f"AWS::ElasticLoadBalancingV2::{kind}"]
        checked = _with_members(kind, check)
        handlers["create"] = _created_checked(checked, handlers["create"])
        handlers["update"] = _updated_checked(checked, handlers["update"])


def _add_certificates(logical_id: str, props: Any, stack_name: str) -> Any:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenercertificate.html"""
    listener = alb._listeners.get(props.get("ListenerArn", ""))
    if listener is None:
        raise ValueError(f"Listener '{props.get('ListenerArn')}' not found (ListenerNotFound)")
    try:
        keep_certificates(listener, _certificate_arns(props))
    except BalancingFault as fault:
        raise ValueError(f"{fault.message} ({fault.code})") from fault
    return provisioners._physical_name(stack_name, logical_id), {}


def _change_certificates(physical_id: str, old: Any, new: Any, stack_name: str) -> Any:
    _remove_certificates(physical_id, old)
    _add_certificates(physical_id, new, stack_name)
    return physical_id, {}


def _remove_certificates(_physical_id: str, props: Any) -> None:
    listener = alb._listeners.get(props.get("ListenerArn", ""))
    if listener is not None:
        drop_certificates(listener, _certificate_arns(props))


def _certificate_arns(props: Any) -> list[str]:
    return [str(found["CertificateArn"]) for found in props.get("Certificates") or ()]


def _keep_actions(props: Any, _balancer: Any, prop: str = "DefaultActions") -> list[Any]:
    return elbv2_checks.keep_actions(props.get(prop) or ())


# ---- what AWS refuses, it refuses in a template too


def _check_listener(props: Any, own: str) -> None:
    facts = elbv2_checks.balancer_facts(props.get("LoadBalancerArn", ""))
    check_listener(props, facts, _WORLD, own=own)


def _check_balancer(props: Any) -> None:
    check_load_balancer(props, _WORLD)
    access_logs.check_attributes(access_logs.attributes_of(props))


def _check_rule(props: Any, own: str) -> None:
    listener = alb._listeners.get(props.get("ListenerArn", ""))
    if listener is None:
        raise BalancingFault("ListenerNotFound", "One or more listeners not found")
    check_conditions(props.get("Conditions") or ())
    elbv2_checks.check_rule_parts(props, listener, _WORLD)
    for arn, rule in alb._rules.items():
        is_taken = str(rule["Priority"]) == str(props.get("Priority"))
        if arn != own and rule["ListenerArn"] == props["ListenerArn"] and is_taken:
            raise BalancingFault(
                "PriorityInUse", f"Priority '{props['Priority']}' is currently in use"
            )


_WORLD = elbv2_checks.MiniStackBalancing(knows_certificates=False)
_CHECKS: Mapping[str, Check] = {
    "LoadBalancer": lambda props, _: _check_balancer(props),
    "TargetGroup": lambda props, _: check_target_group(props, _WORLD),
    "Listener": _check_listener,
    "ListenerRule": _check_rule,
}


def _with_members(kind: str, check: Check) -> Check:
    action = _ACTIONS[kind]

    def check_all(props: Any, own: str) -> None:
        check(props, own)
        elbv2_checks.refuse_members(action, props)

    return check_all


def _created_checked(check: Check, create: Callable[..., Any]) -> Any:
    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        _refuse(check, props, "")
        return create(logical_id, props, stack_name)

    return create_resource


def _updated_checked(check: Check, update: Callable[..., Any]) -> Any:
    @functools.wraps(update)
    def update_resource(physical_id: str, old: Any, new: Any, *rest: Any, **more: Any) -> Any:
        _refuse(check, new, physical_id)
        return update(physical_id, old, new, *rest, **more)

    return update_resource


def _refuse(check: Check, props: Any, own: str) -> None:
    try:
        check(props, own)
    except BalancingFault as fault:
        raise ValueError(f"{fault.message} ({fault.code})") from fault


def _check_room(props: Any, _own: str) -> None:
    elbv2_limits.require_free(props.get("Type") or "application")


def _mount_load_balancer_resource(port: int) -> None:
    create = provisioners._elbv2_load_balancer_create

    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        _refuse(_check_room, props, "")
        made, attributes = create(logical_id, props, stack_name)
        arn = name_balancer(made)
        full_name = arn.partition(":loadbalancer/")[2]
        attributes |= {"Arn": arn, "LoadBalancerArn": arn, "LoadBalancerFullName": full_name}
        record = alb._lbs[arn]
        record["DNSName"] = attributes["DNSName"] = dns_name(
            record["LoadBalancerName"], port, kind=record["Type"]
        )
        elbv2_checks.place_load_balancer(record, subnet_ids(props))
        _complete(alb._lb_attrs[arn], _BALANCER_ATTRIBUTES)
        return arn, attributes

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    provisioners._elbv2_load_balancer_create = handlers["create"] = create_resource


def _mount_listener_resource() -> None:
    create = provisioners._elbv2_listener_create

    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        made, _ = create(logical_id, props, stack_name)
        arn = name_listener(made)
        alb._listener_attrs[arn] = [
            {"Key": each["Key"], "Value": _text(each["Value"])}
            for each in props.get("ListenerAttributes") or ()
        ]
        if props.get("Protocol") == "TCP":
            _complete(alb._listener_attrs[arn], _TCP_LISTENER_ATTRIBUTES)
        return arn, {"ListenerArn": arn, "Arn": arn}

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::Listener"]
    provisioners._elbv2_listener_create = handlers["create"] = create_resource


def _mount_target_group_resource() -> None:
    create = provisioners._elbv2_target_group_create

    @functools.wraps(create)
    def create_resource(logical_id: str, props: Any, stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        elbv2_checks.fill_tcp_defaults(alb._tgs[arn], props)
        elbv2_checks.keep_version(alb._tgs[arn], props)
        _complete(alb._tg_attrs[arn], _GROUP_ATTRIBUTES)
        return arn, attributes

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"]
    provisioners._elbv2_target_group_create = handlers["create"] = create_resource
    handlers["update"] = _updated_version(handlers["update"])


def _updated_version(update: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(update)
    def update_resource(physical_id: str, old: Any, new: Any, *rest: Any, **more: Any) -> Any:
        answer = update(physical_id, old, new, *rest, **more)
        arn = answer[0] if isinstance(answer, tuple) else physical_id
        elbv2_checks.keep_version(alb._tgs[arn], new)
        return answer

    return update_resource


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
