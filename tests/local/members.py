"""What the requests of a service have in them, by botocore's model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fsd_local.members import load_input, load_operations


def shapes(service: str) -> dict[str, Any]:
    """Every structure in a request of an operation that is served, by its name."""
    found: dict[str, Any] = {}
    for action in sorted(load_operations(service)):
        shape = load_input(service, action)
        if shape is not None:
            _collect(shape, found)
    return found


def _collect(shape: Any, found: dict[str, Any]) -> None:
    if getattr(shape, "is_document_type", False):
        return
    match shape.type_name:
        case "structure" if shape.name not in found:
            found[shape.name] = shape
            for member in shape.members.values():
                _collect(member, found)
        case "list":
            _collect(shape.member, found)
        case "map":
            _collect(shape.value, found)


def paths(shape: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(shape.member, where it is in the request) of everything below a shape."""
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "list":
        yield from paths(shape.member, before)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            path = (*before, name)
            yield f"{shape.name}.{name}", path
            yield from paths(member, path)


def put(request: Any, shape: Any, path: tuple[str, ...]) -> None:
    """Give the member at `path` a value of its kind, with all that its parents require."""
    name, *rest = path
    member = shape.members[name]
    if name not in request or not rest:
        request[name] = sample(member)
    if not rest:
        return
    if member.type_name == "list":
        request[name] = request[name] or [{}]
        put(request[name][0], member.member, tuple(rest))
    else:
        put(request[name], member, tuple(rest))


def sample(shape: Any) -> Any:
    """A value with all that is required, and never an empty one: that would not be sent."""
    match shape.type_name:
        case "structure":
            names = shape.required_members or [*shape.members][:1]
            return {name: sample(shape.members[name]) for name in names}
        case "list":
            return [sample(shape.member)]
        case "map":
            return {"key": "value"}
        case "string":
            shortest = int(shape.metadata.get("min", 1))
            return (getattr(shape, "enum", None) or ["x" * max(shortest, 1)])[0]
        case "boolean":
            return True
        case "double" | "float":
            return 1.0
        case _:
            return 1
