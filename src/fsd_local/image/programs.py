"""Runs a program that installs something, and keeps what it says."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEnd:
    code: int
    lines: tuple[str, ...]  # the last ones


def run_program(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    output: Path | None = None,
    appends: bool = False,
) -> ProgramEnd:
    """To its end, with `environment` and nothing else of ours. Its output goes to a file, where
    one is named; else its last lines are kept, with those of its errors.
    """
    with contextlib.ExitStack() as open_:
        target: int | IO[bytes] = subprocess.PIPE
        if output is not None:
            target = open_.enter_context(output.open("ab" if appends else "wb"))
        try:
            process = subprocess.Popen(
                list(argv),
                env=dict(environment),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT if output is None else subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return ProgramEnd(code=127, lines=(f"{argv[0]}: {error.strerror}",))
        with process:
            try:
                lines = _read(process.stderr if output is not None else process.stdout)
                code = process.wait()
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
    return ProgramEnd(code=code, lines=lines)


def _read(stream: IO[bytes] | None) -> tuple[str, ...]:
    found: deque[str] = deque(maxlen=_MOST_LINES)
    for line in stream or ():
        text = line.decode(errors="replace").rstrip()
        if text:
            found.append(text)
    return tuple(found)
