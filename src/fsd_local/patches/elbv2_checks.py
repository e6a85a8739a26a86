"""Elastic Load Balancing's rules (`fsd_local.balancing`) in front of MiniStack's API.

MiniStack takes nearly anything, drops ForwardConfig and query-string conditions, and lets an
unknown condition match everything. A request is checked before MiniStack sees it, and its actions
and conditions are kept as they were given.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import alb

from fsd_local.balancing.checks import (
    GRPC_DEFAULT_CODE,
    GRPC_DEFAULT_PATH,
    BalancerFacts,
    GroupFacts,
    check_actions,
    check_health_check,
    check_listener,
    check_load_balancer,
    check_subnets,
    check_target_group,
    forward_groups,
    stickiness,
    subnet_ids,
)
from fsd_local.balancing.faults import BalancingFault, not_done, not_valid
from fsd_local.balancing.policies import has_policy
from fsd_local.balancing.query import Json, load_request, parse_request
from fsd_local.balancing.rules import check_conditions
from fsd_local.members import find_refused, load_operations
from fsd_local.patches import access_logs, elbv2_certificates, elbv2_limits
from fsd_local.patches.scope import current
from fsd_local.patches.surroundings import MiniStackSurroundings
from fsd_local.ports import Subnet

SERVICE = "elbv2"  # botocore's name
Handle = Callable[[Any], Any]
Check = Callable[[Json], None]
_HEALTH = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "Matcher",
)


class MiniStackBalancing:
    """Implements `BalancingWorld` in the account and the Region of the request."""

    def __init__(self, *, knows_certificates: bool = True) -> None:
        self._around = MiniStackSurroundings()
        self._knows_certificates = knows_certificates

    def subnets(self, ids: Sequence[str]) -> Mapping[str, Subnet]:
        account, region = current()
        return self._around.subnets(ids, account=account, region=region)

    def security_groups(self, ids: Sequence[str]) -> Mapping[str, str]:
        account, region = current()
        return self._around.security_groups(ids, account=account, region=region)

    def has_vpc(self, id_: str) -> bool:
        account, region = current()
        return self._around.has_vpc(id_, account=account, region=region)

    def has_certificate(self, arn: str) -> bool:
        """A stack's may be one that is only in the account to which the template will go."""
        account, region = current()
        return not self._knows_certificates or self._around.has_certificate(
            arn, account=account, region=region
        )

    def has_policy(self, name: str) -> bool:
        return has_policy(name)

    def group(self, arn: str) -> GroupFacts | None:
        record = alb._tgs.get(arn)
        if record is None:
            return None
        return GroupFacts(
            protocol=str(record["Protocol"]),
            vpc=str(record["VpcId"]),
            balancers=sorted(_balancers_of(arn)),
            version=str(record.get("ProtocolVersion", "HTTP1")),
        )


def _balancers_of(group: str) -> set[str]:
    listeners = {
        str(rule["ListenerArn"])
        for rule in alb._rules.values()
        for action in rule["Actions"]
        if group in [arn for arn, _ in forward_groups(action)]
    }
    return {
        str(listener["LoadBalancerArn"])
        for arn, listener in alb._listeners.items()
        if arn in listeners
    }


_WORLD = MiniStackBalancing()


def balancer_facts(arn: str) -> BalancerFacts:
    record = alb._lbs.get(arn)
    if record is None:
        raise BalancingFault("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return BalancerFacts(
        arn=arn,
        kind=str(record["Type"]),
        vpc=str(record["VpcId"]),
        ports={
            int(found["Port"]): str(listener)
            for listener, found in alb._listeners.items()
            if found["LoadBalancerArn"] == arn
        },
    )


# ---- mounting


