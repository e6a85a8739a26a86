"""Reads that do not depend on each other, and need not wait for each other.

`start` begins a read, and returns what gives its answer. Ask for the answers in the order in which
the reads would have been made one by one: then the first error in that order is the one that is
raised, however the answers come in. A read may start reads of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Reads(Protocol):
    def start(self, read: Callable[[], T], /) -> Callable[[], T]:
        """The answer raises what the read raised. A signal ends the wait for it at once."""


class OneByOne:
    """Each when its answer is asked for, and once."""

    def start(self, read: Callable[[], T], /) -> Callable[[], T]:
        answers: list[T] = []

        def answer() -> T:
            if not answers:
                answers.append(read())
            return answers[0]

        return answer


ONE_BY_ONE = OneByOne()
