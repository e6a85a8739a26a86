"""Progress without a terminal: one line a change, with its time in UTC; no colour, no bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TextIO

from fsd.durations import duration_text
from fsd.release.notes import Note
from fsd.release.result import Phase, PhaseState, Progress
from fsd.report.notes import note_text
from fsd.report.phases import phase_text
from fsd.report.words import event_text, failed_count_text
from fsd.streams import Unbreakable, printable

_MARKS = {PhaseState.RUNNING: "·", PhaseState.DONE: "✔", PhaseState.FAILED: "✘"}


def utc_now() -> datetime:
    return datetime.now(UTC)


class PlainReporter:
    """Writes to a stream that is a file, a pipe or a workflow's log. Says nothing twice."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime] = utc_now) -> None:
        self._stream = Unbreakable(stream)
        self._now = now
        self._last: Progress | None = None
        self._announced = ""

    def begin(self, headline: str) -> None:
        self._line(self._now(), printable(headline))

    def phase(self, phase: Phase) -> None:
        at = phase.finished_at or phase.started_at
        said = printable(phase_text(phase))
        text = said or "started"
        if phase.finished_at is not None and said == self._announced:
            text = f"done after {duration_text(phase.finished_at - phase.started_at)}"
        self._announced = said
        self._line(at, f"{_MARKS[phase.state]} {phase.name:<9} {text}")

    def progress(self, progress: Progress) -> None:
        counts = replace(progress, elapsed=timedelta(), note="")
        if counts != self._last:
            self._last = counts
            self._line(self._now(), f"· rollout   {progress_text(progress)}")
        if progress.note:
            self._line(self._now(), f"  ECS: {printable(event_text(progress.note))}")

    def note(self, note: Note) -> None:
        self._line(self._now(), f"  {printable(note_text(note))}")

    def _line(self, at: datetime, text: str) -> None:
        # One write a line: lines of parallel jobs share a log.
        self._stream.write(f"{at.astimezone(UTC):%H:%M:%S} {text}\n")


def progress_text(progress: Progress) -> str:
    """`new (web-dev:42) 1 of 2 healthy, 1 starting · old (web-dev:41) 2 running · 12s`."""
    parts = [f"new ({progress.new_revision}) {new_text(progress)}"]
    if progress.old_revision:
        parts.append(f"old ({progress.old_revision}) {progress.old_running} running")
    parts += traffic_texts(progress)
    if progress.failed_tasks:
        parts.append(failed_text(progress))
    parts.append(duration_text(progress.elapsed))
    return " · ".join(parts)


def new_text(progress: Progress) -> str:
    starting = progress.new_running + progress.new_pending - progress.new_healthy
    more = f", {starting} starting" if starting > 0 else ""
    return f"{progress.new_healthy} of {progress.desired} healthy{more}"


def traffic_texts(progress: Progress) -> list[str]:
    """`10 % of the traffic to the new tasks`, then ECS's stage; [] where no traffic shifts."""
    if progress.traffic is None:
        return []
    stage = progress.stage.replace("_", " ").lower()
    return [f"{progress.traffic:g} % of the traffic to the new tasks", *([stage] if stage else [])]


def failed_text(progress: Progress) -> str:
    return failed_count_text(progress.failed_tasks, progress.failure_threshold)
