"""A clock on which waiting takes no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)


class FakeClock:
    """`fsd.release.ports.Clock`: `wait` advances it, and is remembered."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        self.waits: list[timedelta] = []

    def now(self) -> datetime:
        return self.time

    def wait(self, duration: timedelta) -> None:
        self.time += duration
        self.waits.append(duration)
