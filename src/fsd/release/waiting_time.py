"""How long a rollout is waited for, beside how long it is expected to take. Pure."""

from __future__ import annotations

from datetime import timedelta

from fsd.durations import duration_text
from fsd.manifest.rollout_time import Estimate

SHORTEST = timedelta(minutes=20)
NOT_KNOWN = Estimate(parts=())  # of which nothing is said
_MARGIN = timedelta(minutes=5)


def default_timeout(expected: Estimate, *, speed: float = 1.0) -> timedelta:
    """20 minutes, or half as long again as the rollout is expected to take and 5 minutes more.

    `speed` is that of an embedded AWS, which divides what is expected.
    """
    longer = (timedelta(seconds=expected.seconds) * 1.5 + _MARGIN) / speed
    return max(SHORTEST, timedelta(seconds=round(longer.total_seconds())))


def too_short_note(timeout: timedelta, expected: Estimate, *, speed: float = 1.0) -> str:
    """What to say before a rollout that will not be done in time; "" where it can be."""
    takes = timedelta(seconds=expected.seconds) / speed
    if timeout >= takes or not expected.parts:
        return ""
    seconds, part = expected.parts[0][1], expected.dominant
    faster = f" on AWS, {speed:g} times as fast here" if speed != 1 else ""
    return (
        f"warning: the rollout is expected to take {duration_text(takes)} ({part}, {seconds} s"
        f"{faster}, takes the most), and --timeout is {duration_text(timeout)}: the wait will end "
        "before ECS is done"
    )
