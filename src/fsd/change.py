"""One difference between two releases, in words. Below `plan`, which finds it, and `rollout`, which
names it beside a cause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Names what changed. Environment keys by name only: a value may be a misplaced secret."""

    what: str  # "image", "environment", "cpu"
    text: str  # "1a2b3c4 → 4f2c1e9", "+PRICE_FILTER", "512 → 1024"
