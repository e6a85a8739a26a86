"""Writes files that are not there yet: all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fsd.errors import ErrorCode, RefusedError


def write_new_files(files: Mapping[Path, str], *, other: str = "name another one") -> None:
    """What was written before a failure is removed again. `other` says how to write elsewhere.

    Raises RefusedError.
    """
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise RefusedError(
            f"{error.strerror or error}; nothing was written",
            where=str(error.filename or ""),
            fix=f"make the folder writable, or {other}",
            code=ErrorCode.CANNOT_WRITE,
        ) from error
