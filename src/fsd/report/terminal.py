"""Progress on a terminal: a line a phase, and bars for the rollout while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, TextIO, cast

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from fsd.durations import duration_text
from fsd.release.notes import Note
from fsd.release.result import Phase, PhaseName, PhaseState, Progress
from fsd.report.notes import note_text
from fsd.report.phases import phase_text
from fsd.report.plain import failed_text, new_text, traffic_texts
from fsd.report.words import clip, event_text
from fsd.streams import MOST_COLUMNS, Unbreakable, printable

BAR = 20  # cells; half of it where the terminal is narrow
NARROW = 80  # columns
LABELS = 13  # columns of a phase's mark and name
LINES_OF_A_PHASE = 2
RAGGED = 10  # columns that a line loses where it wraps between words
# The newest build lines and events; more would push the phases off a small screen.
NOTES_SHOWN = 3
_WATCHED = {PhaseName.ROLLOUT, PhaseName.ROLLBACK}


@contextmanager
def live_reporter(stream: TextIO) -> Iterator[LiveReporter]:
    """Draws until the block ends; the phases stay on the screen, bars and notes go."""
    console = Console(
        file=cast("IO[str]", Unbreakable(stream)), highlight=False, markup=False, emoji=False
    )
    console.width = min(console.width, MOST_COLUMNS)
    screen = Screen()
    live = Live(screen, console=console, refresh_per_second=8, redirect_stdout=False)
    try:
        yield LiveReporter(screen, live)
    finally:
        screen.progress = None
        screen.notes = ()
        # What an error or a signal left unfinished must not look as if it went on.
        screen.spinner = Text("·")
        live.stop()


@dataclass(slots=True)
class Screen:
    """What is shown. Fields are replaced whole: Rich reads them in its own thread."""

    headline: str = ""
    phases: tuple[Phase, ...] = ()
    progress: Progress | None = None
    notes: tuple[str, ...] = ()
    spinner: RenderableType = field(default_factory=lambda: Spinner("dots"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        parts: list[RenderableType] = []
        if self.headline:
            parts.append(Text(self.headline, style="bold"))
        parts += [self._line(phase, options.max_width) for phase in self.phases]
        if self.progress is not None:
            parts.append(_bars(self.progress, BAR if options.max_width >= NARROW else BAR // 2))
        parts += [
            Text(f"     {note}", style="dim", no_wrap=True, overflow="ellipsis")
            for note in self.notes
        ]
        yield Group(*parts)

    def _line(self, phase: Phase, width: int) -> Table:
        line = Table.grid(padding=(0, 1, 0, 0), expand=True)
        line.add_column(width=2, min_width=2, justify="right")
        line.add_column(width=9, min_width=9)
        line.add_column(ratio=1, overflow="fold")  # wraps between words where it can
        text = clip(printable(phase_text(phase)), LINES_OF_A_PHASE * (width - LABELS - RAGGED))
        if phase.name in _WATCHED and phase.state is PhaseState.RUNNING and self.progress:
            text = duration_text(self.progress.elapsed)
        line.add_row(self._mark(phase.state), Text(phase.name), Text(text))
        return line

    def _mark(self, state: PhaseState) -> RenderableType:
        match state:
            case PhaseState.DONE:
                return Text("✔", style="green")
            case PhaseState.FAILED:
                return Text("✘", style="red")
            case PhaseState.RUNNING:
                return self.spinner


def _bars(progress: Progress, size: int) -> Table:
    bars = Table.grid(padding=(0, 2, 0, 0))
    bars.add_column(no_wrap=True)
    bars.add_column(width=size)
    bars.add_column(no_wrap=True, overflow="ellipsis")
    texts = [new_text(progress)]
    if progress.failed_tasks:
        texts.append(failed_text(progress))
    new = _bar(progress.new_healthy, progress.desired, size)
    bars.add_row(_label("new", progress.new_revision), new, Text(", ".join(texts)))
    if progress.old_revision:
        old = _bar(progress.old_running, progress.desired, size)
        text = Text(f"{progress.old_running} running")
        bars.add_row(_label("old", progress.old_revision), old, text)
    if progress.traffic is not None:
        share = _bar(round(progress.traffic), 100, size)
        text = Text(", ".join(traffic_texts(progress)))
        bars.add_row(Text("     traffic"), share, text)
    return bars


def _label(age: str, revision: str) -> Text:
    return Text(f"     {age} {revision.rpartition(':')[2]}")


def _bar(count: int, total: int, size: int) -> Text:
    filled = size if total == 0 else min(size, round(size * count / total))
    return Text("█" * filled + "░" * (size - filled), style="cyan")


class LiveReporter:
    """Starts to draw with the first thing that there is to show."""

    def __init__(self, screen: Screen, live: Live) -> None:
        self._screen = screen
        self._live = live

    def begin(self, headline: str) -> None:
        self._screen.headline = printable(headline)
        self._live.start()

    def phase(self, phase: Phase) -> None:
        """A phase is known by its name and start, so a second rollout gets a line of its own."""
        screen = self._screen
        keys = [_key(known) for known in screen.phases]
        if _key(phase) in keys:
            index = keys.index(_key(phase))
            screen.phases = (*screen.phases[:index], phase, *screen.phases[index + 1 :])
        else:
            screen.phases = (*screen.phases, phase)
        if phase.state is not PhaseState.RUNNING:
            screen.progress = None
            screen.notes = ()
        self._live.start()

    def progress(self, progress: Progress) -> None:
        self._screen.progress = progress
        self._live.start()
        if progress.note:
            self._add(event_text(progress.note))

    def note(self, note: Note) -> None:
        self._add(note_text(note))

    def _add(self, text: str) -> None:
        self._screen.notes = (*self._screen.notes, printable(text))[-NOTES_SHOWN:]
        self._live.start()


def _key(phase: Phase) -> tuple[PhaseName, datetime]:
    return phase.name, phase.started_at
