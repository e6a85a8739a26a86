"""The one way to read a file that somebody else wrote: whatever it is, the answer comes in time.

A name may belong to a folder, a pipe that nobody writes into, a device without an end, or a file
of 300 GB, and may become one between a look and the reading. So it is opened without waiting, and
what was opened is looked at.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import IO

MOST = 1_000_000  # bytes, of a text that people write
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class UnreadableError(OSError):
    """The message says what the name belongs to; it has no path and no fix."""


class FolderError(UnreadableError, IsADirectoryError):
    """The name belongs to a folder."""


def open_user_file(path: Path, *, follows_links: bool = True) -> IO[bytes]:
    """A regular file. Raises UnreadableError for anything else, FileNotFoundError for nothing."""
    flags = _FLAGS if follows_links else _FLAGS | os.O_NOFOLLOW
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise FolderError("it is a folder")
        if not stat.S_ISREG(mode):
            raise UnreadableError("it is a pipe, a socket or a device")
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_user_bytes(path: Path, *, most: int = MOST) -> bytes:
    """Raises FileNotFoundError or NotADirectoryError where there is none, UnreadableError for all
    else, among it a file of more than `most` bytes.
    """
    try:
        with open_user_file(path) as file:
            content = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError, UnreadableError):
        raise
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from error
    if len(content) > most:
        raise UnreadableError(f"it is larger than {most:,} bytes")
    return content


def read_user_text(path: Path, *, most: int = MOST) -> str:
    """UTF-8, with or without a byte order mark; raises as `read_user_bytes` does."""
    content = read_user_bytes(path, most=most)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableError("it is UTF-16, not UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8: byte 0x{content[error.start]:02x}") from error
