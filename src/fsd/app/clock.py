"""The machine's clock, and the signals that end a wait."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType

from fsd.app.wake_up import woken_up
from fsd.errors import CallFailedError, ErrorCode, ExitCode, Interrupted

_EXIT_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class SystemClock:
    """`fsd.release.ports.Clock` on the real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, duration: timedelta) -> None:
        threading.Event().wait(duration.total_seconds())

    @contextmanager
    def limit(self, duration: timedelta) -> Iterator[None]:
        """For the main thread: only there a signal can end a call that hangs."""

        def end(number: int, frame: FrameType | None) -> None:
            del number, frame
            raise CallFailedError(
                f"no answer within {duration.total_seconds():g} s",
                where="this command",
                fix="run it again once AWS answers",
                code=ErrorCode.CONNECTION_LOST,
            )

        with woken_up():
            old = signal.signal(signal.SIGALRM, end)
            signal.setitimer(signal.ITIMER_REAL, duration.total_seconds())
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, old)


class Signals:
    """Turns the first SIGINT or SIGTERM into `Interrupted`; a second one leaves at once.

    A runner sends SIGINT, SIGTERM 7.5 s later, and kills after 2.5 s more: so the first must be
    answered in seconds. https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation
    """

    def __init__(self) -> None:
        self.exit_code = ExitCode.INTERRUPTED
        self._came = False

    def receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        code = _EXIT_CODES[signal.Signals(number)]
        if self._came:
            os._exit(code)
        self._came = True
        self.exit_code = code
        raise Interrupted(
            f"stopped by {signal.Signals(number).name}",
            where="this command",
            fix="run it again: FSD attaches to the deployment in flight, or completes the "
            "remaining steps",
            exit_code=code,
        )


@contextmanager
def catch_signals() -> Iterator[Signals]:
    """Within the block the first signal raises; the old handlers come back afterwards."""
    signals = Signals()
    with woken_up():
        old = {number: signal.signal(number, signals.receive) for number in _EXIT_CODES}
        try:
            yield signals
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
