"""Why a rollout failed, as a value: the cause, its evidence and the next action.

One model behind the terminal, the comment, the summary and the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from fsd.change import Change
from fsd.quoted import Quoted
from fsd.rollout.advice import Advice
from fsd.rollout.log_remarks import LogElsewhere
from fsd.rollout.summaries import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that AWS or the service said, verbatim."""

    source: str  # "ECS", "task 7f3a…", "target group", "log 7f3a…"
    text: str
    at: str = ""  # HH:MM:SS UTC, "" where there is no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    code: str  # kebab-case: health-check-failed, image-not-found, …
    summary: Summary
    where: str  # "offer-api-dev:42 · tasks 7f3a…, 91cc…"
    evidence: tuple[Evidence, ...]
    advice: Advice  # the next action
    deterministic: bool = False  # retrying cannot help
    tasks: tuple[str, ...] = ()  # ids of all tasks that ended so


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    causes: tuple[Cause, ...]  # the worst first; never empty
    changed_since: str = ""  # "offer-api-dev:41 (v1.2.9)"; "" for a first deployment
    changes: tuple[Change, ...] = ()
    log_lines: tuple[str, ...] = ()  # the last ones of the worst task, masked
    logs_elsewhere: tuple[LogElsewhere, ...] = ()  # what is not among them
    log_error: Quoted | None = None  # why they could not be read
    log_task: str = ""
    # For readers who may not see the log, where the causes above tell of it.
    causes_without_log: tuple[Cause, ...] = ()

    @property
    def cause(self) -> Cause:
        return self.causes[0]