def mount() -> None:
    elbv2_certificates.mount(_WORLD.has_certificate)
    alb._parse_actions = _load_actions
    alb._parse_conditions = _load_conditions
    alb._action_xml = _with_forward_config(alb._action_xml)
    alb._condition_xml = _condition_xml
    alb._tg_xml = _with_version(alb._tg_xml)
    checks: Mapping[str, Check] = {
        "CreateLoadBalancer": _check_new_balancer,
        "SetSubnets": _check_set_subnets,
        "SetSecurityGroups": _check_set_groups,
        "CreateTargetGroup": lambda given: check_target_group(given, _WORLD),
        "ModifyTargetGroup": _check_modify_group,
        "CreateListener": _check_create_listener,
        "ModifyListener": _check_modify_listener,
        "CreateRule": _check_create_rule,
        "ModifyRule": _check_modify_rule,
        "SetRulePriorities": _check_priorities,
    }
    for action, check in checks.items():
        alb._ACTION_MAP[action] = _checked(action, check, alb._ACTION_MAP[action])
    modify = "ModifyLoadBalancerAttributes"
    alb._ACTION_MAP[modify] = access_logs.checked(alb._ACTION_MAP[modify])
    alb._ACTION_MAP["CreateLoadBalancer"] = _in_its_vpc(alb._ACTION_MAP["CreateLoadBalancer"])
    alb._ACTION_MAP["CreateTargetGroup"] = _by_tcp(alb._ACTION_MAP["CreateTargetGroup"])
    alb._ACTION_MAP["ModifyTargetGroup"] = _by_grpc(alb._ACTION_MAP["ModifyTargetGroup"])


def _check_new_balancer(given: Any) -> None:
    check_load_balancer(given, _WORLD)
    elbv2_limits.require_free(given.get("Type") or "application")


def _checked(action: str, check: Check, handle: Handle) -> Handle:
    @functools.wraps(handle)
    def handle_checked(parameters: Any) -> Any:
        try:
            check(load_request(action, _flat(parameters)))
        except BalancingFault as fault:
            return alb._error(fault.code, escape(fault.message))
        return handle(parameters)

    return handle_checked


def mount_gate() -> None:
    """Refuse what `fsd_local.members` lists as refused. After every other handler is mounted."""
    for action in [*alb._ACTION_MAP]:
        if action not in load_operations(SERVICE):
            del alb._ACTION_MAP[action]
            continue
        alb._ACTION_MAP[action] = _gated(action, alb._ACTION_MAP[action])


def _gated(action: str, handle: Handle) -> Handle:
    @functools.wraps(handle)
    def handle_gated(parameters: Any) -> Any:
        try:
            refuse_members(action, parse_request(action, _flat(parameters)))
        except BalancingFault as fault:
            return alb._error(fault.code, escape(fault.message))
        return handle(parameters)

    return handle_gated


def refuse_members(action: str, given: Mapping[str, Any]) -> None:
    """Raises BalancingFault for a member that the embedded AWS would have to ignore."""
    member = find_refused(SERVICE, action, given)
    if member:
        raise not_done(f"act on {member}")


def _flat(parameters: Any) -> dict[str, str]:
    return {key: str(alb._p(parameters, key)) for key in parameters}


def _in_its_vpc(create: Handle) -> Handle:
    """With all of its subnets, and in their VPC."""

    @functools.wraps(create)
    def create_load_balancer(parameters: Any) -> Any:
        known = set(alb._lbs.keys())
        answer = create(parameters)
        for arn in set(alb._lbs.keys()) - known:
            ids = subnet_ids(load_request("CreateLoadBalancer", _flat(parameters)))
            place_load_balancer(alb._lbs[arn], ids)
        return answer

    return create_load_balancer


def place_load_balancer(record: Any, ids: Sequence[str]) -> None:
    found = _WORLD.subnets(ids)
    record["Subnets"] = list(ids)
    record["VpcId"] = next((subnet.vpc for subnet in found.values()), record["VpcId"])


def _by_tcp(create: Handle) -> Handle:
    @functools.wraps(create)
    def create_target_group(parameters: Any) -> Any:
        known = set(alb._tgs.keys())
        answer = create(parameters)
        for arn in set(alb._tgs.keys()) - known:
            given = load_request("CreateTargetGroup", _flat(parameters))
            fill_tcp_defaults(alb._tgs[arn], given)
            keep_version(alb._tgs[arn], given)
            inner = f"<TargetGroups>{alb._tg_xml(alb._tgs[arn])}</TargetGroups>"
            answer = alb._xml(200, "CreateTargetGroup", inner)
        return answer

    return create_target_group


def _by_grpc(modify: Handle) -> Handle:
    @functools.wraps(modify)
    def modify_target_group(parameters: Any) -> Any:
        answer = modify(parameters)
        record = alb._tgs.get(alb._p(parameters, "TargetGroupArn"))
        code = alb._p(parameters, "Matcher.GrpcCode")
        if record is None or not code:
            return answer
        record["Matcher"] = {"GrpcCode": code}
        inner = f"<TargetGroups>{alb._tg_xml(record)}</TargetGroups>"
        return alb._xml(200, "ModifyTargetGroup", inner)

    return modify_target_group


