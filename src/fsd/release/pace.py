"""When to look at a rollout next, how much that may cost, and when to give up. Makes no call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.notes import NoAnswer
from fsd.release.ports import Clock, PermissionDenied, Throttled
from fsd.release.reporter import Reporter
from fsd.release.retry import LONGEST_PAUSE, RETRY_TIME

POLL_ERRORS_TOLERATED = 5  # in a row, without one answer between them; about a minute
FAILED_LOOKS_A_SILENT_ONE = 3  # so many more are tolerated where AWS answers a part of each

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look: 2 s in the first minute, then 5 s, and 10 s after five minutes.

    `speed` divides all of it, for an embedded AWS whose time runs faster.
    """

    speed: float = 1.0

    def interval(self, elapsed: timedelta) -> timedelta:
        """Between two looks, when the rollout has taken so long."""
        real = elapsed.total_seconds() * self.speed
        seconds = 2.0 if real < 60 else 5.0 if real < 300 else 10.0
        return timedelta(seconds=max(0.2, seconds / self.speed))

    def extra_calls(self, elapsed: timedelta) -> float:
        """How many calls besides one a look keep a rollout of two minutes or more below a call
        every two seconds. ECS's limits are shared by all that deploy in the account.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
        """
        real = max(120.0, elapsed.total_seconds() * self.speed)
        looks = 30 + (min(real, 300.0) - 60) / 5 + max(0.0, real - 300) / 10
        return real / 2 - looks


@dataclass(slots=True, kw_only=True)
class CallBudget:
    """The calls that a rollout may make besides one a look."""

    clock: Clock
    pace: Pace
    started: datetime
    spent: int = 0

    def affords(self, calls: int) -> bool:
        return self.spent + calls <= self.pace.extra_calls(self.clock.now() - self.started)


@dataclass(slots=True, kw_only=True)
class Schedule:
    """Throttling is a later look and never the end; a few failed looks in a row are survived."""

    clock: Clock
    reporter: Reporter
    pace: Pace
    started: datetime
    deadline: datetime
    errors_tolerated: int = POLL_ERRORS_TOLERATED
    _errors: int = 0  # looks in a row that failed
    _silence: int = 0  # those since the last answer
    _throttles: int = 0
    _throttled: Throttled | None = None  # how AWS said it last

    @property
    def is_over(self) -> bool:
        return self.clock.now() >= self.deadline

    def extend(self, deadline: datetime) -> None:
        """For a rollback, which must not end because AWS does not answer for a while."""
        self.deadline = deadline
        self._errors = self._silence = 0
        self.errors_tolerated = 4 + RETRY_TIME // LONGEST_PAUSE

    def look(self, read: Callable[[], T]) -> T | None:
        """None where AWS did not answer this time. Raises CallFailedError where it never does."""
        try:
            found = read()
        except Throttled as error:
            self._throttles += 1
            self._throttled = error
            return None
        except PermissionDenied:
            raise
        except CallFailedError as error:
            self._errors += 1
            self._silence += 1
            failed = max(self._silence, self._errors // FAILED_LOOKS_A_SILENT_ONE)
            if failed >= self.errors_tolerated:
                raise
            self.reporter.note(NoAnswer(error=Quoted.of(error), is_look=True))
            return None
        self._errors = self._silence = self._throttles = 0
        return found

    def note_answer(self) -> None:
        """AWS has answered a part of a look."""
        self._silence = 0

    def raise_if_throttled_to_the_end(self) -> None:
        if self._throttled is not None and self.is_over:
            raise self._throttled

    def wait(self, *, until: datetime | None = None) -> None:
        """Until the next look, which is later and later while AWS does not answer."""
        pause = self.pace.interval(self.clock.now() - self.started)
        factor: int = 2 ** min(self._silence + self._throttles, 4)
        pause = min(pause * factor, max(pause, LONGEST_PAUSE / self.pace.speed))
        if until is not None:
            pause = min(pause, max(until - self.clock.now(), timedelta()))
        self.clock.wait(pause)
