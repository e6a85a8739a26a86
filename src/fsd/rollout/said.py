"""A text as AWS, ECS or Docker has printed it, and the public page or thread that shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """Names, account numbers and digests are made up. `source` is an address."""

    text: str
    source: str
