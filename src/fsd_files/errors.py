"""The one error of this package, and the place in a file that it names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


# A file has hundreds, and frozen ones take three times as long to make. Nobody changes them all the
# same: another place is another Location.
@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Location:
    """A place in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class FileCode(StrEnum):
    """What went wrong, for programs; a row of FSD's table of error codes."""

    CONTEXT_TOO_LARGE = "context-too-large"
    CONTEXT_UNREADABLE = "context-unreadable"
    DOCKERFILE_INVALID = "dockerfile-invalid"
    DOCKERFILE_UNREADABLE = "dockerfile-unreadable"
    DOCKERIGNORE_INVALID = "dockerignore-invalid"


class FileError(Exception):
    """A file that cannot be read, or does not say what it should: what, where, and the fix."""

    def __init__(self, what: str, *, where: Location | str, fix: str, code: FileCode) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.code = code
