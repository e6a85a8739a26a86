"""What the history says of a row: why it failed, or what was done. Pure."""

from __future__ import annotations

from typing import assert_never

from fsd.quoted import Quoted
from fsd.release.history import Row
from fsd.release.job_run import Run
from fsd.release.journal import JournalEntry
from fsd.report.job_runs import run_text


def reason_text(row: Row) -> str:
    """ "" where there is nothing to say."""
    match row.reason:
        case None:
            return ""
        case Quoted(text=text):
            return text
        case Run() as run:
            return run_text(run)
        case JournalEntry() as entry:
            return _done(entry)
        case _:
            assert_never(row.reason)


def _done(entry: JournalEntry) -> str:
    if entry.action == "scale" and " to " in entry.what:
        return f"{entry.what} tasks"
    return entry.what
