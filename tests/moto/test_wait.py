from __future__ import annotations

from datetime import timedelta

import pytest

from fsd.aws.wait import wait_for
from fsd.errors import ExitCode, TimedOutError
from fsd.release.ports import Throttled
from tests.fakes.clock import FakeClock

POLL = timedelta(seconds=2)


def wait(clock: FakeClock, answers: list[object]) -> object:
    def look() -> object | None:
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    return wait_for(look, clock=clock, poll=POLL, limit=timedelta(minutes=1), where="here")


def test_wait_for__answer_at_once__does_not_wait() -> None:
    clock = FakeClock()

    assert wait(clock, ["done"]) == "done"
    assert clock.waits == []


def test_wait_for__later_answer__looks_at_the_pace() -> None:
    clock = FakeClock()

    assert wait(clock, [None, None, "done"]) == "done"
    assert clock.waits == [POLL, POLL]


def test_wait_for__throttled__a_later_look() -> None:
    clock = FakeClock()

    assert wait(clock, [Throttled("Rate exceeded", where="x", fix="y"), "done"]) == "done"
    assert clock.waits == [POLL]


def test_wait_for__never__timed_out_with_what_to_do() -> None:
    clock = FakeClock()

    with pytest.raises(TimedOutError) as caught:
        wait(clock, [])

    assert caught.value.exit_code is ExitCode.TIMED_OUT
    assert caught.value.what == "not done after 1 minutes; AWS continues it"
    assert sum(clock.waits, timedelta()) == timedelta(minutes=1)
