"""What each command asked IAM, and which statements of which role's policies let it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.local.cli import Fsd

_ROLE = re.compile(r":assumed-role/(?P<name>[^/]+)/")
_KINDS = ("deploy", "plan", "cloudformation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One action of one statement. `sid` is "" where a role's policy has one statement or none that
    is named: those of tasks, and the boundary's."""

    role: str  # deploy, plan, cloudformation, execution, task, schedule, boundary
    sid: str
    action: str

    def __str__(self) -> str:
        return f"{self.role} {self.sid or '-'} {self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a command: it was allowed by these, each enough by itself."""

    by: tuple[Permission, ...]
    resource: str


def take(cloud: Fsd) -> list[Any]:
    """What was asked since the last time."""
    request = urllib.request.Request(
        f"{cloud.extra['AWS_ENDPOINT_URL']}/_fsd/authorizations",
        data=b"{}",
        headers={"Authorization": f"Bearer {cloud.extra['AWS_SECRET_ACCESS_KEY']}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[Any] = json.load(answer)["authorizations"]
    return found


def read(authorizations: list[Any]) -> Iterator[Asked]:
    """In the order of the first question; those of nobody's role are left out."""
    for one in authorizations:
        match = _ROLE.search(one["principal"])
        kind = _kind(match["name"]) if match else ""
        if kind and one["is_allowed"]:
            by = [Permission(role=kind, sid=sid, action=one["action"]) for sid in one["by"] or [""]]
            yield Asked(by=tuple(by), resource=one["resource"])
            if one["within"]:
                limits = [
                    Permission(role="boundary", sid="", action=pattern) for pattern in one["within"]
                ]
                yield Asked(by=tuple(limits), resource=one["resource"])


def _kind(role: str) -> str:
    for kind in _KINDS:
        if role.startswith(f"fsd-{kind}-"):
            return kind
    return role.rpartition("-")[2] if role.endswith(("-execution", "-task", "-schedule")) else ""
