"""A run of a Job that has ended, and what is none: another command on its task definition."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.snapshot import StoppedTask

# What FSD starts is called `fsd/…`: the Job itself, another command, beforeDeploy, afterDeploy.
STARTED_BY_HAND = "fsd/run"
COMMAND_BY_HAND = "fsd/command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What ECS still knows of it."""

    task: StoppedTask
    exit_code: int | None  # of the Job's container; None: it did not run
    is_timed_out: bool

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0 and not self.is_timed_out


def is_of_job(task: StoppedTask) -> bool:
    """Whether it did what the schedule starts, whoever started it."""
    return not task.started_by.startswith("fsd/") or task.started_by == STARTED_BY_HAND
