"""A run of a Job that has ended."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.snapshot import StoppedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What ECS still knows of it."""

    task: StoppedTask
    exit_code: int | None  # of the Job's container; None: it did not run
    is_timed_out: bool

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0 and not self.is_timed_out
