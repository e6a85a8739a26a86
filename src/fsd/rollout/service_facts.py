"""What one look at a service saw, and what follows from it for every check. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.condition_facts import ConditionNote, CouldNotRead, Unknown
from fsd.rollout.diagnose import family_revision
from fsd.rollout.ecs_events import STEADY_STATE
from fsd.rollout.failures import Failure
from fsd.rollout.last_rollout import LastRollout
from fsd.rollout.summaries import Summary
from fsd.snapshot import (
    Event,
    ServiceDeployment,
    ServiceState,
    Snapshot,
    StackLook,
    StoppedTask,
    TargetHealth,
    TaskState,
)

# So long a rollout may have fewer tasks, and targets that are not healthy yet.
ROLLOUT_TIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLook:
    """A target group of the service, or the two of a blue/green one."""

    arns: tuple[str, ...]
    targets: tuple[TargetHealth, ...] | None  # None: they could not be read
    missing: tuple[str, ...] = ()
    stray: str = ""  # ARN of the one that is healthy, where the requests go to the other

    @property
    def healthy(self) -> int | None:
        if self.stray:
            return 0
        if self.targets is None or any(target.state == "" for target in self.targets):
            return None
        return sum(target.state == "healthy" for target in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that one look at a service saw."""

    at: datetime
    service: ServiceState
    newest: ServiceDeployment | None = None  # of its service deployments
    tasks: tuple[TaskState, ...] = ()
    stopped: tuple[StoppedTask, ...] = ()
    groups: tuple[GroupLook, ...] = ()
    alarms: tuple[Evidence, ...] = ()  # those that are in ALARM
    stack: StackLook | None = None
    lacks_stack: bool = False  # FSD made one, and it is not there
    noted: str = ""  # what the ledger says of the newest deployment's end: "crashed: …"
    unread: tuple[Unknown, ...] = ()  # what AWS refused to tell, and health depends on
    remarks: tuple[CouldNotRead, ...] = ()  # what it refused, and one can do without


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What users get now."""

    revisions: tuple[str, ...]  # ARNs, most tasks first; () where nothing runs, or nobody says
    healthy: int | None  # None where nothing tells health
    running: int | None
    desired: int | None
    listed: int = 0  # tasks that ECS lists as RUNNING; it may count others
    is_daemon: bool = False  # as many are wanted as there are instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    causes: tuple[Cause, ...]  # what is wrong now, the worst first
    unknown: tuple[Unknown, ...]  # why nobody can say that it is well
    notes: tuple[ConditionNote, ...]
    serving: Serving
    rollout: LastRollout | None
    rollout_causes: tuple[Cause, ...] = ()  # why the last rollout failed

    @property
    def is_healthy(self) -> bool:
        return not self.causes and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """A look, and what follows from it for every check."""

    look: Look
    rollout: LastRollout | None
    serving: Serving
    ended: tuple[StoppedTask, ...] = field(default=())  # of what should run, by themselves

    @property
    def service(self) -> ServiceState:
        return self.look.service

    @property
    def is_short(self) -> bool:
        running, desired = self.serving.running, self.serving.desired
        return running is not None and desired is not None and running < desired

    @property
    def wants_none(self) -> bool:
        return self.serving.desired == 0

    @property
    def is_rolling(self) -> bool:
        """A rollout is on its way, and not for so long that it must be stuck."""
        rollout = self.rollout
        return (
            rollout is not None
            and not rollout.state.is_over
            and rollout.began_at is not None
            and self.look.at - rollout.began_at <= ROLLOUT_TIME
        )

    @property
    def where(self) -> str:
        names = [family_revision(arn) for arn in self.serving.revisions]
        return (
            ", ".join(names)
            or family_revision(self.service.task_definition_arn)
            or (self.service.name)
        )

    def stamp(self, at: datetime | None) -> str:
        """With its date where that is another day's."""
        if at is None or at.year <= 1970:
            return ""
        same = at.date() == self.look.at.date()
        return f"{at:%H:%M:%S}" if same else f"{at:%Y-%m-%d %H:%M:%S}"


def cause_now(
    row: Failure,
    view: ServiceFacts,
    *,
    summary: Summary | None = None,
    evidence: Sequence[Evidence] = (),
    where: str = "",
) -> Cause:
    return Cause(
        code=row.code,
        summary=summary or row,
        where=where or view.where,
        evidence=tuple(evidence),
        advice=row,
    )


def restamped(view: ServiceFacts, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """With the date where it is not today's: stale evidence must look stale."""
    times: dict[str, datetime] = {}
    for task in view.look.stopped:
        if task.stopped_at:
            texts = (task.stopped_reason, *(c.reason for c in task.containers))
            times |= dict.fromkeys(texts, task.stopped_at)
    times |= {event.message: event.at for event in reversed(view.look.service.events)}
    return tuple(replace(one, at=view.stamp(times.get(one.text))) for one in evidence)


def snapshot_of(look: Look) -> Snapshot:
    """What the rules for rollouts read of a look."""
    targets = [t for group in look.groups for t in group.targets or ()]
    return Snapshot(
        service=look.service, deployment=None, stopped=look.stopped, targets=tuple(targets)
    )


def snapshot_with(view: ServiceFacts, stopped: Sequence[StoppedTask]) -> Snapshot:
    return replace(snapshot_of(view.look), stopped=tuple(stopped), events=fresh_events(view))


def fresh_events(view: ServiceFacts) -> tuple[Event, ...]:
    """Newest first, from after the last steady state and the beginning of the deployment."""
    fresh: list[Event] = []
    primary = view.service.primary
    begin = primary.created_at if primary else None
    for event in view.service.events:
        if STEADY_STATE.search(event.message):
            break
        if begin is not None and event.at < begin:
            break
        fresh.append(event)
    return tuple(fresh)
