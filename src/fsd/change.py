"""One difference between two releases, as a value. Below `plan`, which finds it, and `rollout`,
which names it beside a cause. Reports put it into words (`fsd.report.changes`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Environment keys are here by name only: a value may be a misplaced secret."""

    what: str  # in AWS's words: "image", "environment", "cpu", a stack's logical name
    before: str | None = None  # None with an `after`: there was none
    after: str | None = None
    added: tuple[str, ...] = ()  # names in it: of variables, secrets, labels, containers
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    sign: Sign | None = None  # of a resource of the stack: what becomes of it
    remark: str = ""  # "replaced", "missing", "3 commits"
