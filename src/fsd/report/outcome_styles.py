"""What reports show of an outcome besides its words; a test wants a row for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fsd.release.result import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeStyle:
    icon: str
    shows_url: bool = False  # the terminal's last lines end with the service's address
    is_vouched: bool = False  # a verdict says that the tasks that run are healthy
    has_failed: bool = (
        False  # the release: its owners are mentioned, and it is shown beside what runs
    )


OUTCOME_STYLES: Mapping[Outcome, OutcomeStyle] = {
    Outcome.SUCCEEDED: OutcomeStyle(icon="✅", shows_url=True, is_vouched=True),
    Outcome.NOT_STARTED: OutcomeStyle(icon="⏸️"),
    Outcome.UNCHANGED: OutcomeStyle(icon="✅", shows_url=True, is_vouched=True),
    Outcome.PLANNED: OutcomeStyle(icon="📋"),
    Outcome.SKIPPED: OutcomeStyle(icon="⏭️"),
    Outcome.ROLLED_BACK: OutcomeStyle(icon="❌", is_vouched=True, has_failed=True),
    Outcome.ROLLBACK_FAILED: OutcomeStyle(icon="❌", has_failed=True),
    Outcome.SUPERSEDED: OutcomeStyle(icon="⚠️"),
    Outcome.TIMED_OUT: OutcomeStyle(icon="⚠️"),
    Outcome.REFUSED: OutcomeStyle(icon="❌"),
    Outcome.INTERRUPTED: OutcomeStyle(icon="⚠️"),
    Outcome.STARTED: OutcomeStyle(icon="🚀", shows_url=True),
}
