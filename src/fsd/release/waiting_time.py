"""How long a rollout is waited for, beside how long it is expected to take. Pure."""

from __future__ import annotations

from datetime import timedelta

from fsd.spec.rollout_time import Estimate

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
        f"warning: the rollout is expected to take {_text(takes)} ({part}, {seconds} s{faster}, "
        f"takes the most), and --timeout is {_text(timeout)}: the wait will end before ECS is done"
    )


def _text(duration: timedelta) -> str:
    total = max(1, round(duration.total_seconds()))
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"
