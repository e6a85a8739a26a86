"""A whole call to GitHub within a time of ours.

A client's own time-out counts from byte to byte: an answer that drips, a list whose next page is
itself or a chain of redirects go on for ever, and the deployment that they tell of would stand
still. https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from fsd.errors import CallFailedError, ErrorCode

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, where: str) -> T:
    """What `call` returns or raises. Raises CallFailedError where that takes longer.

    It runs in a thread of its own, which nobody waits for afterwards: what `call` uses must not be
    used again. A signal is answered at once, in the thread that waits.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised again, in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=run, name=f"fsd: {where}", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise CallFailedError(
            f"GitHub has not answered in full within {seconds:g} s",
            where=where,
            fix="run the job again; see https://www.githubstatus.com where it stays",
            code=ErrorCode.GITHUB_UNREACHABLE,
        )
    return results[0]
