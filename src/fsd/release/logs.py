"""Log lines in order, each once, for reading and for following."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fsd.release.log_places import StreamPlace, task_of
from fsd.release.ports import LogLine, LogsPort
from fsd.rollout.log_noise import is_passed_check


@dataclass(slots=True, kw_only=True)
class OwnTasks:
    """Whose lines are whose in a log group that is not the service's alone.

    A stream is named after a container and a task, so that another environment's `web` is told
    apart only by its tasks. What ECS no longer lists, an hour or so after it stopped, is left out.
    """

    look: Callable[[], Iterable[str]]  # IDs of the tasks that ECS lists
    groups_left_out: set[str] = field(default_factory=set)  # of which lines were left out
    _own: set[str] = field(default_factory=set)
    _others: set[str] = field(default_factory=set)

    def only(self, lines: Sequence[LogLine], place: StreamPlace) -> Sequence[LogLine]:
        """Asks ECS where a task is new. Raises CallFailedError."""
        tasks = {place.task(line.stream) for line in lines}
        if not tasks <= self._own | self._others:
            self._own.update(self.look())
        if others := tasks - self._own:
            self._others |= others
            self.groups_left_out.add(place.group)
        return [line for line in lines if place.task(line.stream) in self._own]

    def ask_again(self) -> None:
        """About those that were not the service's: ECS may have listed one late."""
        self._others.clear()


@dataclass(slots=True, kw_only=True)
class LogReader:
    """Reads on from where it was. Lines of the same instant are told apart by their text."""

    logs: LogsPort
    places: tuple[StreamPlace, ...]
    start: datetime
    task: str = ""  # the beginning of a task ID
    own_tasks: OwnTasks | None = None  # of places with a prefix; None where `task` is a whole ID
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
            found = [line for line in lines if line.stream.startswith(begins)]
            return self.own_tasks.only(found, place) if self.own_tasks else found
        lines = self.logs.since(place.group, self.start)
        return [line for line in lines if task_of(line.stream).startswith(self.task)]


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
