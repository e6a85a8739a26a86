"""Which of a deployment's calls are tried: a spread of those that change something, or, with
FSD_TEST_ALL_POINTS=1, every single call."""

from __future__ import annotations

import os
from typing import Any

import pytest

ALL = os.environ.get("FSD_TEST_ALL_POINTS") == "1"
MOST = 140  # calls; how many of them are looks depends on the machine. More fails the test.
READS = ("Describe", "List", "Get", "BatchGet")


def points(spread: int) -> list[Any]:
    """Shares of the calls that change something, from the first to the last; or call numbers."""
    if ALL:
        return [pytest.param(at, id=f"call {at}") for at in range(1, MOST + 1)]
    return [pytest.param(i / (spread - 1), id=f"{i}/{spread - 1}") for i in range(spread)]


def call_number(point: float, calls: list[str]) -> int:
    """Which call `point` is; skips where there are fewer."""
    if not ALL:
        changing = [at for at, name in enumerate(calls, 1) if not name.startswith(READS)]
        return changing[round(point * (len(changing) - 1))]
    if point > len(calls):
        pytest.skip(f"a deployment makes {len(calls)} calls")
    return int(point)
