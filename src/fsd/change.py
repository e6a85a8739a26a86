"""One difference between two releases, as a value. Below `plan`, which finds it, and `rollout`,
which names it beside a cause. Reports put it into words (`fsd.report.changes`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Sign(StrEnum):
    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


class BareRemark(StrEnum):
    """What happened to it, or why: what no value beside it says."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    CHANGED = "changed"
    MISSING = "missing"  # AWS has it no longer
    FORWARDS_ELSEWHERE = "forwards-elsewhere"  # a listener
    UNPROVED = "unproved"  # no task of the revision has run
    OWN_GROUP_ADDED = "own-group-added"  # a security group of FSD's
    ALL_REQUESTS = "all-requests"  # that move
    OTHER_METRIC = "other-metric"
    OTHER_FIELDS = "other-fields"
    DESCRIPTIONS = "descriptions"  # of the template, where nothing else differs


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitCount:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesLacking:
    """A security group of AWS's that is without rules of the template."""

    rules: tuple[str, ...]  # "ingress tcp 80 from 10.0.0.0/8"


class KeptKind(StrEnum):
    """Of what a service keeps that another tool made."""

    TARGET_GROUP = "target group"
    SECURITY_GROUP = "security group"
    TASK_ROLE = "task role"
    EXECUTION_ROLE = "execution role"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipTaken:
    """From another tool, with what the service keeps: each a kind and a name."""

    keeps: tuple[tuple[KeptKind, str], ...]


Remark: TypeAlias = BareRemark | CommitCount | RulesLacking | OwnershipTaken


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
    remark: Remark | None = None
