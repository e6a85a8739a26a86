"""What a release tells while it works. Reporters are values handed in; the default says nothing."""

from __future__ import annotations

from typing import Protocol

from fsd.release.result import Phase, Progress


class Reporter(Protocol):
    """Called in order; `phase` is called again when a phase ends."""

    def phase(self, phase: Phase) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def note(self, text: str) -> None: ...


class Silent:
    def phase(self, phase: Phase) -> None:
        del phase

    def progress(self, progress: Progress) -> None:
        del progress

    def note(self, text: str) -> None:
        del text
