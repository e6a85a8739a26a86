"""What a release tells while it works. Reporters are values handed in; the default says nothing."""

from __future__ import annotations

from typing import Protocol

from fsd.release.result import Phase, Progress


class Reporter(Protocol):
    """Called in order; `phase` is called again when a phase ends."""

    def begin(self, headline: str) -> None:
        """What is about to happen, where and to what: once, before the first phase."""

    def phase(self, phase: Phase) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def note(self, text: str) -> None: ...


class Silent:
    def begin(self, headline: str) -> None:
        del headline

    def phase(self, phase: Phase) -> None:
        del phase

    def progress(self, progress: Progress) -> None:
        del progress

    def note(self, text: str) -> None:
        del text
