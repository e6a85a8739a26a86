"""Output that nobody reads any more (`| head`): it must neither stop a deployment nor change how
it is said to have ended."""

from __future__ import annotations

import os
from typing import TextIO


def write_or_detach(stream: TextIO, text: str) -> None:
    """Write and flush. Where that fails (a closed pipe, a full disk), the rest goes nowhere."""
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError:
        detach(stream)


def detach(stream: TextIO) -> None:
    """Send the rest to /dev/null; without it Python complains once more when it flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
