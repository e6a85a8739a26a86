"""What a change of the stack lets a role or a network do that it could not do before, or no longer.

A reviewer must see this, whatever else a template changes. Pure, over two templates that FSD made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from fsd.compile.desired import Json, JsonValue

_DIRECTIONS = {"SecurityGroupIngress": True, "SecurityGroupEgress": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChange:
    """Actions that a role may do on one resource, or may do no longer."""

    role: str  # logical name: TaskRole, ExecutionRole
    resource: str  # an ARN, a pattern of ARNs, or a logical name
    actions: tuple[str, ...]
    is_granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One rule of a security group that is added or removed."""

    group: str  # logical name: TaskSecurityGroup, LoadBalancerSecurityGroup
    peer: str  # a CIDR, a prefix list, or the logical name of a security group
    protocol: str  # tcp, udp; "-1" is every protocol
    first: int | None  # port; None where all are meant
    last: int | None
    is_ingress: bool
    is_added: bool = True


SecurityChange: TypeAlias = GrantChange | RuleChange


def diff_security(before: Json, after: Json) -> tuple[SecurityChange, ...]:
    """Grants first, then rules; each in the order of the names."""
    return (*_grants_that_differ(before, after), *_rules_that_differ(before, after))


def _grants_that_differ(before: Json, after: Json) -> Iterator[GrantChange]:
    old, new = set(_grants(before)), set(_grants(after))
    for pairs, is_granted in ((new - old, True), (old - new, False)):
        actions: dict[tuple[str, str], list[str]] = {}
        for role, resource, action in sorted(pairs):
            actions.setdefault((role, resource), []).append(action)
        for (role, resource), names in actions.items():
            yield GrantChange(
                role=role, resource=resource, actions=tuple(names), is_granted=is_granted
            )


def _grants(template: Json) -> Iterator[tuple[str, str, str]]:
    for role, properties in _of_type(template, "AWS::IAM::Role"):
        for policy in _list(properties.get("Policies")):
            document = _object(policy).get("PolicyDocument")
            for statement in map(_object, _list(_object(document).get("Statement"))):
                for action in _list(statement.get("Action")):
                    for resource in _list(statement.get("Resource")):
                        yield role, _name(resource), _name(action)


def _rules_that_differ(before: Json, after: Json) -> Iterator[RuleChange]:
    old, new = set(_rules(before)), set(_rules(after))
    yield from sorted(new - old, key=repr)
    yield from (replace(rule, is_added=False) for rule in sorted(old - new, key=repr))


def _rules(template: Json) -> Iterator[RuleChange]:
    for group, properties in _of_type(template, "AWS::EC2::SecurityGroup"):
        for key, is_ingress in _DIRECTIONS.items():
            for rule in map(_object, _list(properties.get(key))):
                yield RuleChange(
                    group=group,
                    peer=_peer(rule),
                    protocol=str(rule.get("IpProtocol", "-1")),
                    first=_port(rule.get("FromPort")),
                    last=_port(rule.get("ToPort")),
                    is_ingress=is_ingress,
                )


def _peer(rule: Json) -> str:
    keys = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId")
    found = next((rule[key] for key in (*keys, "SourcePrefixListId") if key in rule), "anywhere")
    return _name(found)


def _port(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _name(value: JsonValue) -> str:
    """A text as it stands; of a reference the logical name."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text
    return str(value)


def _of_type(template: Json, kind: str) -> Iterator[tuple[str, Json]]:
    for name, resource in _object(template.get("Resources")).items():
        if _object(resource).get("Type") == kind:
            yield name, _object(_object(resource).get("Properties"))


def _object(value: JsonValue) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
