from __future__ import annotations

import signal
import threading
from datetime import timedelta

import pytest

from fsd.app.clock import SystemClock
from fsd.errors import CallFailedError


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
