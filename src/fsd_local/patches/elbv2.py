"""MiniStack's Elastic Load Balancing: its records stay, target health and reachable names are ours.

Replaced: DescribeTargetHealth, RegisterTargets, DeregisterTargets (ours are real), the DNS name
(ours is reachable). Corrected: answers that AWS refuses, and what a deletion leaves behind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import alb

from fsd_local.balancing.checks import forward_groups
from fsd_local.balancing.rules import BalancedRequest, meets
from fsd_local.dataplane import Listener
from fsd_local.elb import ElasticLoadBalancing, TargetGroup
from fsd_local.health import TargetGroupCheck
from fsd_local.instance import ACCOUNT, REGION
from fsd_local.network_plane import IDLE_SECONDS, IDLE_TIMEOUT, NetworkListener
from fsd_local.patches import elbv2_checks
from fsd_local.patches.network_arns import name_balancer, named_listener
from fsd_local.patches.scope import account_and_region, current, find, scope

_DELAY = "deregistration_delay.timeout_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerName:
    arn: str
    name: str
    dns_name: str

    @property
    def label(self) -> str:
        """What tells it from all others: the first part of its host name, and of its path."""
        return _label(self.name, *account_and_region(self.arn))


class MiniStackTargetGroups:
    """Implements `fsd_local.elb.TargetGroups` on MiniStack's records."""

    def find(self, arn: str) -> TargetGroup | None:
        record = find(alb._tgs, arn)
        if record is None:
            return None
        account, region = account_and_region(arn)
        with scope(account, region):
            attributes = {a["Key"]: a["Value"] for a in alb._tg_attrs.get(arn, [])}
            attached = any(arn in forwards_to(rule["Actions"]) for rule in alb._rules.values())
        return TargetGroup(
            arn=arn,
            check=_health_check(record),
            deregistration_delay=float(attributes.get(_DELAY, "300")),
            attached=attached,
            target_type=str(record["TargetType"]),
        )

    def weights(self, rule_arn: str) -> Mapping[str, int] | None:
        """Of a rule's forward action; {} for a rule that does something else."""
        rule = find(alb._rules, rule_arn)
        if rule is None:
            return None
        return {arn: weight for action in rule["Actions"] for arn, weight in forward_groups(action)}

    def set_weights(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        """As ModifyRule, or for a listener's default rule as ModifyListener."""
        rule = find(alb._rules, rule_arn)
        if rule is None:
            return
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        kept = [action.get("ForwardConfig") or {} for action in rule["Actions"]]
        config = {**kept[0], "TargetGroups": groups} if kept else {"TargetGroups": groups}
        rule["Actions"] = [{"Type": "forward", "Order": 1, "ForwardConfig": config}]
        if rule.get("IsDefault"):
            account, region = account_and_region(rule_arn)
            with scope(account, region):
                alb._listeners[rule["ListenerArn"]]["DefaultActions"] = rule["Actions"]


def _health_check(record: Mapping[str, Any]) -> TargetGroupCheck:
    return TargetGroupCheck(
        path=str(record["HealthCheckPath"]),
        protocol=str(record["HealthCheckProtocol"]),
        port=str(record["HealthCheckPort"]),
        matcher=str(record["Matcher"].get("GrpcCode") or record["Matcher"].get("HttpCode")),
        version=str(record.get("ProtocolVersion", "HTTP1")),
        interval=float(record["HealthCheckIntervalSeconds"]),
        timeout=float(record["HealthCheckTimeoutSeconds"]),
        healthy_threshold=int(record["HealthyThresholdCount"]),
        unhealthy_threshold=int(record["UnhealthyThresholdCount"]),
        enabled=bool(record["HealthCheckEnabled"]),
    )


def forwards_to(actions: Sequence[Mapping[str, Any]]) -> list[str]:
    return [arn for action in actions for arn, _ in forward_groups(dict(action))]


# ---- for the data plane and the status


def find_load_balancer(label: str) -> BalancerName | None:
    """By its label, in any case; by its name alone where only one has it."""
    matches = [b for b in load_balancers() if label.lower() in (b.label, b.name.lower())]
    exact = [b for b in matches if b.label == label.lower()]
    return exact[0] if exact else (matches[0] if len(matches) == 1 else None)


def load_balancers() -> Iterator[BalancerName]:
    for record in alb._lbs.all_values():
        yield BalancerName(
            arn=record["LoadBalancerArn"],
            name=record["LoadBalancerName"],
            dns_name=record["DNSName"],
        )


def load_balancers_of(target_group_arn: str) -> list[BalancerName]:
    """Those with a rule that forwards to the target group."""
    account, region = account_and_region(target_group_arn)
    with scope(account, region):
        listeners = {
            rule["ListenerArn"]
            for rule in alb._rules.values()
            if target_group_arn in forwards_to(rule["Actions"])
        }
        arns = {
            listener["LoadBalancerArn"]
            for arn, listener in alb._listeners.items()
            if arn in listeners
        }
    return [balancer for balancer in load_balancers() if balancer.arn in arns]


def has_https_listener() -> bool:
    return any(record["Protocol"] == "HTTPS" for record in alb._listeners.all_values())


def choose_listener(balancer: BalancerName, request: BalancedRequest) -> Listener | None:
    """The listener that answers, with the actions of its first matching rule.

    All listeners share one port here; `/_alb/NAME:8080/` asks for the one on 8080. Else one that
    forwards wins over one that redirects, so that the redirect from 80 beside an HTTPS listener
    does not send a client round in circles.
    """
    account, region = account_and_region(balancer.arn)
    with scope(account, region):
        candidates = [
            Listener(
                port=int(record["Port"]),
                protocol=str(record["Protocol"]),
                actions=_matching_actions(arn, request),
                balancer=balancer.arn,
            )
            for arn, record in alb._listeners.items()
            if record["LoadBalancerArn"] == balancer.arn
            and request.port in (0, int(record["Port"]))
        ]
    return min(
        candidates, key=lambda listener: (_is_redirect(listener), listener.port), default=None
    )


def _is_redirect(listener: Listener) -> bool:
    return any(action.get("Type") == "redirect" for action in listener.actions)


def _matching_actions(listener_arn: str, request: BalancedRequest) -> tuple[Mapping[str, Any], ...]:
    rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener_arn]
    for rule in sorted(rules, key=alb._rule_sort_key):
        if all(meets(condition, request) for condition in rule["Conditions"]):
            return tuple(sorted(rule["Actions"], key=lambda action: action.get("Order", 1)))
    return ()


