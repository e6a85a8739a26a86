"""Output that nobody can read any more (`| head`, a full disk): it must neither stop a deployment
nor change how it is said to have ended."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def write_or_detach(stream: TextIO | None, text: str) -> None:
    """Write and flush. Where that fails, the rest goes nowhere; None is a stream that was closed
    before the process began."""
    if stream is None or stream.closed:
        return
    try:
        _write(stream, text)
    except OSError:
        detach(stream)


def _write(stream: TextIO, text: str) -> None:
    """What the stream's encoding does not have is escaped."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def detach(stream: TextIO) -> None:
    """Send the rest to /dev/null; without it Python complains once more when it flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with suppress(OSError):  # a stream that is no file needs none
            os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
