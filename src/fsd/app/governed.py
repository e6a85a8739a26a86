"""In CI the environments file of the default branch decides about protected environments.

A branch that nobody has merged brings its own environments file, and could open the border with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from fsd.app.places import ENVIRONMENTS_FILE
from fsd.errors import CallFailedError
from fsd.report.default_branch import (
    BranchNote,
    DecidedWhy,
    DiffersHere,
    FileUnread,
    MissingHere,
    Protected,
    SourceOf,
    branch_note_text,
)

if TYPE_CHECKING:
    from fsd.manifest.environments import Environment

# A path below the repository's root → its text on the default branch; None where it has none.
# Raises CallFailedError where nobody knows.
ReadFile = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultBranch:
    """What decides, and whom to tell where it says something else than the checkout."""

    name: str
    root: Path  # of the checkout's repository
    read: ReadFile
    warn: Callable[[str], None]
    file: Path | None = None  # the environments file, where one is named
    told: set[BranchNote] = field(default_factory=set)

    def find(self, path: Path | None) -> tuple[str, str] | None:
        """(path, text) of the file that is nearest to the manifest there; None without one."""
        for candidate in self._candidates(path):
            try:
                text = self.read(candidate)
            except CallFailedError as error:
                self.tell(FileUnread(file=candidate, branch=self.name, error=error.what))
                return None
            if text is not None:
                return candidate, text
        return None

    def tell(self, note: BranchNote) -> None:
        """Once: a run may read the file for each of its services."""
        if note not in self.told:
            self.told.add(note)
            self.warn(branch_note_text(note))

    def _candidates(self, path: Path | None) -> list[str]:
        root = self.root.resolve()
        start = (path.absolute().parent if path else Path.cwd()).resolve()
        folders = [f for f in (start, *start.parents) if f.is_relative_to(root)] or [root]
        named = [self.file] if self.file else []
        files = [*named, *(folder / ENVIRONMENTS_FILE for folder in folders)]
        below = [Path.cwd().resolve() / file for file in files]
        return [f.relative_to(root).as_posix() for f in below if f.is_relative_to(root)]


def find_governed(theirs: Mapping[str, Environment]) -> dict[str, DecidedWhy]:
    """The environments of which the default branch decides → why.

    Those that are protected, and those that they take from: a gate is worth what its source is.
    """
    found: dict[str, DecidedWhy] = {n: Protected() for n, each in theirs.items() if each.protected}
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        source = theirs[name].promote_from
        if source and source in theirs and source not in found:
            found[source] = SourceOf(environment=name)
            waiting.append(source)
    return found


def decide_environments(
    own: Mapping[str, Environment], theirs: Mapping[str, Environment], *, branch: str
) -> tuple[dict[str, Environment], tuple[BranchNote, ...]]:
    """The environments that count, and what is to be said. `theirs` is the default branch's.

    What is protected only here stays so.
    """
    decided = dict(own)
    said: list[BranchNote] = []
    for name, why in find_governed(theirs).items():
        decided[name] = theirs[name]
        if name not in own:
            said.append(MissingHere(environment=name, why=why, branch=branch))
        elif differs := _differences(own[name], theirs[name]):
            keys = tuple(differs)
            said.append(DiffersHere(environment=name, why=why, branch=branch, keys=keys))
    return decided, tuple(said)


def _differences(own: Environment, theirs: Environment) -> list[str]:
    names = [item.name for item in fields(theirs)]
    return [_as_written(n) for n in names if getattr(own, n) != getattr(theirs, n)]


def _as_written(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
