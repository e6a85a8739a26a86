"""Why log lines are missing, as values; `fsd.report.words` makes the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fsd.quoted import Quoted

FIRELENS = "FireLens"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogElsewhere:
    """A container whose lines cannot be read in CloudWatch."""

    container: str
    driver: str = ""  # "" where nothing keeps its lines
    destination: str = ""  # as far as the task definition says it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUnreadable:
    """AWS refuses the read, and would refuse it again."""

    error: Quoted


LogRemark: TypeAlias = LogElsewhere | LogUnreadable
