"""Which known name a misspelt one is, where that is sure enough to be said.

A guess must be a slip of the fingers, not a likeness: `gpu` is like `cpu`, and another thing.
"""

from __future__ import annotations

from collections.abc import Iterable

_SHORT = 4  # characters up to which every letter counts


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The only known name within some slips; None where there is none, or more than one."""
    if len(name) > 100:
        return None
    slips = {each: _slips(name.lower(), each.lower()) for each in known}
    good = {each: count for each, count in slips.items() if count is not None}
    best = [each for each, count in good.items() if count == min(good.values())]
    return best[0] if len(best) == 1 else None


def _slips(written: str, meant: str) -> int | None:
    """How many letters were missed, doubled, mistaken or swapped; None where too many."""
    if len(meant) <= _SHORT and len(written) == len(meant):
        return _only_swapped(written, meant)
    allowed = 1 if len(meant) < 8 else 2 if len(meant) < 14 else 3
    if abs(len(written) - len(meant)) > allowed:
        return None
    distance = _distance(written, meant)
    return distance if distance <= allowed else None


def _only_swapped(written: str, meant: str) -> int | None:
    return int(written != meant) if sorted(written) == sorted(meant) else None


def _distance(one: str, two: str) -> int:
    """Damerau and Levenshtein's, of neighbours swapped once (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and b == one[i - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
