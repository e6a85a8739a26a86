"""What a stack's template says and AWS does not have: somebody removed it, and CloudFormation does
not know. Only what a rollout needs is looked at: load balancer, listener, target group, security
group rules, roles, log group.

CloudFormation repairs it in two steps: it is told what is there (`without`), which changes nothing,
and then what is to be. A drift-aware change set would also undo what nobody asked to undo.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fsd.change import BareRemark, RulesLacking
from fsd.compile.desired import OUTPUT_LOAD_BALANCER, OUTPUT_TARGET_GROUP, Json, JsonValue
from fsd.plan.canonical import canonical_text
from fsd.plan.template_parts import object_at, referred

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
ROLE = "AWS::IAM::Role"
LOG_GROUP = "AWS::Logs::LogGroup"

INGRESS, EGRESS = "SecurityGroupIngress", "SecurityGroupEgress"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SecurityGroupRule:
    """Of a security group. `peer` is a CIDR or a group's id; no ports where all are meant."""

    protocol: str
    first: int | None
    last: int | None
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGroup:
    id: str
    ingress: frozenset[SecurityGroupRule] = frozenset()
    egress: frozenset[SecurityGroupRule] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What AWS has. None: not looked at, or denied; what is unknown is not lacking."""

    groups: Mapping[str, SeenGroup] | None = None  # by logical name
    roles: Mapping[str, bool] = field(default_factory=dict)  # by name: whether it is there
    log_groups: Mapping[str, bool] = field(default_factory=dict)
    balancer_exists: bool | None = None
    listener_ports: frozenset[int] | None = None
    target_group_exists: bool | None = None
    target_group_is_used: bool | None = None  # by a listener or a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingResource:
    """One resource of the template: gone, or without some of its rules."""

    resource: str  # logical name
    remark: BareRemark | RulesLacking = BareRemark.MISSING
    rules: tuple[tuple[str, str], ...] = ()  # (property, canonical rule); () where it is gone

    @property
    def is_gone(self) -> bool:
        return not self.rules


def find_lacks(template: Json, seen: Seen) -> tuple[MissingResource, ...]:
    """In the order of the logical names."""
    found = [
        *_named(template, ROLE, "RoleName", seen.roles),
        *_named(template, LOG_GROUP, "LogGroupName", seen.log_groups),
        *_balancing(template, seen),
        *_groups(template, seen.groups),
    ]
    return tuple(sorted(found, key=lambda lack: lack.resource))


def without(template: Json, lacks: Sequence[MissingResource]) -> Json:
    """The template of what is there: less what is gone, and what refers to it."""
    if not lacks:
        return template
    resources = {**object_at(template, "Resources")}
    for lack in lacks:
        if lack.rules:
            resources[lack.resource] = _without_rules(object_at(resources, lack.resource), lack)
    gone = {lack.resource for lack in lacks if lack.is_gone}
    while gone:
        resources = {n: _without_peers(r, gone) for n, r in resources.items() if n not in gone}
        gone = {name for name, resource in resources.items() if _refers(resource, gone)}
    kept = {
        name: output
        for name, output in object_at(template, "Outputs").items()
        if not _refers(output, object_at(template, "Resources").keys() - resources.keys())
    }
    result: Json = {**template, "Resources": resources}
    return result | {"Outputs": kept} if "Outputs" in template else result


def balancer_of(template: Json) -> str:
    """The logical name of the load balancer that serves; "" without one."""
    return referred(object_at(object_at(template, "Outputs"), OUTPUT_LOAD_BALANCER).get("Value"))


def count_listeners(template: Json) -> int:
    """Of the load balancer that serves."""
    balancer = {"Ref": balancer_of(template)}
    found = (object_at(resource, "Properties") for _, resource in _of_kind(template, LISTENER))
    return sum(1 for properties in found if properties.get("LoadBalancerArn") == balancer)


def names_of(template: Json, kind: str, key: str) -> tuple[str, ...]:
    """The physical names that the template gives to its resources of one kind."""
    found = (object_at(resource, "Properties").get(key) for _, resource in _of_kind(template, kind))
    return tuple(str(name) for name in found if isinstance(name, str))


def _named(
    template: Json, kind: str, key: str, seen: Mapping[str, bool]
) -> Iterator[MissingResource]:
    for name, resource in _of_kind(template, kind):
        if seen.get(str(object_at(resource, "Properties").get(key))) is False:
            yield MissingResource(resource=name)


def _balancing(template: Json, seen: Seen) -> Iterator[MissingResource]:
    balancer = balancer_of(template)
    if not balancer:
        return
    group = referred(object_at(object_at(template, "Outputs"), OUTPUT_TARGET_GROUP).get("Value"))
    if seen.balancer_exists is False:
        yield MissingResource(resource=balancer)
    if group and seen.target_group_exists is False:
        yield MissingResource(resource=group)
    for name, resource in _of_kind(template, LISTENER):
        properties = object_at(resource, "Properties")
        if properties.get("LoadBalancerArn") != {"Ref": balancer}:
            continue
        is_there = seen.listener_ports is None or properties.get("Port") in seen.listener_ports
        if not is_there:
            yield MissingResource(resource=name)
        elif seen.target_group_is_used is False and _refers(resource, {group}):
            yield MissingResource(resource=name, remark=BareRemark.FORWARDS_ELSEWHERE)


def _groups(template: Json, seen: Mapping[str, SeenGroup] | None) -> Iterator[MissingResource]:
    if seen is None:
        return
    for name, resource in _of_kind(template, SECURITY_GROUP):
        group = seen.get(name)
        if group is None:
            yield MissingResource(resource=name)
            continue
        lacking = [
            (key, rule)
            for key, there in ((INGRESS, group.ingress), (EGRESS, group.egress))
            for rule in _list(object_at(resource, "Properties"), key)
            if _resolved(rule, seen) not in {None, *there}
        ]
        if lacking:
            words = tuple(_words(key, rule) for key, rule in lacking)
            rules = tuple((key, canonical_text(rule)) for key, rule in lacking)
            yield MissingResource(resource=name, remark=RulesLacking(rules=words), rules=rules)


def _resolved(rule: JsonValue, seen: Mapping[str, SeenGroup]) -> SecurityGroupRule | None:
    """None where it refers to a group that is gone: that is the group's lack."""
    if not isinstance(rule, dict):
        return None
    peer = rule.get("CidrIp")
    if peer is None:
        group = seen.get(_peer_group(rule))
        peer = group.id if group else None
    if peer is None:
        return None
    protocol = str(rule.get("IpProtocol"))
    first, last = (_number(rule.get(key)) for key in ("FromPort", "ToPort"))
    return SecurityGroupRule(protocol=protocol, first=first, last=last, peer=str(peer))