# ---- the patches


def mount(balancing: ElasticLoadBalancing, *, port: int) -> None:
    """Put our answers into MiniStack's action map, and reachable names on its load balancers."""
    api = _Api(balancing)
    alb._ACTION_MAP.update(
        DescribeTargetHealth=api.describe_target_health,
        RegisterTargets=api.register_targets,
        DeregisterTargets=api.deregister_targets,
        DeleteLoadBalancer=_delete_load_balancer,
        DescribeTargetGroups=_named_groups_must_exist(_with_balancers(alb._describe_tgs)),
        CreateRule=_priority_must_be_free(alb._create_rule),
        CreateTargetGroup=_made_once(alb._create_tg),
        DeleteTargetGroup=_group_must_be_unused(alb._delete_tg),
        CreateLoadBalancer=_created_reachable(alb._create_lb, port),
        CreateListener=named_listener(alb._create_listener),
    )
    elbv2_checks.mount()


def dns_name(name: str, port: int, *, kind: str = "application") -> str:
    """In the account and the Region of the request. The listeners of a network load balancer have
    ports of their own."""
    label = f"{_label(name, *current())}.elb.localhost"
    return label if kind == "network" else f"{label}:{port}"


def _idle_timeout(listener: str) -> float:
    """In seconds; a listener of TLS keeps AWS's own."""
    found = alb._listener_attrs.get(listener) or ()
    return next(
        (float(each["Value"]) for each in found if each["Key"] == IDLE_TIMEOUT), IDLE_SECONDS
    )


def network_listeners() -> dict[str, NetworkListener]:
    """Of all accounts, by their ARN."""
    return {
        record["ListenerArn"]: NetworkListener(
            port=int(record["Port"]),
            group=groups[0],
            balancer=record["LoadBalancerArn"],
            idle_timeout=_idle_timeout(record["ListenerArn"]),
        )
        for record in list(alb._listeners.all_values())
        if record["Protocol"] in ("TCP", "TLS")
        and (groups := forwards_to(record["DefaultActions"]))
    }


def _label(name: str, account: str, region: str) -> str:
    """A name is taken once in each account and Region; those that we start with go without."""
    if (account, region) == (ACCOUNT, REGION):
        return name.lower()
    return f"{name}.{region}.{account}".lower()


def _created_reachable(create: Callable[[Any], Any], port: int) -> Callable[[Any], Any]:
    @functools.wraps(create)
    def create_load_balancer(parameters: Any) -> Any:
        known = set(alb._lbs.keys())
        answer = create(parameters)
        for arn in set(alb._lbs.keys()) - known:
            record = alb._lbs[name_balancer(arn)]
            name, kind = record["LoadBalancerName"], record["Type"]
            record["DNSName"] = dns_name(name, port, kind=kind)
            inner = f"<LoadBalancers>{alb._lb_xml(record)}</LoadBalancers>"
            answer = alb._xml(200, "CreateLoadBalancer", inner)
        return answer

    return create_load_balancer


def _delete_load_balancer(parameters: Any) -> Any:
    """With its listeners and rules, as on AWS; MiniStack's own handler leaves them."""
    arn = alb._p(parameters, "LoadBalancerArn")
    for listener in [a for a, r in alb._listeners.items() if r["LoadBalancerArn"] == arn]:
        alb._delete_listener({"ListenerArn": listener})
    for group in alb._tgs.values():
        group["LoadBalancerArns"] = [a for a in group["LoadBalancerArns"] if a != arn]
    return alb._delete_lb(parameters)


