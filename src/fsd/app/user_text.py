"""Opens the Service YAML and the environments file: what cannot be read, or has errors, becomes an
error with a fix. The only place that opens them.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from fsd.errors import ErrorCode, ManifestError
from fsd.manifest.finding import Finding
from fsd.manifest.yaml_tree import MAX_CHARACTERS
from fsd.report.findings import Sources, render_terminal, summarize
from fsd_files.user_files import UnreadableError, open_user_file


def read_text(path: Path) -> str:
    """The text of a file; raises ManifestError where there is none to be had."""
    try:
        with _open(path) as file:
            content = file.read(MAX_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise _unreadable("there is no such file", path, _files_near(path)) from error
    except IsADirectoryError as error:
        raise _unreadable("this is a folder", path, _files_near(path / "x")) from error
    except UnreadableError as error:
        what = "this is a device or a pipe, not a file"
        raise _unreadable(what, path, "name a file") from error
    except PermissionError as error:
        raise _unreadable("you may not read this file", path, f"chmod u+r {path}") from error
    except (OSError, ValueError) as error:
        raise _unreadable(f"it cannot be read: {error}", path, "name another file") from error
    return decode(content, path=path)


def decode(content: bytes, *, path: Path) -> str:
    """The text of a file's bytes; raises ManifestError where it is not UTF-8, or too much."""
    if len(content) > MAX_CHARACTERS:
        raise ManifestError(
            "it has more than 1 MB, and no more is read",
            where=str(path),
            fix="a Service YAML is a few kilobytes; is this the right file?",
            code=ErrorCode.YAML_TOO_LARGE,
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"it is not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            what = "it is UTF-16 or UTF-32, not UTF-8"
        raise _unreadable(what, path, "save it as UTF-8") from error


def _open(path: Path) -> IO[bytes]:
    """What the shell opened for us, `<(…)` and standard input, is a pipe and is read."""
    if str(path).startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/")):
        return path.open("rb")
    return open_user_file(path)


def _files_near(path: Path) -> str:
    folder = path.parent
    try:
        near = sorted(file.name for file in folder.iterdir() if file.suffix in (".yml", ".yaml"))
    except OSError:
        return f"there is no folder {folder} either; name the Service YAML with --file"
    if not near:
        return "name the Service YAML with --file"
    return f"name the Service YAML with --file; in {folder}: {', '.join(near[:5])}"


def _unreadable(what: str, path: Path, fix: str) -> ManifestError:
    return ManifestError(what, where=str(path), fix=fix, code=ErrorCode.MANIFEST_UNREADABLE)


class InvalidFileError(ManifestError):
    """A Service YAML or an environments file with errors; reads as its findings do."""

    def __init__(self, findings: Sequence[Finding], *, sources: Sources, path: str) -> None:
        super().__init__(
            summarize(findings, subject=path),
            where=path,
            fix=f"correct the errors listed above; `fsd validate --file {path}` checks the file "
            "again",
        )
        self.findings = tuple(findings)
        self.sources = sources

    def __str__(self) -> str:
        return render_terminal(self.findings, sources=self.sources, subject=str(self.where))
