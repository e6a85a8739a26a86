"""Results → text for people and machines. One report model behind every screen.

Progress goes to stderr and the result to stdout, so that `fsd … --format json | jq` works while a
person watches.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from fsd.release.reporter import Reporter


@contextmanager
def open_reporter(stream: TextIO | None = None) -> Iterator[Reporter]:
    """The reporter for a stream (default stderr): live on a terminal, else a line a change."""
    with choose_reporter(sys.stderr if stream is None else stream) as reporter:
        yield reporter


@contextmanager
def choose_reporter(stream: TextIO, *, live: bool | None = None) -> Iterator[Reporter]:
    """Like `open_reporter`; `live` overrules what the stream says of itself.

    Rich is imported only where it draws.
    """
    if live is None:
        live = stream.isatty()
    if live:
        from fsd.report.terminal import live_reporter

        with live_reporter(stream) as reporter:
            yield reporter
    else:
        from fsd.report.plain import PlainReporter

        yield PlainReporter(stream)
