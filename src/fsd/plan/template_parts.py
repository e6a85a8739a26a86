"""Parts of a CloudFormation template, where any part may be missing or of another kind."""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue


def object_at(parent: JsonValue, key: str) -> Json:
    """The object below `key`; {} if there is none."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def referred(value: JsonValue) -> str:
    """The logical name that a `Ref` refers to; "" for anything else."""
    name = value.get("Ref") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""
