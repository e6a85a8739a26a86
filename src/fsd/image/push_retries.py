"""A push that a registry did not take at once is tried again, a few times.

ECR answers 429 and 5xx now and then, and connections end in the middle: the engine repeats a layer
then, and no manifest. https://github.com/moby/moby/issues/33651
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from fsd.errors import CallFailedError

PAUSES = tuple(timedelta(seconds=s) for s in (1, 2, 4, 8))  # so five attempts in all

_T = TypeVar("_T")
# What Docker's engine and Go's HTTP client say of a registry that will do it the next time.
_PASSING = re.compile(
    r"\b(?:408|429|5\d\d)\b|toomanyrequests|too many requests|throttl|rate exceeded"
    r"|\bEOF\b|connection reset|connection refused|broken pipe|closed network connection"
    r"|time-?out|timed out|deadline exceeded|handshake failure|temporar|unavailable"
    r"|server misbehaving|internal server error|bad gateway|stream error|try again",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"denied|not authorized|unauthorized|forbidden|no basic auth|x509|certificate"
    r"|already exists|immutable|name unknown|name invalid",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRetries:
    """How long to wait between two attempts; `wait` and `jitter` are passed in."""

    wait: Callable[[timedelta], None]
    jitter: Callable[[], float] = random.random  # 0 … 1
    pauses: tuple[timedelta, ...] = PAUSES
    on_line: Callable[[str], None] = lambda _line: None

    def __call__(self, attempt: Callable[[], _T]) -> _T:
        """The last attempt's error is the caller's."""
        for pause in self.pauses:
            try:
                return attempt()
            except CallFailedError as error:
                if not error.may_pass:
                    raise
                waits = pause * (0.5 + self.jitter() / 2)
                self.on_line(f"{error.what}; trying again in {waits.total_seconds():.1f} s")
            self.wait(waits)
        return attempt()


class PassingPushError(CallFailedError):
    """The same push can succeed a little later."""

    may_pass = True


NO_RETRIES = PushRetries(wait=lambda _pause: None, pauses=())


def is_passing(said: str) -> bool:
    """Of the words of an engine, which passes on no status."""
    # A digest or a port may hold the digits of a status.
    plain = re.sub(r"sha256:[0-9a-f]+|:\d+(?=/)|\b[0-9a-f]{12,}\b", "", said)
    return bool(_PASSING.search(plain)) and not _LASTING.search(plain)
