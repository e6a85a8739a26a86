"""For what AWS would do twice: a call whose answer got lost may have been carried out.

botocore repeats it blindly, and a second revision is registered, or a second deployment started.
Here each unanswered call is followed by a look for what it should have done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from fsd.errors import CallFailedError
from fsd.release.ports import Clock, Throttled

# ECS takes 20 registrations at once and then one a second, of all that deploy in the account: with
# these pauses, 50 that begin together come through.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
PAUSES = tuple(timedelta(seconds=s) for s in (1, 2, 4, 8, 16))
UNANSWERED = 4  # calls without an answer, each of which may have taken half a minute

T = TypeVar("T")


def call_unless_done(ask: Callable[[], T], *, look: Callable[[], T | None], clock: Clock) -> T:
    """`ask`, by a client that does not repeat by itself, until it is answered, or done.

    `look` finds what an earlier, unanswered call did. Raises the last error of `ask`.
    """
    pauses, tried = iter(PAUSES), 0
    while True:
        tried += 1
        try:
            return ask()
        except CallFailedError as error:
            is_throttled = isinstance(error, Throttled)
            pause = next(pauses, None) if is_throttled or tried < UNANSWERED else None
            if not (is_throttled or error.may_be_done):
                raise
            if pause is not None:
                clock.wait(pause)
            done = _looked(look) if error.may_be_done else None
            if done is not None:
                return done
            if pause is None:
                raise


def _looked(look: Callable[[], T | None]) -> T | None:
    """A look that fails shows nothing; the error of the call itself says more."""
    try:
        return look()
    except CallFailedError:
        return None
