"""What a change of a stack does to its resources, property by property. Pure, over two templates.

The values are the template's: names, numbers and policies of resources. Values of a service's
environment are in no template.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fsd.compile.desired import Json, JsonValue
from fsd.plan.canonical import canonical_text
from fsd.plan.reality import (
    LISTENER,
    LOAD_BALANCER,
    LOG_GROUP,
    ROLE,
    SECURITY_GROUP,
    TARGET_GROUP,
)

LISTENER_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"

# The properties that CloudFormation cannot change: it makes another resource and removes the first.
# "Update requires: Replacement" in the page of each type below
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
CREATE_ONLY: Mapping[str, frozenset[str]] = {
    LOAD_BALANCER: frozenset({"Name", "Scheme", "Type"}),
    TARGET_GROUP: frozenset(
        {"IpAddressType", "Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"}
    ),
    LISTENER: frozenset({"LoadBalancerArn"}),
    LISTENER_RULE: frozenset({"ListenerArn"}),
    SECURITY_GROUP: frozenset({"GroupDescription", "GroupName", "VpcId"}),
    ROLE: frozenset({"Path", "RoleName"}),
    LOG_GROUP: frozenset({"LogGroupName"}),
}

# A list whose entries have a name is compared by it, so that a new entry moves no other.
_NAMES = ("Key", "PolicyName", "Field")


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One property of a resource that both templates have; None where one has no such property."""

    resource: str  # logical name
    path: str  # `HealthCheckPath`, `LoadBalancerAttributes[idle_timeout.timeout_seconds].Value`
    before: str | None
    after: str | None
    replaces: bool = False  # CloudFormation makes another resource for it


def diff_properties(before: Json, after: Json) -> tuple[PropertyChange, ...]:
    """Of every resource that both have, in the order of the names."""
    old, new = resources_of(before), resources_of(after)
    return tuple(
        change
        for name in sorted(old.keys() & new.keys())
        for change in _diff_resource(name, old[name], new[name])
    )


def resources_of(template: Json) -> dict[str, Json]:
    found = template.get("Resources")
    resources = found if isinstance(found, dict) else {}
    return {name: one for name, one in resources.items() if isinstance(one, dict)}


def _diff_resource(name: str, old: Json, new: Json) -> Iterator[PropertyChange]:
    kind = str(new.get("Type"))
    if old.get("Type") != new.get("Type"):
        before = _text(old.get("Type"))
        yield PropertyChange(resource=name, path="Type", before=before, after=kind, replaces=True)
        return
    fixed = CREATE_ONLY.get(kind, frozenset())
    for key in sorted((old.keys() | new.keys()) - {"Type", "Properties"}):
        yield from _diff(name, key, old.get(key), new.get(key), replaces=False)
    was, is_ = _object(old.get("Properties")), _object(new.get("Properties"))
    for key in sorted(was.keys() | is_.keys()):
        yield from _diff(name, key, was.get(key), is_.get(key), replaces=key in fixed)


def _diff(
    name: str, path: str, old: JsonValue, new: JsonValue, *, replaces: bool
) -> Iterator[PropertyChange]:
    if canonical_text(old) == canonical_text(new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and not _is_function(old, new):
        for key in sorted(old.keys() | new.keys()):
            yield from _diff(name, f"{path}.{key}", old.get(key), new.get(key), replaces=replaces)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _diff_lists(name, path, old, new, replaces=replaces)
    else:
        yield PropertyChange(
            resource=name, path=path, before=_text(old), after=_text(new), replaces=replaces
        )


def _diff_lists(
    name: str, path: str, old: list[JsonValue], new: list[JsonValue], *, replaces: bool
) -> Iterator[PropertyChange]:
    """Entries with a name by that; others as values, which come or go whole."""
    was, is_ = _by_name(old), _by_name(new)
    if was is not None and is_ is not None:
        for key in sorted(was.keys() | is_.keys()):
            here = f"{path}[{key}]"
            yield from _diff(name, here, was.get(key), is_.get(key), replaces=replaces)
        return
    before, after = ({canonical_text(one): one for one in entries} for entries in (old, new))
    gone = [before[text] for text in sorted(before.keys() - after.keys())]
    come = [after[text] for text in sorted(after.keys() - before.keys())]
    for one in gone:
        yield PropertyChange(
            resource=name, path=path, before=_text(one), after=None, replaces=replaces
        )
    for one in come:
        yield PropertyChange(
            resource=name, path=path, before=None, after=_text(one), replaces=replaces
        )


def _by_name(entries: list[JsonValue]) -> dict[str, JsonValue] | None:
    """None where an entry has no name, or two have one."""
    named: dict[str, JsonValue] = {}
    for entry in entries:
        name = next((str(_object(entry)[k]) for k in _NAMES if k in _object(entry)), None)
        if name is None or name in named:
            return None
        named[name] = entry
    return named


def _is_function(*values: Json) -> bool:
    """The arguments of an intrinsic function mean something only together."""
    return any(key == "Ref" or key.startswith("Fn::") for value in values for key in value)


def _text(value: JsonValue) -> str | None:
    match value:
        case None:
            return None
        case str():
            return value
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case _:
            return json.dumps(value, sort_keys=True)


def _object(value: JsonValue) -> Json:
    return value if isinstance(value, dict) else {}
