"""Log lines in order, each once, for reading and for following."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fsd.release.ports import LogLine, LogsPort


@dataclass(slots=True, kw_only=True)
class LogReader:
    """Reads on from where it was. Lines of the same instant are told apart by their text."""

    logs: LogsPort
    group: str
    start: datetime
    task: str = ""  # the beginning of a task id
    _seen: set[LogLine] = field(default_factory=set)

    def read(self) -> Sequence[LogLine]:
        """What came since the last call, oldest first."""
        lines = [
            line
            for line in self.logs.since(self.group, self.start)
            if line not in self._seen and line.stream.rpartition("/")[2].startswith(self.task)
        ]
        if lines:
            self.start = max(line.at for line in lines)
            self._seen = {line for line in (*self._seen, *lines) if line.at >= self.start}
        return lines
