"""Waiting for AWS to finish, on the caller's clock. botocore's waiters sleep by themselves and look
every 30 s at a stack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from fsd.errors import TimedOutError
from fsd.release.ports import Clock, Throttled

T = TypeVar("T")


def wait_for(
    look: Callable[[], T | None],
    *,
    clock: Clock,
    poll: timedelta,
    limit: timedelta,
    where: str,
) -> T:
    """Look, at once and then every `poll`, until there is an answer other than None.

    Throttling is a later look. Raises TimedOutError when `limit` is over, Interrupted when a
    signal ends a wait.
    """
    deadline = clock.now() + limit
    while True:
        try:
            seen = look()
        except Throttled:
            seen = None
        if seen is not None:
            return seen
        if clock.now() >= deadline:
            minutes = int(limit.total_seconds() // 60)
            raise TimedOutError(
                f"not done after {minutes} minutes; AWS continues it",
                where=where,
                fix="run the same command again: it continues from where AWS is",
            )
        clock.wait(poll)
