from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from fsd.app.clock import SystemClock, catch_signals
from fsd.errors import CallFailedError, Interrupted
from tests.waiting import eventually

LONG = 30.0  # seconds; a test that waits so long has failed
MAIN = threading.main_thread()


def test_limit__never_ends__call_failed() -> None:
    with (
        pytest.raises(CallFailedError, match=r"no answer within 0\.05 s"),
        SystemClock().limit(timedelta(seconds=0.05)),
    ):
        threading.Event().wait(60)


def test_limit__ends_in_time__nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with SystemClock().limit(timedelta(minutes=1)):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_catch_signals__signal_in_another_thread__ends_the_wait_of_the_main_thread() -> None:
    """As a signal that comes just before the main thread's wait: it does not interrupt the wait."""
    answer = threading.Event()
    sender = in_thread(lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM), answer)

    with pytest.raises(Interrupted) as caught, catch_signals():
        answer.wait(LONG)

    assert not answer.is_set()
    assert caught.value.what == "stopped by SIGTERM"
    answer.set()
    sender.join(LONG)


def test_limit__alarm_in_another_thread__ends_the_wait_of_the_main_thread() -> None:
    answer, kept = threading.Event(), signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    taker = in_thread(lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM}), answer)
    try:
        with (
            catch_signals(),
            pytest.raises(CallFailedError),
            SystemClock().limit(timedelta(seconds=0.05)),
        ):
            answer.wait(LONG)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)

    assert not answer.is_set()
    answer.set()
    taker.join(LONG)


def test_catch_signals__ended__nothing_is_left_behind() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGURG)
    before = [signal.getsignal(number) for number in numbers]
    threads = set(threading.enumerate())

    with catch_signals():
        (watch,) = set(threading.enumerate()) - threads
    watch.join(LONG)

    assert not watch.is_alive()
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1


def in_thread(does: Callable[[], object], waited_for: threading.Event) -> threading.Thread:
    """Once the main thread waits; the wait is given up when it has lasted long."""

    def is_waiting() -> bool:
        waits = sys._current_frames()[MAIN.ident or 0].f_back  # Event.wait calls Condition.wait
        return waits is not None and waits.f_locals.get("self") is waited_for

    def run() -> None:
        eventually(is_waiting)
        does()
        if not waited_for.wait(LONG / 3):
            waited_for.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
