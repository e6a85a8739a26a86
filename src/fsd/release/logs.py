"""Log lines in order, each once, for reading and for following."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fsd.release.log_places import StreamPlace
from fsd.release.ports import LogLine, LogsPort
from fsd.rollout.log_noise import is_passed_check


@dataclass(slots=True, kw_only=True)
class LogReader:
    """Reads on from where it was. Lines of the same instant are told apart by their text."""

    logs: LogsPort
    places: tuple[StreamPlace, ...]
    start: datetime
    task: str = ""  # the beginning of a task ID
    _seen: set[LogLine] = field(default_factory=set)

    def read(self) -> Sequence[LogLine]:
        """What came since the last call, oldest first."""
        found = (line for place in self.places for line in self._of(place))
        lines = sorted((line for line in found if line not in self._seen), key=lambda line: line.at)
        if lines:
            self.start = max(line.at for line in lines)
            self._seen = {line for line in (*self._seen, *lines) if line.at >= self.start}
        return lines

    def _of(self, place: StreamPlace) -> Sequence[LogLine]:
        if place.prefix:
            begins = place.stream(self.task)
            lines = self.logs.since(place.group, self.start, begins)
            # Endpoints other than AWS's own may not know the parameter, and answer with all.
            return [line for line in lines if line.stream.startswith(begins)]
        lines = self.logs.since(place.group, self.start)
        return [line for line in lines if line.stream.rpartition("/")[2].startswith(self.task)]


@dataclass(slots=True, kw_only=True)
class LogFilter:
    """Which lines to show. Counts the health checks that it leaves out."""

    pattern: re.Pattern[str] | None = None
    with_health_checks: bool = False
    left_out: int = 0

    def of(self, lines: Sequence[LogLine]) -> Sequence[LogLine]:
        found = [line for line in lines if self.pattern is None or self.pattern.search(line.text)]
        if self.with_health_checks:
            return found
        shown = [line for line in found if not is_passed_check(line.text)]
        self.left_out += len(found) - len(shown)
        return shown
