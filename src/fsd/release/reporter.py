"""What a release tells while it works. Reporters are values handed in; the default says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Protocol, TypeVar, cast

from fsd.release.notes import Note
from fsd.release.result import Phase, Progress

Value = TypeVar("Value")


class Reporter(Protocol):
    """Called in order; `phase` is called again when a phase ends."""

    def begin(self, headline: str) -> None:
        """What is about to happen, where and to what: once, before the first phase."""

    def phase(self, phase: Phase) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def note(self, note: Note) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """Passes everything on without what is secret in this run."""

    inner: Reporter
    hide: Callable[[str], str]

    def begin(self, headline: str) -> None:
        self.inner.begin(self.hide(headline))

    def phase(self, phase: Phase) -> None:
        self.inner.phase(hide_in(phase, self.hide))

    def progress(self, progress: Progress) -> None:
        self.inner.progress(replace(progress, note=self.hide(progress.note)))

    def note(self, note: Note) -> None:
        self.inner.note(hide_in(note, self.hide))


def hide_in(value: Value, hide: Callable[[str], str]) -> Value:
    """The value with every text in it hidden, in tuples and dataclasses too. Templates and other
    JSON stay as they are: reports don't show them."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return cast(Value, hide(value))
    if isinstance(value, tuple):
        return cast(Value, tuple(hide_in(each, hide) for each in value))
    if is_dataclass(value) and not isinstance(value, type):
        hidden = {f.name: hide_in(getattr(value, f.name), hide) for f in fields(value)}
        return replace(value, **hidden)
    return value


class Silent:
    def begin(self, headline: str) -> None:
        del headline

    def phase(self, phase: Phase) -> None:
        del phase

    def progress(self, progress: Progress) -> None:
        del progress

    def note(self, note: Note) -> None:
        del note
