"""YAML and JSON text → plain values, as written: for files that are not FSD's own."""

from __future__ import annotations

import json
from typing import TypeAlias

from fsd.manifest.yaml_tree import Branch, Items, Node, parse

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"


def read_values(text: str, *, path: str) -> Value:
    """Of the first document; None for what is no YAML at all. Never raises."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            found: Value = json.loads(text)
            json.dumps(found, ensure_ascii=False).encode()  # half a character is no text
            return found
        except (ValueError, RecursionError):
            pass  # YAML may look like this too
    documents = parse(text, path=path, any_key=True).documents
    return plain(documents[0].root) if documents else None


def plain(node: Node) -> Value:
    match node:
        case Branch(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}
        case Items(items=items):
            return [plain(item) for item in items]
    return node.value


def mapping(value: Value) -> dict[str, Value]:
    """`{}` for what is no mapping."""
    return value if isinstance(value, dict) else {}


def listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def text_of(value: Value) -> str:
    """As YAML would write it; empty for what is no scalar."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
    return ""
