"""What to run or to do next, as values. `fsd.report.follow_ups` puts them into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCommand:
    """A command of fsd on one service."""

    name: str
    service: str
    environment: str
    options: tuple[tuple[str, str], ...] = ()  # name and value, "" for a flag


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployAgain:
    """The same command: it attaches to what is in flight, or sets the rest right."""

    needs_aws: bool = False  # AWS does not answer now


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedFix:
    """What an error said to do."""

    text: str


FollowUp: TypeAlias = ServiceCommand | DeployAgain | AdvisedFix
