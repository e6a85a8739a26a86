"""What IAM was asked, and which statements said yes: from it one sees what each permission is for.

Only where IAM is enforced. Kept in the order of the first question, until somebody reads it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

_MOST = 20_000  # different questions; more than that are forgotten, the newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One question, as often as it was asked."""

    principal: str  # ARN
    action: str
    resource: str
    is_allowed: bool
    by: tuple[str, ...]  # Sids of every statement of the principal's policies that allows it
    within: tuple[str, ...]  # of its boundary's statements: each pattern that matches the action

    def written(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "is_allowed": self.is_allowed,
            "by": [*self.by],
            "within": [*self.within],
        }


class AuthorizationLog:
    """Of all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Authorization, None] = {}

    def add(self, asked: Authorization) -> None:
        with self._lock:
            if len(self._asked) < _MOST:
                self._asked.setdefault(asked)

    def take(self) -> list[Authorization]:
        """All since the last time."""
        with self._lock:
            found, self._asked = self._asked, {}
        return [*found]
