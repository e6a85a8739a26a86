"""Wakes the main thread for a signal that its wait has missed.

Python runs a signal's handler in the main thread, once that is back from its system call. A signal
interrupts the call only if it reaches this thread within it: one that comes just before the call,
or that the kernel gives to another thread, is noticed when the call ends by itself. That may be
minutes later, for a read that AWS does not answer.
https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Ignored by default and of no use to others; Go's runtime interrupts its threads with it.
# https://go.googlesource.com/proposal/+/master/design/24543-non-cooperative-preemption.md
_WAKE_UP = signal.SIGURG
_PAUSE = 0.05  # seconds


@contextmanager
def woken_up() -> Iterator[None]:
    """Within the block no handler of a signal waits for what the main thread waits for.

    For the main thread; blocks may be nested."""
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    watch = _Watch(receiving)
    handler = signal.signal(_WAKE_UP, watch.look)
    descriptor = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    threading.Thread(target=watch.run, name="signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        watch.is_over.set()
        os.close(sending)
        signal.signal(_WAKE_UP, handler)


class _Watch:
    """Reads the number of each signal that Python has a handler for."""

    def __init__(self, receiving: int) -> None:
        self._receiving = receiving
        self._main = threading.main_thread().ident or 0
        self._has_looked = False
        self.is_over = threading.Event()

    def look(self, number: int, frame: FrameType | None) -> None:
        """The handler of `_WAKE_UP`: where it runs, those of earlier signals have run."""
        del number, frame
        self._has_looked = True

    def run(self) -> None:
        try:
            while number := os.read(self._receiving, 1):
                if number[0] != _WAKE_UP:
                    self._wake_up()
        finally:
            os.close(self._receiving)

    def _wake_up(self) -> None:
        self._has_looked = False
        while not self._has_looked and not self.is_over.is_set():
            signal.pthread_kill(self._main, _WAKE_UP)
            self.is_over.wait(_PAUSE)
