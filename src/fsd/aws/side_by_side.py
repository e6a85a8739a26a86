"""Several reads at once, in a few threads.

The threads are daemons: a signal must end the command within seconds, also where AWS does not
answer one of the reads. Only the main thread gets signals, and it only waits here; a wait that a
signal did not interrupt is ended by `fsd.app.wake_up`.
https://docs.python.org/3/library/signal.html#signals-and-threads
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

MOST_AT_ONCE = 8  # below botocore's 10 connections a client

T = TypeVar("T")


@dataclass(slots=True)
class _Answer:
    value: Any = None
    error: BaseException | None = None
    is_there: threading.Event = field(default_factory=threading.Event)


class SideBySide:
    """`fsd.release.reads.Reads`. What a read starts is read in the same thread: a read that waited
    for a free thread while it keeps one could wait for ever."""

    def __init__(self, limit: int = MOST_AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(limit)
        self._here = threading.local()

    def start(self, read: Callable[[], T], /) -> Callable[[], T]:
        answer = _Answer()
        if getattr(self._here, "is_read", False):
            self._answer(read, answer)
        else:
            threading.Thread(target=self._run, args=(read, answer), daemon=True).start()

        def get() -> T:
            answer.is_there.wait()
            if answer.error is not None:
                raise answer.error
            found: T = answer.value
            return found

        return get

    def _run(self, read: Callable[[], Any], answer: _Answer) -> None:
        self._here.is_read = True
        with self._free:
            self._answer(read, answer)

    def _answer(self, read: Callable[[], Any], answer: _Answer) -> None:
        try:
            answer.value = read()
        except BaseException as error:  # raised where the answer is asked for
            answer.error = error
        finally:
            answer.is_there.set()
