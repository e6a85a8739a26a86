"""The tables of docs/json.md, and whether a document is as they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "json.md"
SECTION = re.compile(r"^#{2,3} (?P<name>[\w/ -]+)\n(?P<body>.*?)(?=^#{2,3} |\Z)", re.M | re.S)
ROW = re.compile(r"^\| `(?P<key>[\w?]+)` \| (?P<type>[^|]+) \| .+ \|$", re.MULTILINE)
PLAIN: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def read_tables() -> dict[str, dict[str, str]]:
    """Name of a document or a part → its keys with their types; an optional key ends with `?`."""
    return {
        section["name"]: {row["key"]: row["type"].strip() for row in ROW.finditer(section["body"])}
        for section in SECTION.finditer(PAGE.read_text(encoding="utf-8"))
    }


TABLES = read_tables()


def faults(document: Any, name: str, place: str = "") -> Iterator[str]:
    """What of a document is not as its table says."""
    table = TABLES[name]
    required = {key for key in table if not key.endswith("?")}
    known = {key.rstrip("?"): kind for key, kind in table.items()}
    if not isinstance(document, dict):
        yield f"{place or name} is not an object"
        return
    yield from (f"{place}.{key} is missing" for key in sorted(required - document.keys()))
    for key, value in document.items():
        if key in known:
            yield from value_faults(value, known[key], f"{place}.{key}")
        else:
            yield f"{place}.{key} is not in docs/json.md"


def value_faults(value: Any, kind: str, place: str) -> Iterator[str]:
    if " or " in kind:
        kinds = kind.split(" or ")
        found = [list(value_faults(value, each, place)) for each in kinds]
        if all(found):
            yield from min(found, key=len)
        return
    if kind.startswith("list of "):
        yield from list_faults(value, kind.removeprefix("list of "), place)
    elif kind in TABLES:
        yield from faults(value, kind, place)
    elif not is_plain(value, kind):
        yield f"{place} is {value!r}, not {kind}"


def list_faults(value: Any, kind: str, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place} is not a list"
        return
    for number, each in enumerate(value):
        yield from value_faults(each, kind, f"{place}[{number}]")


def is_plain(value: Any, kind: str) -> bool:
    if kind == "null":
        return value is None
    if kind == "time":
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, PLAIN[kind]) and isinstance(value, bool) == (kind == "boolean")
