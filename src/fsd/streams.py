"""Output: of printable characters; and where nobody can read it any more (`| head`, a full disk),
it must neither stop a deployment nor change how it is said to have ended."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from contextlib import suppress
from contextvars import ContextVar
from typing import TextIO


def printable(text: str) -> str:
    """Without control characters and direction marks: a log line can't move the cursor."""
    kept = (" " if char.isspace() else char for char in text)
    return "".join(char for char in kept if unicodedata.category(char) not in {"Cc", "Cf"})


# What a terminal shows as a color, and nothing else that it would do. Compiled when it is used.
_COLOR = "\x1b\\[[0-9;]{0,30}m"


def log_text(text: str, *, is_colored: bool, in_workflow: bool) -> str:
    """A line of a program's log in one line, as it may be printed: it moves no cursor, sets no
    title, and is no command to a workflow's runner.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    parts = re.split(_COLOR, text) if is_colored else [re.sub(_COLOR, "", text)]
    colors = [*re.findall(_COLOR, text), ""] if is_colored else [""]
    shown = "".join(printable(part) + color for part, color in zip(parts, colors, strict=True))
    return not_a_command(shown) if in_workflow else shown


def not_a_command(line: str) -> str:
    """The line as a workflow's runner takes it for text."""
    line = line.replace("##[", "## [")
    return f"| {line}" if re.sub(_COLOR, "", line).lstrip().startswith("::") else line


# A reader that has stopped (Ctrl-S, a pager) is waited for this long, and the run goes on.
_WRITE_TIMEOUT = 5.0  # seconds
_PIECE = 1_000  # characters: a pipe that takes anything takes 4,096 bytes


# Results are set for this many columns; a terminal may have fewer, and a screen reads down to 60.
MOST_COLUMNS, LEAST_COLUMNS = 100, 60
_COLUMNS = ContextVar("columns", default=MOST_COLUMNS)


def columns() -> int:
    """How wide a result may be."""
    return _COLUMNS.get()


def fit_columns(available: int) -> None:
    """For the rest of the process: the terminal that results go to is so wide."""
    _COLUMNS.set(min(MOST_COLUMNS, max(LEAST_COLUMNS, available)))


class Unbreakable:
    """A stream for who tells of a rollout, also by itself, as Rich does: what cannot be written
    goes nowhere, and a reader that does not read loses lines instead of stopping the watch."""

    def __init__(
        self, stream: TextIO, *, timeout: float = _WRITE_TIMEOUT, is_final: bool = False
    ) -> None:
        """`is_final`: a reader that once stopped gets nothing more, so that no line is read
        without one that was to come before it. `timeout` is in seconds."""
        self._stream = stream
        self._timeout = timeout
        self._is_final = is_final
        self._is_stuck = False

    @property
    def encoding(self) -> str:
        return self._stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        for start in range(0, len(text), _PIECE):
            if not self._takes_more():
                break
            write_or_detach(self._stream, text[start : start + _PIECE])
        return len(text)

    def _takes_more(self) -> bool:
        """Once stuck, it is not waited for again, until it reads."""
        if self._is_final and self._is_stuck:
            return False
        import select  # `fsd validate` has no use for it

        try:
            writable = select.select([], [self._stream], [], 0 if self._is_stuck else self._timeout)
        except (OSError, ValueError):
            return True  # no file, or closed: writing answers for itself
        self._is_stuck = not writable[1]
        return not self._is_stuck

    def flush(self) -> None:
        """`write` has done it."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def write_or_detach(stream: TextIO | None, text: str) -> None:
    """Write and flush. Where that fails, the rest goes nowhere; None is a stream that was closed
    before the process began."""
    if stream is None or stream.closed:
        return
    try:
        _write(stream, text)
    except BlockingIOError:
        return  # a reader that is slow loses a line, and not all that follow
    except OSError:
        detach(stream)


def say(text: str, *, err: bool = False) -> None:
    """A line of a command that changes something: click.echo would end it where nobody reads."""
    write_or_detach(sys.stderr if err else sys.stdout, f"{text}\n")


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
    with suppress(OSError):  # a stream that is no file needs none
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, descriptor)
        finally:
            os.close(nowhere)
