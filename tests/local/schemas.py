"""What CloudFormation's types have in them, by the schemas that cfn-lint brings."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cfnlint

_FOLDER = Path(cfnlint.__file__).parent / "data" / "schemas"
_REGION = "us-east-1"


def properties(kind: str) -> dict[str, list[Any] | None]:
    """Path of each property that a template may give → the closed list of its values, or None."""
    schema = _load(kind)
    read_only = {_name(pointer) for pointer in schema.get("readOnlyProperties", ())}
    return {
        path: node.get("enum")
        for path, node in _walk(schema, schema, "")
        if path.partition("/")[0] not in read_only and not path.endswith("*")
    }


def replacing(kind: str) -> list[str]:
    return sorted({_name(pointer) for pointer in _load(kind).get("createOnlyProperties", ())})


def _name(pointer: str) -> str:
    """/properties/NAME"""
    return pointer.split("/")[2]


@functools.cache
def _load(kind: str) -> Any:
    names = json.loads((_FOLDER / "providers" / f"{_REGION}.json").read_text())
    return json.loads((_FOLDER / "resources" / f"{names[kind]}.json").read_text())


def _walk(schema: Any, node: Any, path: str) -> Iterator[tuple[str, Any]]:
    while "$ref" in node:
        node = functools.reduce(lambda at, part: at[part], node["$ref"].split("/")[1:], schema)
    if path:
        yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from _walk(schema, inner, f"{path}/{name}" if path else name)
    if isinstance(node.get("items"), dict):
        yield from _walk(schema, node["items"], f"{path}/*")
