"""`members.toml`: what becomes of each member of each request."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsd_local.ecs.contract import load_model
from fsd_local.ecs.handlers import OPERATIONS

FILE = Path(__file__).with_suffix(".toml")
CLASSES = ("acts", "refused", "inert")

Classes = dict[str, dict[str, list[str]]]


def load() -> Classes:
    """Class → shape → members."""
    classes: Classes = tomllib.loads(FILE.read_text())
    return classes


def shapes() -> dict[str, Any]:
    """Every structure in a request of an operation that is served, by its name."""
    found: dict[str, Any] = {}
    for action in sorted(OPERATIONS):
        shape = load_model().operation_model(action).input_shape
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
        request[name] = _sample(member)
    if not rest:
        return
    if member.type_name == "list":
        request[name] = request[name] or [{}]
        put(request[name][0], member.member, tuple(rest))
    else:
        put(request[name], member, tuple(rest))


def _sample(shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _sample(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_sample(shape.member)]
        case "map":
            return {"key": "value"}
        case "string":
            return (getattr(shape, "enum", None) or ["x"])[0]
        case "boolean":
            return True
        case "double" | "float":
            return 1.0
        case _:
            return 1
