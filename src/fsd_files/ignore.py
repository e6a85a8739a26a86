"""`.dockerignore`: which files of a context Docker does not see.

The semantics are Docker's own, which are not those of `.gitignore`: a pattern is anchored at the
context, `*` stops at a slash, and the last pattern that matches a path or a folder above it wins.
https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fsd_files.errors import FileCode, FileError, Location
from fsd_files.globs import BadPatternError, compile_glob
from fsd_files.user_files import UnreadableError, read_user_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    text: str
    is_exception: bool
    matches: Callable[[str], bool]  # a path, or a folder above it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    patterns: tuple[Pattern, ...] = ()

    def excludes(self, path: str) -> bool:
        """`path` is relative to the context, with slashes."""
        excluded = False
        for pattern in self.patterns:
            if excluded is pattern.is_exception and pattern.matches(path):
                excluded = not pattern.is_exception
        return excluded

    def may_hold_exceptions(self, folder: str) -> bool:
        """Whether something below an excluded folder may be wanted again, so that it is entered."""
        return any(p.is_exception and _reaches_below(p.text, folder) for p in self.patterns)


def load_ignore(context: Path, dockerfile: Path) -> Ignore:
    """`<Dockerfile>.dockerignore` beside the Dockerfile wins over the context's, as in BuildKit.

    Raises FileError for a file that cannot be read, or that has a pattern that is none.
    """
    for path in ignore_files(context, dockerfile):
        try:
            return parse_ignore(read_user_text(path), path=str(path))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UnreadableError as error:
            raise FileError(
                f"the ignore file cannot be read: {error}",
                where=str(path),
                fix="replace it by a text file in UTF-8, or remove it",
                code=FileCode.DOCKERIGNORE_INVALID,
            ) from error
    return Ignore()


def ignore_files(context: Path, dockerfile: Path) -> tuple[Path, Path]:
    """Where one may be, the first wins."""
    return dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"


def parse_ignore(text: str, *, path: str = ".dockerignore") -> Ignore:
    """Raises FileError for a pattern that Docker refuses, with its line."""
    return Ignore(patterns=tuple(_parse(text, path)))


def _parse(text: str, path: str) -> Iterator[Pattern]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        written = line.strip()
        is_exception = written.startswith("!")
        body = written.removeprefix("!").strip()
        if not body:
            continue
        cleaned = posixpath.normpath(body).lstrip("/")
        if cleaned in ("", "."):
            continue
        try:
            matches = compile_glob(cleaned)
        except BadPatternError as error:
            raise FileError(
                f"`{body}` is not a pattern that Docker takes: {error}",
                where=Location(path=path, line=number, column=line.index(body) + 1),
                fix="correct the pattern; a backslash makes a special character an ordinary one",
                code=FileCode.DOCKERIGNORE_INVALID,
            ) from error
        yield Pattern(text=cleaned, is_exception=is_exception, matches=matches)


def _reaches_below(pattern: str, folder: str) -> bool:
    wanted = pattern.split("/")
    for index, part in enumerate(folder.split("/")):
        if index >= len(wanted):
            return True  # the exception is a folder above
        if "**" in wanted[index]:
            return True
        if not _matches_part(wanted[index], part):
            return False
    return True


def _matches_part(pattern: str, part: str) -> bool:
    """A class may hold a slash, and its halves are no patterns: then the folder is looked into."""
    try:
        return compile_glob(pattern)(part)
    except BadPatternError:
        return True
