"""What the calls to ECS share: the clients, answers that never change, batches, and failures that
an answer lists.

Lists are read to their end and described in batches as large as ECS takes
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Operations.html). A cluster, service
or task that is not there is an empty answer, not an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from fsd.aws.session import ONE_ATTEMPT, READ_ATTEMPTS, Clients
from fsd.errors import CallFailedError
from fsd.release.log_places import LogRoutes
from fsd.release.ports import Clock

ABSENT = frozenset(
    {"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"}
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsClient:
    """Remembers what ECS never changes: revisions, where their tasks log."""

    clients: Clients
    clock: Clock
    poll: timedelta
    revisions: dict[str, str] = field(default_factory=dict, init=False)
    log_routes_of: dict[str, LogRoutes] = field(default_factory=dict, init=False)

    @property
    def reads(self) -> Any:
        """Also for what is safe to repeat."""
        return self.clients.client("ecs", attempts=READ_ATTEMPTS)

    @property
    def writes(self) -> Any:
        return self.clients.client("ecs", attempts=ONE_ATTEMPT)


def require_only_missing(answer: dict[str, Any], where: str) -> None:
    """A describe of several things answers 200 with `failures`; MISSING is an answer."""
    for failure in answer.get("failures", []):
        if failure.get("reason") != "MISSING":
            detail = f": {failure['detail']}" if failure.get("detail") else ""
            raise CallFailedError(
                f"{failure.get('reason', 'no reason given')}{detail}",
                where=f"{where} {failure.get('arn', '')}".strip(),
                fix="correct what the message names, and run it again",
            )


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def places(arns: Sequence[str]) -> str:
    more = f" and {len(arns) - 1} more" if len(arns) > 1 else ""
    return f"{arns[0]}{more}"
