"""Several reads at once: whose error is raised, and who waits for whom."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest

from fsd.app.clock import SystemClock
from fsd.aws.side_by_side import SideBySide
from fsd.errors import CallFailedError
from fsd.release.reads import ONE_BY_ONE, Reads

LONG = 30.0  # seconds; a test that waits so long has failed


class SpecificError(Exception):
    pass


@pytest.mark.parametrize("reads", [SideBySide(), ONE_BY_ONE], ids=["side by side", "one by one"])
def test_start__answers_asked_for_twice__read_once(reads: Reads) -> None:
    made: list[str] = []

    def read(name: str) -> str:
        made.append(name)
        return name

    answers = [reads.start(partial(read, name)) for name in "abc"]

    assert [answer() for answer in answers] == ["a", "b", "c"]
    assert [answer() for answer in answers] == ["a", "b", "c"]
    assert sorted(made) == ["a", "b", "c"]


def test_start__side_by_side__none_waits_for_another() -> None:
    both = threading.Barrier(2)
    reads = SideBySide()

    answers = [reads.start(lambda: both.wait(LONG)) for _ in range(2)]

    assert sorted(answer() for answer in answers) == [0, 1]


def test_start__later_read_fails_first__error_of_the_answer_that_is_asked_for_first() -> None:
    has_failed = threading.Event()
    reads = SideBySide()

    def slow() -> None:
        assert has_failed.wait(LONG)
        raise SpecificError("slow")

    def quick() -> None:
        has_failed.set()
        raise SpecificError("quick")

    first, second = reads.start(slow), reads.start(quick)

    with pytest.raises(SpecificError, match="slow"):
        first()
    with pytest.raises(SpecificError, match="quick"):
        second()


def test_start__more_than_the_limit__wait() -> None:
    three = threading.Barrier(3)
    reads = SideBySide(limit=2)

    answers = [reads.start(lambda: three.wait(0.2)) for _ in range(3)]

    for answer in answers:
        with pytest.raises(threading.BrokenBarrierError):
            answer()


def test_start__in_a_read_while_no_thread_is_free__read_all_the_same() -> None:
    reads = SideBySide(limit=1)

    answer = reads.start(lambda: reads.start(lambda: "inner")())

    assert answer() == "inner"


def test_start__answer_never_comes__thread_keeps_no_process_alive() -> None:
    never = threading.Event()
    before = set(threading.enumerate())

    SideBySide().start(never.wait)

    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    never.set()
    thread.join(LONG)


def test_start__signal_while_the_answer_is_waited_for__ends_the_wait() -> None:
    never = threading.Event()
    answer = SideBySide().start(never.wait)

    with pytest.raises(CallFailedError), SystemClock().limit(timedelta(milliseconds=20)):
        answer()

    never.set()
