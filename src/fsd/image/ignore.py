"""`.dockerignore`: which files of a context Docker does not see.

The semantics are Docker's own, which are not those of `.gitignore`: a pattern is anchored at the
context, `*` stops at a slash, and the last pattern that matches a path or a folder above it wins.
https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    text: str
    is_exception: bool
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    patterns: tuple[Pattern, ...] = ()

    def excludes(self, path: str) -> bool:
        """`path` is relative to the context, with slashes."""
        lineage = tuple(_lineage(path))
        excluded = False
        for pattern in self.patterns:
            if excluded is pattern.is_exception and any(
                pattern.regex.fullmatch(part) for part in lineage
            ):
                excluded = not pattern.is_exception
        return excluded

    def may_hold_exceptions(self, folder: str) -> bool:
        """Whether something below an excluded folder may be wanted again, so that it is entered."""
        return any(p.is_exception and _reaches_below(p.text, folder) for p in self.patterns)


def load_ignore(context: Path, dockerfile: Path) -> Ignore:
    """`<Dockerfile>.dockerignore` beside the Dockerfile wins over the context's, as in BuildKit."""
    for path in ignore_files(context, dockerfile):
        try:
            return parse_ignore(path.read_text(encoding="utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return Ignore()


def ignore_files(context: Path, dockerfile: Path) -> tuple[Path, Path]:
    """Where one may be, the first wins."""
    return dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"


def parse_ignore(text: str) -> Ignore:
    return Ignore(patterns=tuple(_parse(text)))


def _parse(text: str) -> Iterator[Pattern]:
    for line in text.splitlines():
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
        yield Pattern(text=cleaned, is_exception=is_exception, regex=re.compile(_regex(cleaned)))


_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|\\.|.", re.DOTALL)


def _regex(pattern: str) -> str:
    return "".join(_translate(token) for token in _TOKENS.findall(pattern))


def _translate(token: str) -> str:
    fixed = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in fixed:
        return fixed[token]
    if len(token) > 2 and token.startswith("["):
        return "[" + token[1:-1].replace("\\", "\\\\").replace("[", "\\[") + "]"
    return re.escape(token[-1] if token.startswith("\\") else token)


def _lineage(path: str) -> Iterator[str]:
    """The path, then every folder above it."""
    while path:
        yield path
        path = posixpath.dirname(path)


def _reaches_below(pattern: str, folder: str) -> bool:
    wanted = pattern.split("/")
    for index, part in enumerate(folder.split("/")):
        if index >= len(wanted):
            return True  # the exception is a folder above
        if "**" in wanted[index]:
            return True
        if not re.fullmatch(_regex(wanted[index]), part):
            return False
    return True