def _named_groups_must_exist(describe: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(describe)
    def describe_target_groups(parameters: Any) -> Any:
        known = {record["TargetGroupName"] for record in alb._tgs.values()}
        if set(alb._parse_member_list(parameters, "Names")) - known:
            return alb._error("TargetGroupNotFound", "One or more target groups not found")
        return describe(parameters)

    return describe_target_groups


def _with_balancers(describe: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A group is its load balancer's by any rule; MiniStack counts only what a listener began
    with, and never forgets it."""

    @functools.wraps(describe)
    def describe_target_groups(parameters: Any) -> Any:
        for arn, record in alb._tgs.items():
            record["LoadBalancerArns"] = [balancer.arn for balancer in load_balancers_of(arn)]
        return describe(parameters)

    return describe_target_groups


def _made_once(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same call again finds what it made; another one of the name is refused.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    made: dict[str, dict[str, Any]] = {}  # ARN → what it was made with

    @functools.wraps(create)
    def create_target_group(parameters: Any) -> Any:
        for arn, record in alb._tgs.items():
            if made.get(arn) == parameters:
                inner = f"<TargetGroups>{alb._tg_xml(record)}</TargetGroups>"
                return alb._xml(200, "CreateTargetGroup", inner)
        known = set(alb._tgs.keys())
        answer = create(parameters)
        made.update({arn: dict(parameters) for arn in set(alb._tgs.keys()) - known})
        return answer

    return create_target_group


def _priority_must_be_free(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(create)
    def create_rule(parameters: Any) -> Any:
        listener, priority = alb._p(parameters, "ListenerArn"), alb._p(parameters, "Priority")
        rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener]
        if priority in {str(rule["Priority"]) for rule in rules}:
            return alb._error("PriorityInUse", f"Priority '{priority}' is currently in use")
        return create(parameters)

    return create_rule


def _group_must_be_unused(delete: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(delete)
    def delete_target_group(parameters: Any) -> Any:
        arn = alb._p(parameters, "TargetGroupArn")
        if any(arn in forwards_to(rule["Actions"]) for rule in alb._rules.values()):
            return alb._error(
                "ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule"
            )
        return delete(parameters)

    return delete_target_group


class _Api:
    """The three target actions, answered from real health checks."""

    def __init__(self, balancing: ElasticLoadBalancing) -> None:
        self._balancing = balancing

    def register_targets(self, parameters: Any) -> Any:
        arn = alb._p(parameters, "TargetGroupArn")
        group = alb._tgs.get(arn)
        if group is None:
            return _no_such_group()
        wanted = alb._parse_targets_param(parameters)
        for target in wanted:
            if not _is_address(target["Id"]):
                return alb._error(
                    "InvalidTarget", f"The IP address '{target['Id']}' is not a valid IPv4 address"
                )
        for target in wanted:
            self._balancing.register(arn, target["Id"], target.get("Port", group["Port"]))
        return alb._empty("RegisterTargets")

    def deregister_targets(self, parameters: Any) -> Any:
        arn = alb._p(parameters, "TargetGroupArn")
        if arn not in alb._tgs:
            return _no_such_group()
        for target in alb._parse_targets_param(parameters):
            for present, _ in self._balancing.targets(arn):
                if present.address == target["Id"] and target.get("Port") in (None, present.port):
                    self._balancing.deregister(arn, present.address, present.port)
        return alb._empty("DeregisterTargets")

    def describe_target_health(self, parameters: Any) -> Any:
        arn = alb._p(parameters, "TargetGroupArn")
        group = alb._tgs.get(arn)
        if group is None:
            return _no_such_group()
        asked = alb._parse_targets_param(parameters)
        wanted = (
            [(t["Id"], int(t.get("Port", group["Port"]))) for t in asked]
            if asked
            else [(t.address, t.port) for t, _ in self._balancing.targets(arn)]
        )
        members = "".join(self._description(group, address, port) for address, port in wanted)
        return alb._xml(
            200,
            "DescribeTargetHealth",
            f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>",
        )

    def _description(self, group: Mapping[str, Any], address: str, port: int) -> str:
        state = self._balancing.state(group["TargetGroupArn"], address, port)
        check = str(group["HealthCheckPort"])
        why = (
            f"<Reason>{state.reason}</Reason><Description>{escape(state.description)}</Description>"
            if state.reason
            else ""
        )
        return (
            f"<member><Target><Id>{escape(address)}</Id><Port>{port}</Port></Target>"
            f"<HealthCheckPort>{check if check.isdigit() else port}</HealthCheckPort>"
            f"<TargetHealth><State>{state.state}</State>{why}</TargetHealth></member>"
        )


def _no_such_group() -> Any:
    return alb._error("TargetGroupNotFound", "One or more target groups not found")


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
