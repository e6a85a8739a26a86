"""Follow one deployment to its verdict.

Looks, assesses, says when to look again. Throttling is a later look, not an error; a few failed
looks in a row are survived and told. The clock is passed in and is the only thing that waits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fsd.errors import CallFailedError
from fsd.release.ports import Aws, Clock, PermissionDenied, Throttled
from fsd.release.reporter import Reporter
from fsd.release.result import Progress
from fsd.rollout.assess import InProgress, Ours, RollingBack, Verdict, assess
from fsd.rollout.diagnose import family_revision, short
from fsd.snapshot import ServiceDeployment, ServiceState, Snapshot

POLL_ERRORS_TOLERATED = 5
EVIDENCE_EVERY = 4  # looks; also whenever a count moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look: 2 s in the first minute, then 5 s, and 10 s after five minutes.

    `speed` divides all of it, for an embedded AWS whose time runs faster.
    """

    speed: float = 1.0

    def after(self, elapsed: timedelta) -> timedelta:
        real = elapsed.total_seconds() * self.speed
        seconds = 2.0 if real < 60 else 5.0 if real < 300 else 10.0
        return timedelta(seconds=max(0.2, seconds / self.speed))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The time was up before ECS was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    verdict: Verdict | TimedOut
    snapshot: Snapshot


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Watches one service's deployment. Evidence accumulates: ECS forgets stopped tasks."""

    aws: Aws
    clock: Clock
    reporter: Reporter
    cluster: str
    service: str
    pace: Pace
    deadline: datetime
    started: datetime
    old_revision: str = ""
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(service=None, deployment=None))
    _looks: int = 0
    _errors: int = 0
    _counts: tuple[int | str, ...] = ()
    _seen_events: set[str] = field(default_factory=set)

    def find(self, *, known: frozenset[str], task_definition_arn: str) -> ServiceDeployment:
        """Our deployment: the ARN that was not there before, in whatever status, of our revision.

        No clocks are compared: a runner's may be wrong. Raises CallFailedError where ECS does not
        list it within a minute.
        """
        limit = self.clock.now() + timedelta(minutes=1)
        while True:
            arns = self.aws.ecs.service_deployment_arns(self.cluster, self.service)
            new = self.aws.ecs.service_deployments([arn for arn in arns if arn not in known])
            ours = [d for d in new if d.task_definition_arn == task_definition_arn]
            if ours:
                return max(ours, key=lambda deployment: deployment.created_at)
            if self.clock.now() > limit:
                raise CallFailedError(
                    "ECS lists no deployment of ours a minute after it took the change",
                    where=f"{self.cluster}/{self.service}",
                    fix="run the command again: it attaches to the deployment, or converges",
                    code="deployment-not-found",
                )
            self.clock.wait(self.pace.after(timedelta()))

    def watch(self, ours: Ours, *, until_final: bool = False) -> Watched:
        """Look until there is a verdict, or the deadline.

        `RollingBack` ends the watch too, so that the caller can act at once, unless `until_final`.
        """
        while True:
            verdict = self._look(ours)
            waiting = isinstance(verdict, InProgress) or (
                until_final and isinstance(verdict, RollingBack)
            )
            if verdict is not None and not waiting:
                return Watched(verdict=verdict, snapshot=self.snapshot)
            if self.clock.now() >= self.deadline:
                return Watched(verdict=TimedOut(), snapshot=self.snapshot)
            self.clock.wait(self._next_look())

    def _look(self, ours: Ours) -> Verdict | None:
        """None where AWS did not answer this time."""
        try:
            self._refresh(ours)
        except Throttled:
            self._errors += 1
            return None
        except PermissionDenied:
            raise
        except CallFailedError as error:
            self._errors += 1
            if self._errors >= POLL_ERRORS_TOLERATED:
                raise
            self.reporter.note(f"AWS did not answer ({error.what}); looking again")
            return None
        self._errors = 0
        self.reporter.progress(self._progress(ours))
        return assess(self.snapshot, ours)

    def _next_look(self) -> timedelta:
        pause = self.pace.after(self.clock.now() - self.started)
        factor: int = 2**self._errors
        return min(pause * factor, timedelta(seconds=30))

    def _refresh(self, ours: Ours) -> None:
        ecs = self.aws.ecs
        service = ecs.find_service(self.cluster, self.service)
        deployment = next(iter(ecs.service_deployments([ours.arn])), None)
        self.snapshot = replace(
            self.snapshot,
            service=service,
            deployment=deployment,
            newer=self._newer(service, deployment),
        )
        self._looks += 1
        counts = _counts(service, deployment)
        if counts != self._counts or self._looks % EVIDENCE_EVERY == 0:
            self._counts = counts
            self.refresh_evidence()

    def refresh_evidence(self) -> None:
        """Fetch what explains a failure: stopped tasks, events, targets. Stopped tasks add up."""
        service = self.snapshot.service
        if service is None:
            return
        ecs, cluster = self.aws.ecs, self.cluster
        stopped = {task.id: task for task in self.snapshot.stopped}
        stopped |= {task.id: task for task in ecs.stopped_tasks(cluster, self.service)}
        targets = [t for arn in service.target_group_arns for t in self.aws.targets.health(arn)]
        said = {t.address: t for t in self.snapshot.targets if t.state == "unhealthy"}
        said |= {t.address: t for t in targets}
        self.snapshot = replace(
            self.snapshot,
            stopped=tuple(stopped.values()),
            tasks=tuple(ecs.tasks(cluster, self.service)),
            events=tuple(ecs.events(cluster, self.service)),
            targets=tuple(said.values()),
        )

    def _newer(
        self, service: ServiceState | None, deployment: ServiceDeployment | None
    ) -> ServiceDeployment | None:
        """A deployment that somebody started after ours; the list is read only if ECS hints at it.

        A rollback is not one: ECS does it inside our own service deployment.
        """
        if service is None or deployment is None:
            return None
        current = service.current_deployment_arn
        if current in {"", deployment.arn}:
            return None
        newer = self.aws.ecs.service_deployments([current])
        return next((d for d in newer if d.created_at > deployment.created_at), None)

    def _progress(self, ours: Ours) -> Progress:
        deployment, service = self.snapshot.deployment, self.snapshot.service
        mine = [t for t in self.snapshot.tasks if t.task_definition_arn == ours.task_definition_arn]
        healthy = sum(1 for task in mine if self._is_healthy(task.address, task.health))
        return Progress(
            elapsed=self.clock.now() - self.started,
            new_revision=family_revision(ours.task_definition_arn),
            new_healthy=healthy,
            new_running=deployment.running if deployment else 0,
            new_pending=deployment.pending if deployment else 0,
            desired=service.desired if service else 0,
            old_revision=self.old_revision,
            old_running=deployment.source_running if deployment else 0,
            failed_tasks=deployment.failure_count if deployment else 0,
            failure_threshold=deployment.failure_threshold if deployment else 0,
            note=self._newest_event(),
        )

    def _is_healthy(self, address: str, container_health: str) -> bool:
        if container_health == "UNHEALTHY":
            return False
        if not (self.snapshot.service and self.snapshot.service.target_group_arns):
            return True
        return any(t.address == address and t.state == "healthy" for t in self.snapshot.targets)

    def _newest_event(self) -> str:
        """The newest event of this rollout, once; what was there before it is old news."""
        fresh = [e for e in self.snapshot.events if e.id not in self._seen_events]
        is_first_look = not self._seen_events
        self._seen_events |= {event.id for event in fresh}
        if not fresh or is_first_look:
            return ""
        return shorten_event(fresh[0].message, self.service)


def shorten_event(message: str, service: str) -> str:
    """An ECS event without what every line would repeat: the service, the target group's ARN."""
    text = message.replace(f"(service {service}) ", "").replace(f"(service {service}, ", "(")
    text = re.sub(r"\(target-group arn:[^)]*\)", "the target group", text)
    return re.sub(r"\b[0-9a-f]{32}\b", lambda task: short(task[0]), text)


def _counts(
    service: ServiceState | None, deployment: ServiceDeployment | None
) -> tuple[int | str, ...]:
    failed = sum(d.failed_tasks for d in service.deployments) if service else 0
    if deployment is None:
        return (failed,)
    return (
        failed,
        deployment.failure_count,
        deployment.running,
        deployment.pending,
        deployment.source_running,
        deployment.status,
    )
