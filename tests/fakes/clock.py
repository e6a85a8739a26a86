"""A clock on which waiting takes no time."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)


class Unlimited:
    """Calls of a fake always end."""

    def limit(self, duration: timedelta) -> AbstractContextManager[None]:
        del duration
        return nullcontext()


class FakeClock(Unlimited):
    """`fsd.release.ports.Clock`: `wait` advances it, and is remembered."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        self.waits: list[timedelta] = []

    def now(self) -> datetime:
        return self.time

    def wait(self, duration: timedelta) -> None:
        self.time += duration
        self.waits.append(duration)