def _words(key: str, rule: JsonValue) -> str:
    """`tcp 8000 in`."""
    assert isinstance(rule, dict)
    protocol = "all" if rule.get("IpProtocol") == "-1" else rule.get("IpProtocol")
    port = f" {rule['FromPort']}" if "FromPort" in rule else ""
    return f"{protocol}{port} {'in' if key == INGRESS else 'out'}"


def _without_rules(resource: Json, lack: MissingResource) -> Json:
    properties = {**object_at(resource, "Properties")}
    for key in (INGRESS, EGRESS):
        lacking = {rule for of, rule in lack.rules if of == key}
        kept = [r for r in _list(properties, key) if canonical_text(r) not in lacking]
        if lacking:
            properties[key] = kept
    return {**resource, "Properties": properties}


def _without_peers(resource: JsonValue, gone: set[str]) -> JsonValue:
    """A group is not gone because one of its peers is: it has a rule less."""
    if not isinstance(resource, dict) or resource.get("Type") != SECURITY_GROUP:
        return resource
    properties = {**object_at(resource, "Properties")}
    for key in (INGRESS, EGRESS):
        if key in properties:
            properties[key] = [r for r in _list(properties, key) if not _refers(r, gone)]
    return {**resource, "Properties": properties}


def _refers(value: JsonValue, names: set[str]) -> bool:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name in names
        case dict():
            return any(_refers(item, names) for item in value.values())
        case list():
            return any(_refers(item, names) for item in value)
        case _:
            return False


def _peer_group(rule: Json) -> str:
    for key in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        match rule.get(key):
            case {"Fn::GetAtt": [str(name), *_]}:
                return name
    return ""


def _number(value: JsonValue) -> int | None:
    return int(str(value)) if value is not None else None


def _of_kind(template: Json, kind: str) -> Iterator[tuple[str, Json]]:
    for name, resource in object_at(template, "Resources").items():
        if isinstance(resource, dict) and resource.get("Type") == kind:
            yield name, resource


def _list(parent: Json, key: str) -> list[JsonValue]:
    value = parent.get(key)
    return value if isinstance(value, list) else []
