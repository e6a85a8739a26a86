"""What a run says where the default branch's environments file decides, as values, and the words.

`fsd.app` finds it and is above this package, so the values are here, beside their words. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """Why the default branch decides about an environment: it is protected there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOf:
    """Or one that it decides about takes its releases from it: a gate is worth what its source
    is."""

    environment: str


DecidedWhy: TypeAlias = Protected | SourceOf


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUnread:
    file: str
    branch: str
    error: str  # as GitHub or git said it


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHasErrors:
    file: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingHere:
    """The checkout's file lacks an environment that the default branch decides about."""

    environment: str
    why: DecidedWhy
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffersHere:
    environment: str
    why: DecidedWhy
    branch: str
    keys: tuple[str, ...]  # as they are written


BranchNote: TypeAlias = FileUnread | FileHasErrors | MissingHere | DiffersHere


def branch_note_text(note: BranchNote) -> str:
    match note:
        case FileUnread(file=file, branch=branch, error=error):
            return f"{file} could not be read on {branch}: {error}; {_CHECKOUT}"
        case FileHasErrors(file=file, branch=branch):
            return f"{file} has errors on {branch}; {_CHECKOUT}"
        case MissingHere(environment=name, why=why, branch=branch):
            return f"{name} {_why(why)} on {branch}, and missing here: {branch}'s counts"
        case DiffersHere(environment=name, why=why, branch=branch, keys=keys):
            return (
                f"{name} {_why(why)}, so {branch}'s environments file counts; here it differs in "
                f"{', '.join(keys)}"
            )
        case _:
            assert_never(note)


_CHECKOUT = "what the checkout says of protected environments counts"


def _why(why: DecidedWhy) -> str:
    match why:
        case Protected():
            return "is protected"
        case SourceOf(environment=name):
            return f"is the source of promotions to {name}"
        case _:
            assert_never(why)
