"""What to run or to do next, as values. `fsd.report.follow_ups` puts them into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCommand:
    """A command of fsd on one service."""

    name: str
    service: str
    environment: str
    options: tuple[tuple[str, str], ...] = ()  # name and value, "" for a flag


class DeployAgain(StrEnum):
    """The same command, and what it will find."""

    IN_FLIGHT = "in-flight"  # it attaches to that deployment
    ROLLING_BACK = "rolling-back"  # it is refused until ECS is done
    NO_ANSWER = "no-answer"  # of AWS, as yet
    REST = "rest"  # nothing is in flight


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedFix:
    """What an error said to do."""

    text: str


FollowUp: TypeAlias = ServiceCommand | DeployAgain | AdvisedFix
