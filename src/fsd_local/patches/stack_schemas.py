"""What a resource of a stack may have in it, checked as CloudFormation does before it makes it.

MiniStack's handlers take what they know of the properties and pass over the rest: a property that
does not exist, and a value that AWS does not take, went unnoticed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from fsd_local.members import load_resource_types

# How the names begin that MiniStack keeps beside the properties of a template.
_OF_MINISTACK = "_"


def mount() -> None:
    """Before a resource is made or changed; and what a change set says of a change."""
    stacks._provision_resource = _created_checked(stacks._provision_resource)
    stacks._update_resource = _updated_checked(stacks._update_resource)
    stacks._property_recreation = _recreation(stacks._property_recreation)


def _created_checked(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_resource(kind: str, logical_id: str, props: Any, stack_name: str) -> Any:
        check_properties(kind, logical_id, props)
        return create(kind, logical_id, props, stack_name)

    return create_resource


def _updated_checked(update: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(update)
    def update_resource(kind: str, physical_id: str, old: Any, new: Any, *rest: Any) -> Any:
        """`rest` is the stack's name, the logical ID and the attributes before."""
        if old != new:
            check_properties(kind, rest[1] or physical_id, new)
        return update(kind, physical_id, old, new, *rest)

    return update_resource


def _recreation(classify: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """MiniStack calls every property of a type that it has no table of "Conditionally"."""

    @functools.wraps(classify)
    def classify_property(kind: str, name: str) -> str:
        known = load_resource_types().get(kind)
        if known is None or kind in provisioners._REPLACING_PROPERTIES:
            return classify(kind, name)
        return "Always" if name in known.get("replaces", ()) else "Never"

    return classify_property


def check_properties(kind: str, logical_id: str, properties: Mapping[str, Any]) -> None:
    """Raises ValueError, in CloudFormation's words where they are known.

    Of a value: https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-logs/issues/94
    Of a nested property: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1514
    """
    known = load_resource_types().get(kind)
    if known is None:
        return
    for found in _faults(known, properties):
        raise ValueError(found.format(logical_id=logical_id))


def _faults(known: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    paths = {*known.get("acts", ()), *known.get("inert", ()), *known.get("refused", ())}
    values = known.get("values", {})
    for path, place, value in _walk(properties, paths):
        parent, _, name = path.rpartition("/")
        if path not in paths and not parent:
            yield f"Encountered unsupported property {name}"
        elif path not in paths:
            above = place.rpartition("/")[0]
            yield _invalid(f"#/{above}: extraneous key [{name}] is not permitted")
        elif path in known.get("refused", ()):
            yield f"The embedded AWS does not act on {name}."
        elif path in values and str(value) not in {str(one) for one in values[path]}:
            yield _invalid(f"#/{place}: failed validation constraint for keyword [enum]")


def _invalid(what: str) -> str:
    said = what.replace("{", "{{").replace("}", "}}")
    return f"Properties validation failed for resource {{logical_id}} with message:\n[{said}]"


def _walk(
    value: Any, paths: set[str], path: str = "", place: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """(path, where it is, value) of each property; not into what may have anything in it."""
    below = f"{path}/" if path else ""
    if path and not any(one.startswith(below) for one in paths):
        return
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _walk(one, paths, f"{below}*", f"{place}/{number}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name.startswith(_OF_MINISTACK):
                continue
            inner = f"{place}/{name}" if place else name
            yield f"{below}{name}", inner, one
            yield from _walk(one, paths, f"{below}{name}", inner)
