"""`fsd validate --watch`: checks again whenever a file has changed.

Files are looked at, not subscribed to: it works on every file system, a mounted one too, and an
editor that deletes a file and writes it anew is no special case.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from fsd.errors import FsdError

if TYPE_CHECKING:
    from fsd.release.ports import Clock

_INTERVAL = timedelta(seconds=0.3)
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"

Stamp = tuple[int, int, int] | None


def watch(
    check: Callable[[], object], *, files: Callable[[], Iterable[Path]], clock: Clock, clear: bool
) -> NoReturn:
    """Ends by KeyboardInterrupt. What `check` raises on purpose is shown: the next change may
    repair it."""
    seen: Mapping[Path, Stamp] | None = None
    while True:
        # Taken before the check: what changes while it runs is seen the next time.
        now = {path: _stamp(path) for path in files()}
        if now != seen:
            seen = now
            if clear:
                click.echo(_CLEAR, nl=False)
            try:
                check()
            except FsdError as error:
                click.echo(str(error), err=True)
            click.echo(f"watching {_count(now)}; Ctrl-C stops it", err=True)
        clock.wait(_INTERVAL)


def _stamp(path: Path) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _count(files: Mapping[Path, Stamp]) -> str:
    number = sum(stamp is not None for stamp in files.values())
    return "1 file" if number == 1 else f"{number} files"