def keep_version(record: Any, given: Mapping[str, Any]) -> None:
    """What MiniStack drops: the protocol's version, and gRPC's codes and defaults."""
    if record["Protocol"] not in {"HTTP", "HTTPS"}:
        return
    record["ProtocolVersion"] = given.get("ProtocolVersion") or "HTTP1"
    if record["ProtocolVersion"] == "GRPC":
        code = (given.get("Matcher") or {}).get("GrpcCode") or GRPC_DEFAULT_CODE
        record["Matcher"] = {"GrpcCode": str(code)}
        record["HealthCheckPath"] = given.get("HealthCheckPath") or GRPC_DEFAULT_PATH


def _with_version(render: Handle) -> Handle:
    @functools.wraps(render)
    def target_group_xml(record: Any) -> Any:
        shown = str(render(record)).removesuffix("</member>")
        code = record["Matcher"].get("GrpcCode")
        if code:
            shown = re.sub("<HttpCode>.*?</HttpCode>", f"<GrpcCode>{code}</GrpcCode>", shown)
        version = record.get("ProtocolVersion")
        said = f"<ProtocolVersion>{version}</ProtocolVersion>" if version else ""
        return f"{shown}{said}</member>"

    return target_group_xml


def fill_tcp_defaults(record: Any, given: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html"""
    if record["Protocol"] in {"HTTP", "HTTPS"}:
        return
    for member, value in (("HealthCheckProtocol", "TCP"), ("HealthCheckTimeoutSeconds", 10)):
        if member not in given:
            record[member] = value


# ---- the checks that need MiniStack's records


def _check_set_subnets(given: Json) -> None:
    facts = balancer_facts(given["LoadBalancerArn"])
    check_subnets(given, _WORLD, kind=facts.kind)


def _check_set_groups(given: Json) -> None:
    facts = balancer_facts(given["LoadBalancerArn"])
    known = _WORLD.security_groups(given.get("SecurityGroups") or ())
    if any(known.get(group) != facts.vpc for group in given.get("SecurityGroups") or ()):
        raise BalancingFault("InvalidSecurityGroup", "One or more security groups are invalid")


def _check_modify_group(given: Json) -> None:
    record = alb._tgs.get(given["TargetGroupArn"])
    if record is None:
        raise BalancingFault("TargetGroupNotFound", "One or more target groups not found")
    present = {
        name: record[name] for name in (*_HEALTH, "Protocol", "ProtocolVersion") if name in record
    }
    check_health_check(present | {name: given[name] for name in _HEALTH if name in given})


def _check_create_listener(given: Json) -> None:
    check_listener(given, balancer_facts(given["LoadBalancerArn"]), _WORLD, own="")


def _check_modify_listener(given: Json) -> None:
    arn = given["ListenerArn"]
    record = alb._listeners.get(arn)
    if record is None:
        raise BalancingFault("ListenerNotFound", f"Listener '{arn}' not found")
    facts = balancer_facts(record["LoadBalancerArn"])
    if facts.ports.get(int(given.get("Port", record["Port"])), arn) != arn:
        raise not_valid(f"Listener port '{given['Port']}' is already in use")
    check_listener(_present(record) | given, facts, _WORLD, own=arn)


def _present(record: Mapping[str, Any]) -> Json:
    found: Json = {name: record[name] for name in ("Port", "Protocol", "DefaultActions")}
    if record.get("Certificates"):
        found["Certificates"] = [{"CertificateArn": arn} for arn in record["Certificates"]]
    if record.get("SslPolicy"):
        found["SslPolicy"] = record["SslPolicy"]
    return found


def _check_create_rule(given: Json) -> None:
    arn = given["ListenerArn"]
    listener = alb._listeners.get(arn)
    if listener is None:
        raise BalancingFault("ListenerNotFound", f"Listener '{arn}' not found")
    check_conditions(given.get("Conditions") or ())
    check_rule_parts(given, listener, _WORLD)


def check_rule_parts(given: Json, listener: Mapping[str, Any], world: MiniStackBalancing) -> None:
    if given.get("Transforms"):
        raise not_done("rewrite requests (Transforms)")
    balancer = balancer_facts(listener["LoadBalancerArn"])
    check_actions(given.get("Actions") or (), listener["Protocol"], balancer, world)


def _check_modify_rule(given: Json) -> None:
    rule = alb._rules.get(given["RuleArn"])
    if rule is None:
        raise BalancingFault("RuleNotFound", "One or more rules not found")
    if given.get("Conditions"):
        check_conditions(given["Conditions"])
    check_rule_parts(given, alb._listeners[rule["ListenerArn"]], _WORLD)


def _check_priorities(given: Json) -> None:
    wanted = {
        pair.get("RuleArn", ""): str(pair.get("Priority")) for pair in given["RulePriorities"]
    }
    for arn in wanted:
        if arn not in alb._rules:
            raise BalancingFault("RuleNotFound", "One or more rules not found")
    for priority in wanted.values():
        if list(wanted.values()).count(priority) > 1:
            raise not_valid(f"Priority '{priority}' was provided multiple times")
    listeners = {alb._rules[arn]["ListenerArn"] for arn in wanted}
    for arn, rule in alb._rules.items():
        kept = arn not in wanted and rule["ListenerArn"] in listeners
        if kept and str(rule["Priority"]) in wanted.values():
            raise BalancingFault(
                "PriorityInUse", f"Priority '{rule['Priority']}' is currently in use"
            )


# ---- actions and conditions, as they were given


def _load_actions(parameters: Any, prefix: str = "DefaultActions") -> list[Json]:
    action = "CreateRule" if prefix == "Actions" else "CreateListener"
    return keep_actions(load_request(action, _flat(parameters)).get(prefix) or ())


def keep_actions(actions: Sequence[Json]) -> list[Json]:
    """With what AWS fills in: the order, and a ForwardConfig for every forward."""
    kept = []
    for number, action in enumerate(actions, 1):
        found = {"Order": number, **action}
        if found["Type"] == "forward":
            found |= _forward(action)
        kept.append(found)
    return kept


def _forward(action: Json) -> Json:
    groups = list(forward_groups(action))
    listed = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    seconds = stickiness(action)
    sticky = {"Enabled": True, "DurationSeconds": seconds} if seconds else {"Enabled": False}
    config = {"TargetGroups": listed, "TargetGroupStickinessConfig": sticky}
    single = {"TargetGroupArn": groups[0][0]} if len(groups) == 1 else {}
    return {"ForwardConfig": config, **single}


def _load_conditions(parameters: Any, prefix: str = "Conditions") -> list[Json]:
    return list(load_request("CreateRule", _flat(parameters)).get(prefix) or ())


def _with_forward_config(render: Handle) -> Handle:
    @functools.wraps(render)
    def action_xml(action: Any) -> Any:
        shown = str(render(action))
        config = action.get("ForwardConfig")
        if not config:
            return shown
        groups = "".join(
            f"<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>"
            for arn, weight in forward_groups(action)
        )
        added = (
            f"<ForwardConfig><TargetGroups>{groups}</TargetGroups><TargetGroupStickinessConfig>"
            f"{_stickiness_xml(action)}</TargetGroupStickinessConfig></ForwardConfig></member>"
        )
        return shown.removesuffix("</member>") + added

    return action_xml


def _stickiness_xml(action: Json) -> str:
    seconds = stickiness(action)
    if not seconds:
        return "<Enabled>false</Enabled>"
    return f"<Enabled>true</Enabled><DurationSeconds>{seconds}</DurationSeconds>"


def _condition_xml(condition: Any) -> str:
    """The flat values too, where a field has them, as AWS answers."""
    configs = [name for name in condition if name.endswith("Config")]
    flat = condition.get("Values") or [
        value
        for name in configs
        if name in {"HostHeaderConfig", "PathPatternConfig"}
        for value in condition[name].get("Values", ())
    ]
    inner = f"<Field>{escape(condition['Field'])}</Field>" + _members("Values", flat)
    if flat and not configs:
        name = "HostHeaderConfig" if condition["Field"] == "host-header" else "PathPatternConfig"
        inner += f"<{name}>{_members('Values', flat)}</{name}>"
    for name in configs:
        inner += f"<{name}>{''.join(_config_xml(condition[name]))}</{name}>"
    return f"<member>{inner}</member>"


def _config_xml(config: Mapping[str, Any]) -> Iterator[str]:
    if "HttpHeaderName" in config:
        yield f"<HttpHeaderName>{escape(config['HttpHeaderName'])}</HttpHeaderName>"
    yield _members("Values", config.get("Values", ()))


def _members(name: str, values: Sequence[Any]) -> str:
    inner = "".join(f"<member>{_value_xml(value)}</member>" for value in values)
    return f"<{name}>{inner}</{name}>"


def _value_xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{escape(str(found))}</{key}>" for key, found in value.items())
    return escape(str(value))
