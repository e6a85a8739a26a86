"""The ARNs of network load balancers: MiniStack writes `app` into every one, and AWS `net`.

A policy allows by these names, so what is too small for AWS has to be too small here.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from ministack.services import alb


def name_balancer(arn: str) -> str:
    """The load balancer's ARN from now on, right after it was made."""
    record = alb._lbs[arn]
    if record["Type"] != "network":
        return arn
    record["LoadBalancerArn"] = renamed = _as_network(arn)
    for store in (alb._lbs, alb._lb_attrs, alb._tags):
        _move(store, arn)
    return renamed


def name_listener(arn: str) -> str:
    """The listener's, with those of its rules."""
    record = alb._listeners[arn]
    if ":loadbalancer/net/" not in record["LoadBalancerArn"]:
        return arn
    record["ListenerArn"] = renamed = _as_network(arn)
    for store in (alb._listeners, alb._listener_attrs, alb._tags):
        _move(store, arn)
    for rule in [rule for rule in alb._rules.values() if rule["ListenerArn"] == arn]:
        made = rule["RuleArn"]
        rule |= {"ListenerArn": renamed, "RuleArn": _as_network(made)}
        _move(alb._rules, made)
    return renamed


def named_listener(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """CreateListener of the API."""

    @functools.wraps(create)
    def create_listener(parameters: Any) -> Any:
        known = set(alb._listeners.keys())
        answer = create(parameters)
        for arn in set(alb._listeners.keys()) - known:
            record = alb._listeners[name_listener(arn)]
            inner = f"<Listeners>{alb._listener_xml(record)}</Listeners>"
            answer = alb._xml(200, "CreateListener", inner)
        return answer

    return create_listener


def _as_network(arn: str) -> str:
    return re.sub(r":(loadbalancer|listener|listener-rule)/app/", r":\1/net/", arn, count=1)


def _move(store: Any, arn: str) -> None:
    if arn in store:
        store[_as_network(arn)] = store.pop(arn)
