"""The one loop that waits in a test. It ends: a test that waits in vain fails, and says where."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE = 90.0  # seconds; far more than any condition needs, also on a busy machine


def eventually(
    condition: Callable[[], object],
    *,
    seconds: float = PATIENCE,
    pause: float = 0.02,
    said: Callable[[], str] = lambda: "it did not become true",
) -> None:
    """Asks every `pause` seconds; fails with `said()` where it does not hold within `seconds`."""
    deadline, clock = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{said()}, within {seconds:g} s"
        clock.wait(pause)
