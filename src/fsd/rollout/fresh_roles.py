"""What a role that changed a moment ago explains: IAM is eventually consistent.

Its answer "not authorized" may be that of before, for some seconds. So a task that ended so in the
first minute of a release that changed its roles decides nothing; ECS starts another.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency

Pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from fsd.rollout.failures import Failure, classify, classify_event
from fsd.snapshot import Snapshot

PROPAGATION = timedelta(minutes=1)

_OF_A_ROLE = frozenset(
    {
        "access-denied",
        "image-pull-denied",
        "log-access-denied",
        "role-not-assumable",
        "secret-access-denied",
    }
)


def without_early_denials(snapshot: Snapshot, role_delay: timedelta) -> Snapshot:
    """Less what IAM's delay may have caused within `role_delay` of the deployment's creation; both
    times are ECS's own. Zero where no role has changed."""
    deployment = snapshot.deployment
    if not role_delay or deployment is None:
        return snapshot
    until = deployment.created_at + role_delay
    stopped = tuple(
        task
        for task in snapshot.stopped
        if not (_is_early(task.stopped_at, until) and _is_denial(classify(task)))
    )
    events = tuple(
        event
        for event in snapshot.events
        if not (_is_early(event.at, until) and _is_denial(classify_event(event.message)))
    )
    return replace(snapshot, stopped=stopped, events=events)


def _is_early(at: datetime | None, until: datetime) -> bool:
    return at is not None and at < until


def _is_denial(row: Failure | None) -> bool:
    return row is not None and row.code in _OF_A_ROLE
