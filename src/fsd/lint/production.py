"""Which environments are production, by their names: rules ask more of those."""

from __future__ import annotations

import re

_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
# What comes before production, or is like it: pre-prod, non-prod.
_BEFORE = frozenset({"pre", "non", "not", "preprod", "nonprod", "no"})
_PARTS = re.compile(r"[^a-z0-9]+")


def is_production(environment: str | None) -> bool:
    """Of an environment, a cluster or a service that is named after one; None is no environment."""
    parts = set(_PARTS.split((environment or "").lower()))
    return bool(parts & _PRODUCTION) and not parts & _BEFORE
