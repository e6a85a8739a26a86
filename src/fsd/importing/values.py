"""YAML and JSON text → plain values, as written: for files that are not FSD's own."""

from __future__ import annotations

import json
import math
from typing import TypeAlias

from fsd.manifest.finding import Finding
from fsd.manifest.yaml_tree import MAX_DEPTH, Branch, Items, Node, parse

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
_MOST_DIGITS = 18  # of a number: longer ones are text, as they are in a Service YAML


def read_values(text: str, *, path: str, has_words: bool = False) -> Value:
    """Of the first document; None for what is no YAML at all. Never raises.

    `has_words`: as in YAML 1.2, where yes, no, on and off are words.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            found: Value = json.loads(
                text, parse_int=_integer, parse_float=_fraction, parse_constant=str
            )
            json.dumps(found, ensure_ascii=False).encode()  # half a character is no text
            if not _is_too_deep(found):
                return found
        except (ValueError, RecursionError):
            pass  # YAML may look like this too
    documents = parse(text, path=path, any_key=True).documents
    return plain(documents[0].root, has_words=has_words) if documents else None


def _is_too_deep(value: Value) -> bool:
    """As in YAML, whose reader then says so with its place."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else listed(each))
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def why_unreadable(text: str, *, path: str) -> Finding | None:
    """Why `read_values` gives None; None for a file of comments."""
    return next(iter(parse(text, path=path, any_key=True).findings), None)


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _fraction(text: str) -> float | str:
    """One that is too large for a number stays text."""
    fraction = float(text)
    return fraction if math.isfinite(fraction) else text


def plain(node: Node, *, has_words: bool = False) -> Value:
    match node:
        case Branch(entries=entries):
            return {key: plain(each.value, has_words=has_words) for key, each in entries.items()}
        case Items(items=items):
            return [plain(item, has_words=has_words) for item in items]
    value = node.value
    if has_words and isinstance(value, bool) and node.text.lower() not in ("true", "false"):
        return node.text
    return node.text if isinstance(value, float) and not math.isfinite(value) else value


def mapping(value: Value) -> dict[str, Value]:
    """`{}` for what is no mapping."""
    return value if isinstance(value, dict) else {}


def listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def number(value: Value) -> int | None:
    """None for what is none, and for one of more digits than anything has."""
    text = text_of(value).strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def text_of(value: Value) -> str:
    """As YAML would write it; empty for what is no scalar."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
    return ""
