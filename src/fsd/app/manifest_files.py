"""Which Service YAMLs `fsd validate` reads: files, globs, folders and standard input.

A file that somebody names must be a Service YAML. In a folder only those files are taken that say
so themselves: workflows, charts and compose files lie beside them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fsd.app.manifest import sources_of
from fsd.app.user_text import decode, read_text
from fsd.errors import ErrorCode, ManifestError
from fsd.lint.domains import DomainUse, find_domains, find_same_domains
from fsd.manifest.finding import Finding, Severity, order
from fsd.manifest.load import Loaded
from fsd.manifest.yaml_tree import MAX_CHARACTERS
from fsd.report.findings import FileFindings
from fsd_files.user_files import open_user_file

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# (path, text) → what is in it and what was found. Raises ManifestError.
Check: TypeAlias = Callable[[str, str], Loaded]
# What was found in a file, and what is to be compared with other files.
FileReport: TypeAlias = tuple[FileFindings, tuple[DomainUse, ...]]
STDIN = "-"
STDIN_NAME = "<stdin>"
_MANY = 100  # files from which on a second process pays
_SUFFIXES = (".yml", ".yaml")
_MOST_BYTES = 4 * MAX_CHARACTERS + 4
_API_VERSION = rb"""^\s*\{?\s*["']?apiVersion["']?\s*:\s*["']?fsd/v1\b"""
_ENVIRONMENT = rb"""^["']?kind["']?\s*:\s*["']?Environment\b"""
# Where other people's files are.
_FOREIGN = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file to check, or why there is none."""

    path: Path
    error: ManifestError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file after `check_manifest`; `error` where it could not be read."""

    path: str
    text: str = ""
    loaded: Loaded | None = None
    error: ManifestError | None = None

    def report(self) -> FileReport:
        if self.loaded is not None:
            domains = find_domains(self.loaded)
            sources = sources_of(self.loaded) if self.loaded.findings or domains else {}
            found = FileFindings(path=self.path, findings=self.loaded.findings, sources=sources)
            return found, domains
        assert self.error is not None
        return error_report(self.error, path=self.path), ()


def check_files(found: Iterable[Named], *, check: Check) -> Iterator[CheckedFile]:
    """Every file in its turn; what is wrong with one does not keep the others from being told."""
    for named in found:
        path = STDIN_NAME if str(named.path) == STDIN else str(named.path)
        if named.error is not None:
            yield CheckedFile(path=path, error=named.error)
            continue
        try:
            text = read_stdin() if path == STDIN_NAME else read_text(Path(path))
            yield CheckedFile(path=path, text=text, loaded=check(path, text))
        except ManifestError as error:
            yield CheckedFile(path=path, error=error)


def report_files(found: Sequence[Named], *, check: Check) -> list[FileFindings]:
    """What is in each file; many files are shared among the cores."""
    cores = os.cpu_count() or 1
    is_shared = len(found) >= _MANY and cores > 1 and sys.platform == "linux"
    if not is_shared or any(str(named.path) == STDIN for named in found):
        return compared(_report(found, check))
    size = -(-len(found) // cores)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    return compared([report for part in _in_processes(parts, check) for report in part])


def compared(reports: Sequence[FileReport]) -> list[FileFindings]:
    """With what only several files together show."""
    clashes = find_same_domains(domain for _, domains in reports for domain in domains)
    return [
        replace(found, findings=tuple(sorted((*found.findings, clashes[found.path]), key=order)))
        if found.path in clashes
        else found
        for found, _ in reports
    ]


def _report(found: Sequence[Named], check: Check) -> list[FileReport]:
    return [checked.report() for checked in check_files(found, check=check)]


def _in_processes(parts: Sequence[Sequence[Named]], check: Check) -> Iterator[Sequence[FileReport]]:
    """Each part by a fork of this process, which has loaded everything; the first one here."""
    import multiprocessing

    context = multiprocessing.get_context("fork")
    started = []
    for part in parts[1:]:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_send, args=(there, part, check), daemon=True)
        process.start()
        there.close()
        started.append((part, process, here))
    yield _report(parts[0], check)
    for part, process, here in started:
        with here:
            try:
                found: Sequence[FileReport] = here.recv()
            except EOFError:  # it was killed
                found = _report(part, check)
        process.join()
        yield found


def _send(there: Connection, part: Sequence[Named], check: Check) -> None:
    with there:
        there.send(_report(part, check))


def find_files(names: Sequence[str]) -> Iterator[Named]:
    """The files that the names stand for, each once, in the order of the names."""
    seen: set[str] = set()
    for name in names:
        for named in _find(name):
            key = name if name == STDIN else os.path.abspath(named.path)
            if key not in seen:
                seen.add(key)
                yield named


def list_candidates(names: Sequence[str]) -> list[Path]:
    """Like `find_files`, without a look into the files: what may come to be one counts too."""
    found: list[Path] = []
    for name in names:
        for path in _expand(name):
            found += [named.path for named in _walk(path)] if path.is_dir() else [path]
    return found


def error_report(error: ManifestError, *, path: str) -> FileFindings:
    """A file that cannot be read, as a finding: what reads JSON gets JSON always."""
    from fsd.app.user_text import InvalidFileError

    if isinstance(error, InvalidFileError):
        return FileFindings(path=path, findings=error.findings, sources=error.sources)
    finding = Finding(
        id=error.code,
        severity=Severity.ERROR,
        where=error.where,
        message=error.what,
        fix=error.fix,
    )
    return FileFindings(path=path, findings=(finding,), sources={})


def read_stdin() -> str:
    """Raises ManifestError where standard input is no UTF-8."""
    return decode(sys.stdin.buffer.read(_MOST_BYTES), path=Path(STDIN_NAME))


def _find(name: str) -> Iterator[Named]:
    if name == STDIN:
        yield Named(path=Path(STDIN))
        return
    paths = _expand(name)
    if not paths:
        yield _nothing(name, "no file matches", fix="correct the pattern, or name a file")
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield Named(path=path)


def _expand(name: str) -> list[Path]:
    """A pattern as the shell would take it; a file of that very name comes first."""
    if not name:  # an empty variable of a script is not this folder
        return []
    if os.path.lexists(name) or not any(character in name for character in "*?["):
        return [] if name == STDIN else [Path(name)]
    import glob

    return [Path(path) for path in sorted(glob.glob(name, recursive=True))]


def _in_folder(folder: Path) -> Iterator[Named]:
    found = False
    for named in _walk(folder):
        if named.error is not None or _says_so(named.path):
            found = True
            yield named
    if not found:
        what = "there is no Service YAML in this folder"
        fix = "name the file; in a folder, files with `apiVersion: fsd/v1` are looked for"
        yield _nothing(str(folder), what, fix=fix)


def _walk(folder: Path) -> Iterator[Named]:
    """Every YAML file below; not in hidden folders, nor through links to other folders."""
    errors: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _FOREIGN)
        for file in sorted(files):
            # A pipe would be waited for; a link to nothing is worth an error.
            path = Path(where, file)
            if (
                file.endswith(_SUFFIXES)
                and file[0] != "."
                and (path.is_file() or not path.exists())
            ):
                yield Named(path=path)
    for error in errors:
        name = str(error.filename)
        what = f"this folder cannot be read: {error.strerror}"
        yield _nothing(name, what, fix=f"chmod u+rx {name}")


def _says_so(path: Path) -> bool:
    """Whether it says `apiVersion: fsd/v1`, and is not one of environments. Unreadable files are
    kept: their error is worth knowing."""
    try:
        with open_user_file(path) as file:
            content = file.read(_MOST_BYTES)
    except OSError:
        return True
    return bool(re.search(_API_VERSION, content, re.M)) and not re.search(
        _ENVIRONMENT, content, re.M
    )


def _nothing(name: str, what: str, *, fix: str) -> Named:
    error = ManifestError(what, where=name, fix=fix, code=ErrorCode.MANIFEST_UNREADABLE)
    return Named(path=Path(name), error=error)
