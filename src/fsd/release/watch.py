"""Follow one deployment to its verdict.

Looks, assesses, says when to look again. Throttling is a later look, not an error; a few failed
looks in a row are survived and told. The clock is passed in and is the only thing that waits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from fsd.errors import CallFailedError, ErrorCode
from fsd.release.healthy import read_targets
from fsd.release.patience import LONGEST_PAUSE, PATIENCE
from fsd.release.ports import Aws, Clock, PermissionDenied, Throttled
from fsd.release.progress import bake_text, progress_of
from fsd.release.reporter import Reporter
from fsd.release.result import Progress
from fsd.release.stages import Drain, RolloutStage, slowest_text, stage_of, what_is_true
from fsd.rollout.assess import (
    InProgress,
    Ours,
    RollingBack,
    Succeeded,
    Superseded,
    Unproved,
    Verdict,
    assess,
)
from fsd.rollout.diagnose import short
from fsd.rollout.hooks import paused_text
from fsd.rollout.steadiness import ended_by_themselves
from fsd.snapshot import (
    DeploymentStatus,
    Event,
    ServiceDeployment,
    ServiceState,
    Snapshot,
    TargetHealth,
)

POLL_ERRORS_TOLERATED = 5  # in a row, without one answer between them; about a minute
FAILED_LOOKS_A_SILENT_ONE = 3  # so many more are tolerated where AWS answers a part of each
MISSING_LOOKS_TOLERATED = 3
DEPLOYMENT_EVERY = 6  # looks; also whenever something moved
EVIDENCE_EVERY = 8
TARGETS_SETTLE = timedelta(seconds=30)  # ECS may have seen healthy what is not so any more

T = TypeVar("T")


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

    def extra_calls(self, elapsed: timedelta) -> float:
        """How many calls besides one a look keep a rollout of two minutes or more below a call
        every two seconds. ECS's limits are shared by all that deploy in the account.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
        """
        real = max(120.0, elapsed.total_seconds() * self.speed)
        looks = 30 + (min(real, 300.0) - 60) / 5 + max(0.0, real - 300) / 10
        return real / 2 - looks


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The time was up before ECS was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    verdict: Verdict | TimedOut
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What DescribeServices showed last time: a difference is worth more calls."""

    states: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    failed: int = 0
    newest_event: str = ""
    running: int = 0  # tasks of the newest deployment

    def tells_more_than(self, before: _Seen) -> bool:
        """Whether a task of the newest deployment ended in between."""
        is_same = self.states == before.states
        return self.failed > before.failed or (is_same and self.running < before.running)


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Watches one service's deployment. Evidence accumulates: ECS forgets stopped tasks.

    A look is one DescribeServices. The service deployment, which alone decides, is read when that
    moved and every few looks; what explains a failure, when something tells of one.
    """

    aws: Aws
    clock: Clock
    reporter: Reporter
    cluster: str
    service: str
    pace: Pace
    deadline: datetime
    started: datetime
    old_revision: str = ""
    steady_for: timedelta = timedelta()  # as on AWS; `pace.speed` divides it
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(service=None, deployment=None))
    warnings: list[str] = field(default_factory=list)  # each told once
    others: tuple[ServiceDeployment, ...] = ()  # not known before either, and not ours
    errors_tolerated: int = POLL_ERRORS_TOLERATED
    _looks: int = 0
    _missing: int = 0
    _errors: int = 0  # looks in a row that failed
    _silence: int = 0  # those since the last answer
    _throttles: int = 0
    _throttled: Throttled | None = None  # how AWS said it last
    _spent: int = 0
    _is_owed: bool = False  # the deployment was to be read, and AWS did not answer
    _seen: _Seen = field(default_factory=_Seen)
    _seen_events: set[str] = field(default_factory=set)
    _news: str = ""
    _watched: str = ""
    _baking: str = ""  # the deployment whose bake was told
    is_confirming: bool = False  # ECS calls it done; we do not yet
    # What took the time so far.
    stage_times: dict[RolloutStage, timedelta] = field(default_factory=dict)
    _told_at: datetime | None = None
    _targets_read_at: int = -1  # the look in which they were

    def find(self, *, known: frozenset[str], task_definition_arn: str) -> ServiceDeployment:
        """Our deployment: the ARN that was not there before, in whatever status, of our revision.

        No clocks are compared: a runner's may be wrong. Raises CallFailedError where ECS does not
        list it within a minute, or does not answer.
        """
        limit = self.clock.now() + timedelta(minutes=1)
        while True:
            ours = self._try(lambda: self._list_ours(known, task_definition_arn))
            if ours:
                return max(ours, key=lambda deployment: deployment.created_at)
            if ours is None and self._throttled and self.clock.now() >= self.deadline:
                raise self._throttled
            if ours is not None and self.clock.now() > limit:
                raise CallFailedError(
                    "ECS lists no deployment of ours a minute after it took the change",
                    where=f"{self.cluster}/{self.service}",
                    fix="run the command again: it attaches to the deployment, or converges",
                    code=ErrorCode.DEPLOYMENT_NOT_FOUND,
                )
            self.clock.wait(self._next_look())

    def _list_ours(
        self, known: frozenset[str], task_definition_arn: str
    ) -> Sequence[ServiceDeployment]:
        arns = self.aws.ecs.service_deployment_arns(self.cluster, self.service)
        new = self.aws.ecs.service_deployments([arn for arn in arns if arn not in known])
        self._spent += 3 if new else 1
        ours = [d for d in new if d.task_definition_arn == task_definition_arn]
        self.others = tuple(d for d in new if d not in ours)
        return ours

    def watch(self, ours: Ours, *, until_final: bool = False) -> Watched:
        """Look until there is a verdict, or the deadline.

        `RollingBack` ends the watch too, so that the caller can act at once, unless `until_final`.
        Another deployment than before is judged by its own evidence. What ECS calls SUCCESSFUL is
        confirmed, which may take until after the deadline: by `steady_for` at the most.
        """
        if ours.arn != self._watched:
            self._watched, self._seen = ours.arn, _Seen()
            self.snapshot = Snapshot(service=self.snapshot.service, deployment=None)
        while True:
            verdict = self._try(lambda: self._look(ours))
            waiting = isinstance(verdict, InProgress) or (
                until_final and isinstance(verdict, RollingBack)
            )
            if isinstance(verdict, Succeeded):
                verdict = self._confirm(ours)
            if verdict is not None and not waiting:
                return Watched(verdict=verdict, snapshot=self.snapshot)
            if self.clock.now() >= self.deadline:
                return Watched(verdict=TimedOut(), snapshot=self.snapshot)
            self.clock.wait(min(self._next_look(), self._time_left()))

    # --- once ECS calls it done -------------------------------------------------------------

    def _confirm(self, ours: Ours) -> Verdict:
        """Nothing to confirm at count 0: then nothing ran, which the caller says."""
        service = self.snapshot.service
        if service is None or service.desired == 0:
            return Succeeded()
        self.is_confirming = True
        if service.target_group_arns:
            verdict = self._look_until(self._look_at_targets, limit=TARGETS_SETTLE)
        else:
            verdict = Succeeded()
        if self.steady_for and isinstance(verdict, Succeeded):
            self._tell_of_the_wait()
            self._targets_read_at = -1
            look = partial(self._look_for_crashes, ours)
            verdict = self._look_until(look, limit=self.steady_for)
        self.is_confirming = False
        return verdict

    def _look_until(self, look: Callable[[bool], Verdict], *, limit: timedelta) -> Verdict:
        """`look` is told whether it is the last; `InProgress` is a later look."""
        until = self.clock.now() + limit / self.pace.speed
        while True:
            is_last = self.clock.now() >= until
            verdict = self._try(partial(look, is_last))
            if verdict is not None and not isinstance(verdict, InProgress):
                return verdict
            left = max(until - self.clock.now(), timedelta())
            self.clock.wait(min(self._next_look(), left) if not is_last else self._next_look())

    def _look_at_targets(self, is_last: bool) -> Verdict:
        """A target may be on its way; of none that is healthy in the end, nothing is served."""
        targets = self.targets_of_this_look
        if targets is None:
            try:
                targets = self._read_targets_anew()
            except PermissionDenied as error:
                self._warn(f"the targets' health could not be compared: {error.what}")
                return Succeeded()
        if any(target.state == "healthy" for target in targets):
            return Succeeded()
        self._targets_read_at = -1
        return Unproved(reason=_no_target_text(targets)) if is_last else InProgress()

    @property
    def targets_of_this_look(self) -> tuple[TargetHealth, ...] | None:
        """None where they were not read in it: they may have changed since."""
        return self.snapshot.targets if self._targets_read_at == self._looks else None

    def _read_targets_anew(self) -> tuple[TargetHealth, ...]:
        """Without what was said of targets that are gone."""
        service = self.snapshot.service
        targets = read_targets(self.aws, service) if service else ()
        self._spent += len(service.target_group_arns) if service else 0
        self._targets_read_at = self._looks
        self.snapshot = replace(self.snapshot, targets=targets)
        return targets

    def _look_for_crashes(self, ours: Ours, is_last: bool) -> Verdict:
        """The stopped tasks are read when something moved, and once at the end."""
        service = self.aws.ecs.find_service(self.cluster, self.service)
        self._spent += 1
        if service is None:
            return Superseded(by="")
        self.snapshot = replace(self.snapshot, service=service)
        if _is_anothers(service, ours):
            return Superseded(
                by=service.current_deployment_arn, task_definition_arn=service.task_definition_arn
            )
        before, self._seen = self._seen, _seen(service)
        fresh = self._take_fresh_events(service)
        if is_last or fresh or self._seen != before:
            self._read_stopped()
            if ended_by_themselves(self.snapshot, ours):
                return Unproved(reason="")
        return Succeeded() if is_last else InProgress()

    def _tell_of_the_wait(self) -> None:
        seconds = self.steady_for.total_seconds() / self.pace.speed
        self.reporter.note(
            f"ECS calls it done; for {seconds:g} s more none of its tasks may end by itself "
            "(deployment.steadyFor)"
        )

    def be_patient(self) -> None:
        """For a rollback, which must not end because AWS does not answer for a while."""
        self._errors = self._silence = 0
        self.errors_tolerated = 4 + PATIENCE // LONGEST_PAUSE

    def _try(self, read: Callable[[], T]) -> T | None:
        """None where AWS did not answer this time. Throttling never ends a watch."""
        try:
            found = read()
        except Throttled as error:
            self._throttles += 1
            self._throttled = error
            return None
        except PermissionDenied:
            raise
        except CallFailedError as error:
            self._errors += 1
            self._silence += 1
            if (
                max(self._silence, self._errors // FAILED_LOOKS_A_SILENT_ONE)
                >= self.errors_tolerated
            ):
                raise
            self.reporter.note(f"AWS did not answer ({error.what}); looking again")
            return None
        self._errors = self._silence = self._throttles = 0
        return found

    def _next_look(self) -> timedelta:
        """Later and later while AWS does not answer."""
        pause = self.pace.after(self.clock.now() - self.started)
        factor: int = 2 ** min(self._silence + self._throttles, 4)
        return min(pause * factor, max(pause, LONGEST_PAUSE / self.pace.speed))

    def _time_left(self) -> timedelta:
        return max(self.deadline - self.clock.now(), timedelta())

    # --- a look ----------------------------------------------------------------------------

    def _look(self, ours: Ours) -> Verdict | None:
        """None where the service is missing for the first times: ECS may show it late."""
        service = self.aws.ecs.find_service(self.cluster, self.service)
        self._silence = 0
        self._missing = 0 if service else self._missing + 1
        if self._missing in range(1, MISSING_LOOKS_TOLERATED):
            return None
        self._looks += 1
        self.snapshot = replace(self.snapshot, service=service)
        if service is not None:
            self._read_what_moved(service, ours)
        self._tell(ours)
        return assess(self.snapshot, ours)

    def _read_what_moved(self, service: ServiceState, ours: Ours) -> None:
        before, self._seen = self._seen, _seen(service)
        has_moved, has_targets = self._seen != before, bool(service.target_group_arns)
        is_new = self._seen.states != before.states or self._looks % DEPLOYMENT_EVERY == 0
        self._is_owed = self._is_owed or is_new
        if self._is_owed or ((has_moved or self._is_settling(service)) and self._affords(6)):
            self._read_deployment(service, ours)
            self._is_owed = False
        fresh = self._take_fresh_events(service)
        if self._seen.counts != before.counts and self._affords(4 if has_targets else 9):
            self._read_tasks()
        is_telling = self._seen.tells_more_than(before) or any(map(_is_telling, fresh))
        is_due = self._looks % EVIDENCE_EVERY == 0
        if (is_telling and self._affords(2)) or ((has_moved or is_due) and self._affords(6)):
            self._read_evidence(service)

    def _is_settling(self, service: ServiceState) -> bool:
        """The two views of ECS differ: the service's says the end, the deployment's not yet."""
        deployment, primary = self.snapshot.deployment, service.primary
        if deployment is None or primary is None or primary.rollout_state != "IN_PROGRESS":
            return True
        running = {DeploymentStatus.PENDING, DeploymentStatus.IN_PROGRESS}
        return deployment.status not in running

    def _affords(self, calls: int) -> bool:
        elapsed = self.clock.now() - self.started
        return self._spent + calls <= self.pace.extra_calls(elapsed)

    def _read_deployment(self, service: ServiceState, ours: Ours) -> None:
        deployment = next(iter(self.aws.ecs.service_deployments([ours.arn])), None)
        self._spent += 1
        self.snapshot = replace(
            self.snapshot, deployment=deployment, newer=self._newer(service, deployment)
        )

    def refresh_evidence(self) -> None:
        """Fetch all that explains a failure: stopped tasks, events, targets. It adds up.

        The events of the last look are older than the tasks that decided: the one that says why a
        target was unhealthy may be missing among them.
        """
        service = self._reread_service()
        if service is not None:
            self._read_evidence(service)

    def _reread_service(self) -> ServiceState | None:
        try:
            service = self.aws.ecs.find_service(self.cluster, self.service)
        except CallFailedError:
            service = None
        self._spent += 1
        if service is None:
            return self.snapshot.service
        self.snapshot = replace(self.snapshot, service=service)
        self._take_fresh_events(service)
        return service

    def _read_evidence(self, service: ServiceState) -> None:
        """What cannot be read is missing from the explanation; the verdict stands without it."""
        try:
            self._read_stopped()
            self._read_targets(service)
        except PermissionDenied as error:
            self._warn(f"no stopped tasks and targets to explain a failure: {error.what}")
        except CallFailedError:
            self._spent += 1

    def _read_stopped(self) -> None:
        """Only tasks of our deployment: the same revision may have failed an hour ago as well.

        Both times are ECS's own.
        """
        deployment = self.snapshot.deployment
        if deployment is None:
            return
        found = self.aws.ecs.stopped_tasks(self.cluster, self.service)
        self._spent += 2 if found else 1
        began = deployment.created_at
        stopped = {task.id: task for task in self.snapshot.stopped}
        stopped |= {t.id: t for t in found if (t.created_at or t.stopped_at or began) >= began}
        self.snapshot = replace(self.snapshot, stopped=tuple(stopped.values()))

    def _read_targets(self, service: ServiceState) -> None:
        """An unhealthy target stays known: it is deregistered soon."""
        targets = read_targets(self.aws, service)
        self._spent += len(service.target_group_arns)
        said = {t.address: t for t in self.snapshot.targets if t.state == "unhealthy"}
        said |= {t.address: t for t in targets}
        self.snapshot = replace(self.snapshot, targets=tuple(said.values()))
        self._targets_read_at = self._looks

    def _read_tasks(self) -> None:
        """For the count of healthy tasks; without it the progress is coarser."""
        try:
            tasks = tuple(self.aws.ecs.tasks(self.cluster, self.service))
        except CallFailedError:
            return
        self._spent += 2 if tasks else 1
        self.snapshot = replace(self.snapshot, tasks=tasks)

    def _take_fresh_events(self, service: ServiceState) -> list[Event]:
        """The events of this rollout, each once; what was there before it is old news."""
        deployment = self.snapshot.deployment
        if deployment is None:
            return []
        events = tuple(e for e in service.events if e.at >= deployment.created_at)
        fresh = [event for event in events if event.id not in self._seen_events]
        self._seen_events |= {event.id for event in fresh}
        self._news = shorten_event(fresh[0].message, self.service) if fresh else ""
        self.snapshot = replace(self.snapshot, events=events)
        return fresh

    def _newer(
        self, service: ServiceState, deployment: ServiceDeployment | None
    ) -> ServiceDeployment | None:
        """A deployment that somebody started after ours.

        A rollback is not one: ECS does it inside our own service deployment. DescribeServices may
        lag behind, so a deployment that was stopped is looked for a successor in the list.
        """
        if deployment is None:
            return None
        if self.snapshot.newer is not None:
            arns = [self.snapshot.newer.arn]
        elif deployment.status in {DeploymentStatus.STOPPED, DeploymentStatus.STOP_REQUESTED}:
            arns = list(self.aws.ecs.service_deployment_arns(self.cluster, self.service)[:1])
            self._spent += 1
        else:
            arns = [service.current_deployment_arn] if service.current_deployment_arn else []
        if not set(arns) - {deployment.arn}:
            return None
        self._spent += 1
        newer = self.aws.ecs.service_deployments(arns)
        return next((d for d in newer if d.created_at > deployment.created_at), None)

    def _tell(self, ours: Ours) -> None:
        """What a person should know while ECS is at it; and how far it is."""
        deployment = self.snapshot.deployment
        if deployment is not None and deployment.awaits is not None:
            self._warn(paused_text(deployment.awaits, deployment.lifecycle_stage))
        progress = self._progress(ours, note=self._take_news())
        self._take_time(stage_of(self.snapshot, progress))
        self.reporter.progress(progress)
        baking = bake_text(self.snapshot, progress)
        if baking and ours.arn != self._baking:
            self._baking = ours.arn
            self.reporter.note(baking)

    def _progress(self, ours: Ours, *, note: str = "") -> Progress:
        return progress_of(
            self.snapshot,
            ours,
            elapsed=self.clock.now() - self.started,
            old_revision=self.old_revision,
            note=note,
        )

    def _take_time(self, stage: RolloutStage) -> None:
        """The time since the look before goes to what was seen then to be going on."""
        now, before = self.clock.now(), self._told_at or self.started
        self.stage_times[stage] = self.stage_times.get(stage, timedelta()) + (now - before)
        self._told_at = now

    def where_it_stands(self, ours: Ours, drain: Drain) -> str:
        """For a wait that ended before ECS did: what is true, and what took the time. Reads the
        tasks once more; the targets are in the evidence, which is read before."""
        self._read_tasks()
        progress = self._progress(ours)
        self._take_time(stage_of(self.snapshot, progress))
        true = what_is_true(self.snapshot, progress, drain)
        return "; ".join(filter(None, (true, slowest_text(self.stage_times))))

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            self.reporter.note(text)

    def _take_news(self) -> str:
        news, self._news = self._news, ""
        return news


def shorten_event(message: str, service: str) -> str:
    """An ECS event without what every line would repeat: the service, the target group's ARN."""
    text = message.replace(f"(service {service}) ", "").replace(f"(service {service}, ", "(")
    text = re.sub(r"\(target-group arn:[^)]*\)", "the target group", text)
    return re.sub(r"\b[0-9a-f]{32}\b", lambda task: short(task[0]), text)


