"""One build as a value: what a builder is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fsd.image.context import Source
from fsd.image.push_retries import NO_RETRIES, PushRetries
from fsd.release.notes import Note
from fsd.release.phase_facts import PushedParts
from fsd.release.ports import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """Everything that one build needs; `source` says what is built."""

    source: Source
    dockerfile: Path
    architecture: str  # amd64 | arm64
    repository: Repository
    build_args: Mapping[str, str]
    build_secrets: tuple[str, ...]  # as `docker build --secret` takes them
    labels: Mapping[str, str]
    on_line: Callable[[str], None]
    target: str = ""  # a stage; "" the last
    allow_run: bool = False
    needs_command: bool = False
    cache: bool = True
    retries: PushRetries = NO_RETRIES
    built_as: str = ""  # pushed instead of another build, where the engine has this image

    @property
    def reference(self) -> str:
        return f"{self.repository.uri}:{self.source.key_tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOutcome:
    """What a builder did."""

    digest: str
    pushed: PushedParts
    skipped: tuple[str, ...] = ()
    built_before: bool = False  # the engine had it
    notes: tuple[Note, ...] = ()
