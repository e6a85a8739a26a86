"""How long a rollout is waited for, beside how long it is expected to take. Pure."""

from __future__ import annotations

from datetime import timedelta

from fsd.manifest.rollout_time import Estimate
from fsd.release.notes import WaitTooShort

SHORTEST = timedelta(minutes=20)
NOT_KNOWN = Estimate(parts=())  # of which nothing is said
_MARGIN = timedelta(minutes=5)


def default_timeout(expected: Estimate, *, speed: float = 1.0) -> timedelta:
    """20 minutes, or half as long again as the rollout is expected to take and 5 minutes more.

    `speed` is that of an embedded AWS, which divides what is expected.
    """
    longer = (expected.duration * 1.5 + _MARGIN) / speed
    return max(SHORTEST, timedelta(seconds=round(longer.total_seconds())))


def too_short_note(
    timeout: timedelta, expected: Estimate, *, speed: float = 1.0
) -> WaitTooShort | None:
    """What to say before a rollout that will not be done in time; None where it can be."""
    if timeout >= expected.duration / speed or not expected.parts:
        return None
    return WaitTooShort(expected=expected, speed=speed, timeout=timeout)