def _is_anothers(service: ServiceState, ours: Ours) -> bool:
    """Whether another deployment began since ours was done."""
    current = service.current_deployment_arn
    is_other_revision = service.task_definition_arn != ours.task_definition_arn
    return is_other_revision or (current != "" and current != ours.arn)


def _no_target_text(targets: Sequence[TargetHealth]) -> str:
    """`no target is healthy: 2 unused (Target.NotInUse: Target group is not configured …)`."""
    said = Counter((t.state, ": ".join(filter(None, (t.reason, t.description)))) for t in targets)
    each = (f"{n} {state}" + (f" ({why})" if why else "") for (state, why), n in said.items())
    what = ", ".join(each) or "none is registered"
    return f"ECS calls it done and no target is healthy: {what}"


def _seen(service: ServiceState) -> _Seen:
    deployments = service.deployments
    return _Seen(
        states=(
            service.status,
            service.current_deployment_arn,
            *(part for d in deployments for part in (d.id, d.status, d.rollout_state)),
        ),
        counts=(service.desired, *(n for d in deployments for n in (d.running, d.pending))),
        failed=sum(d.failed_tasks for d in deployments),
        newest_event=service.events[0].id if service.events else "",
        running=service.primary.running if service.primary else 0,
    )


# What every rollout says; anything else may tell of a failure.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
_ROUTINE_EVENT = re.compile(
    r"has started \d+ tasks|has stopped \d+ running tasks|registered \d+ targets"
    r"|has begun draining|has reached a steady state|deployment completed",
)


def _is_telling(event: Event) -> bool:
    return _ROUTINE_EVENT.search(event.message) is None
