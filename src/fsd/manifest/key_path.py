"""Where in a file a value is, by the keys and indexes that lead to it."""

from __future__ import annotations

from typing import TypeAlias

# From the top of the file: ("service", "secrets", 0, "valueFrom").
KeyPath: TypeAlias = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """`service.secrets[0].valueFrom`, as messages name a key."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
