"""A log sink in memory; every group exists."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fsd_local.ports import LogTarget


class FakeLogs:
    def __init__(self) -> None:
        self.events: list[tuple[str, int, str]] = []  # (stream, milliseconds, text)
        self._lock = threading.Lock()

    def exists(self, target: LogTarget) -> bool:
        del target
        return True

    def write(self, target: LogTarget, lines: Sequence[tuple[int, str]]) -> None:
        with self._lock:
            self.events += [(target.stream, at, text) for at, text in lines]

    def texts(self, container: str = "") -> list[str]:
        """Of the streams that name the container, in order."""
        with self._lock:
            return [text for stream, _, text in self.events if container in stream]
