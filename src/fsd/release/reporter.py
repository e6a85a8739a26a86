"""What a release tells while it works. Reporters are values handed in; the default says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from fsd.release.result import Phase, Progress


class Reporter(Protocol):
    """Called in order; `phase` is called again when a phase ends."""

    def begin(self, headline: str) -> None:
        """What is about to happen, where and to what: once, before the first phase."""

    def phase(self, phase: Phase) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """Passes everything on without what is secret in this run."""

    inner: Reporter
    hide: Callable[[str], str]

    def begin(self, headline: str) -> None:
        self.inner.begin(self.hide(headline))

    def phase(self, phase: Phase) -> None:
        self.inner.phase(replace(phase, text=self.hide(phase.text)))

    def progress(self, progress: Progress) -> None:
        self.inner.progress(replace(progress, note=self.hide(progress.note)))

    def note(self, text: str) -> None:
        self.inner.note(self.hide(text))


class Silent:
    def begin(self, headline: str) -> None:
        del headline

    def phase(self, phase: Phase) -> None:
        del phase

    def progress(self, progress: Progress) -> None:
        del progress

    def note(self, text: str) -> None:
        del text
