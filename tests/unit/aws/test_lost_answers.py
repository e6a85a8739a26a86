from __future__ import annotations

from datetime import timedelta

import pytest

from fsd.aws.lost_answers import PAUSES, call_unless_done
from fsd.errors import CallFailedError
from fsd.release.ports import Throttled
from tests.fakes.aws import START, FakeClock


def throttled() -> CallFailedError:
    return Throttled("ThrottlingException: Rate exceeded", where="ecs", fix="wait")


def unanswered() -> CallFailedError:
    error = CallFailedError("connection reset", where="ecs", fix="again")
    error.may_be_done = True
    return error


def asking(*errors: CallFailedError) -> tuple[FakeClock, list[int], str | None]:
    """(the clock, the calls, the answer or None where the last error was raised)."""
    left, calls, clock = list(errors), list[int](), FakeClock()

    def ask() -> str:
        calls.append(1)
        if left:
            raise left.pop(0)
        return "made"

    try:
        return clock, calls, call_unless_done(ask, look=lambda: None, clock=clock)
    except CallFailedError:
        return clock, calls, None


@pytest.mark.parametrize(
    ("errors", "calls", "seconds", "answer"),
    [
        pytest.param([throttled()] * 5, 6, 31, "made", id="throttled for half a minute"),
        pytest.param([throttled()] * 6, 6, 31, None, id="throttled for longer"),
        pytest.param([unanswered()] * 3, 4, 7, "made", id="three answers lost"),
        pytest.param([unanswered()] * 4, 4, 7, None, id="four answers lost"),
    ],
)
def test_call_unless_done__no_answer__asked_again(
    errors: list[CallFailedError], calls: int, seconds: int, answer: str | None
) -> None:
    clock, made, found = asking(*errors)

    assert (len(made), found) == (calls, answer)
    assert clock.now() - START == timedelta(seconds=seconds)


def test_pauses__fifty_registrations_at_once__each_comes_through() -> None:
    """20 at once, then one a second: https://github.com/kayac/ecspresso/issues/787."""
    left, tokens = 50, 20.0

    for waited in (timedelta(), *PAUSES):
        tokens = min(20.0, tokens + waited.total_seconds())
        taken = min(left, int(tokens))
        left, tokens = left - taken, tokens - taken

    assert left == 0
