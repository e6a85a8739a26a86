"""What would repair a finding, as data: a rule says what, `rewrite` changes the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fsd.manifest.key_path import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValue:
    """The value at a key; the key and the sections above it are written where they are absent."""

    at: KeyPath
    value: str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddItems:
    """More texts at the end of a list that is there."""

    at: KeyPath
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The text that stands there, in quotes."""

    at: KeyPath


Edit: TypeAlias = SetValue | AddItems | Quote
