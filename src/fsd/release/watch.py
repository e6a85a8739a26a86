"""Follow one deployment to its verdict: look, assess, tell, wait for the next look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from functools import partial

from fsd.errors import CallFailedError, ErrorCode
from fsd.quoted import Quoted
from fsd.release.concurrency.races import taken_over_notes
from fsd.release.messages import RolloutProgress
from fsd.release.notes import CouldNot, TakenOver, Undone
from fsd.release.pace import CallBudget, Pace, Schedule
from fsd.release.ports import Aws, Clock, PermissionDenied
from fsd.release.reporter import Reporter
from fsd.release.rollout_stage import Drain
from fsd.release.rollout_view import RolloutView
from fsd.release.service_reader import ServiceReader
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
from fsd.rollout.steadiness import ended_by_themselves
from fsd.rollout.summaries import NoTargetHealthy, TargetsInState
from fsd.snapshot import ServiceDeployment, ServiceState, Snapshot, TargetHealth

TARGETS_SETTLE = timedelta(seconds=30)  # ECS may have seen healthy what is not so any more


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The time was up before ECS was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    verdict: Verdict | TimedOut
    snapshot: Snapshot


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Watches one service: a reader looks, a schedule says when, a view tells."""

    aws: InitVar[Aws]
    clock: Clock
    reporter: Reporter
    cluster: str
    service: str
    pace: Pace
    deadline: InitVar[datetime]
    started: InitVar[datetime]
    old_revision: InitVar[str] = ""
    steady_for: timedelta = timedelta()  # as on AWS; `pace.speed` divides it
    is_confirming: bool = False  # ECS calls it done; we do not yet
    taken_over: tuple[TakenOver, ...] = ()  # what to tell of deployments that ours ended
    reader: ServiceReader = field(init=False)
    schedule: Schedule = field(init=False)
    view: RolloutView = field(init=False)

    def __post_init__(
        self, aws: Aws, deadline: datetime, started: datetime, old_revision: str
    ) -> None:
        self.view = RolloutView(
            clock=self.clock, reporter=self.reporter, started=started, old_revision=old_revision
        )
        self.schedule = Schedule(
            clock=self.clock,
            reporter=self.reporter,
            pace=self.pace,
            started=started,
            deadline=deadline,
        )
        self.reader = ServiceReader(
            aws=aws,
            cluster=self.cluster,
            service=self.service,
            budget=CallBudget(clock=self.clock, pace=self.pace, started=started),
            warn=self.view.warn,
        )

    @property
    def snapshot(self) -> Snapshot:
        return self.reader.snapshot

    def find(self, *, known: frozenset[str], task_definition_arn: str) -> ServiceDeployment:
        """Our deployment: the ARN that was not there before, in whatever status, of our revision.

        No clocks are compared: a runner's may be wrong. Raises CallFailedError where ECS does not
        list it within a minute, or does not answer.
        """
        limit = self.clock.now() + timedelta(minutes=1)
        while True:
            ours = self.schedule.look(lambda: self.reader.list_new(known, task_definition_arn))
            if ours:
                found = max(ours, key=lambda deployment: deployment.created_at)
                self._tell_of_taken_over(found)
                return found
            if ours is None:
                self.schedule.raise_if_throttled_to_the_end()
            elif self.clock.now() > limit:
                raise CallFailedError(
                    "ECS lists no deployment of ours a minute after it took the change",
                    where=f"{self.cluster}/{self.service}",
                    fix="run the command again: FSD attaches to the deployment, or completes "
                    "what is left",
                    code=ErrorCode.DEPLOYMENT_NOT_FOUND,
                )
            self.schedule.wait()

    def _tell_of_taken_over(self, ours: ServiceDeployment) -> None:
        """UpdateService takes no condition: what began since the last look ends by it."""
        for note in taken_over_notes(self.reader.others, ours):
            self.taken_over = (*self.taken_over, note)
            self.reporter.note(note)

    def watch(self, ours: Ours, *, until_final: bool = False) -> Watched:
        """Look until there is a verdict, or the deadline.

        `RollingBack` ends the watch too, so that the caller can act at once, unless `until_final`.
        What ECS calls SUCCESSFUL is confirmed, which may take until after the deadline: by
        `steady_for` at the most.
        """
        self.reader.begin(ours)
        while True:
            verdict = self.schedule.look(lambda: self._look(ours))
            waiting = isinstance(verdict, InProgress) or (
                until_final and isinstance(verdict, RollingBack)
            )
            if isinstance(verdict, Succeeded):
                verdict = self._confirm(ours)
            if verdict is not None and not waiting:
                return Watched(verdict=verdict, snapshot=self.snapshot)
            if self.schedule.is_over:
                return Watched(verdict=TimedOut(), snapshot=self.snapshot)
            self.schedule.wait(until=self.schedule.deadline)

    def refresh_evidence(self) -> None:
        """Read once more all that explains a failure."""
        self.reader.refresh_evidence()

    def where_it_stands(self, ours: Ours, drain: Drain) -> RolloutProgress:
        """For a wait that ended before ECS did. Reads the tasks once more; the targets are in the
        evidence, which is read before."""
        self.reader.read_tasks()
        return self.view.where_it_stands(self.snapshot, ours, drain)

    def _look(self, ours: Ours) -> Verdict | None:
        """None where ECS does not show the service yet."""
        if not self.reader.look(ours, on_answer=self.schedule.note_answer):
            return None
        self.view.show(self.snapshot, ours, event=self.reader.event)
        return assess(self.snapshot, ours)

    # --- once ECS calls it done -------------------------------------------------------------

    def _confirm(self, ours: Ours) -> Verdict:
        """Nothing to confirm at count 0: then nothing ran, which the caller says."""
        service = self.snapshot.service
        if service is None or service.desired == 0:
            return Succeeded()
        self.is_confirming = True
        verdict: Verdict = Succeeded()
        if service.target_group_arns:
            verdict = self._look_until(self._look_at_targets, limit=TARGETS_SETTLE)
        if self.steady_for and isinstance(verdict, Succeeded):
            self.view.tell_of_the_wait(self.steady_for.total_seconds() / self.pace.speed)
            self.reader.forget_targets()
            look = partial(self._look_for_crashes, ours)
            verdict = self._look_until(look, limit=self.steady_for)
        self.is_confirming = False
        return verdict

    def _look_until(self, look: Callable[[bool], Verdict], *, limit: timedelta) -> Verdict:
        """`look` is told whether it is the last; `InProgress` is a later look."""
        until = self.clock.now() + limit / self.pace.speed
        while True:
            is_last = self.clock.now() >= until
            verdict = self.schedule.look(partial(look, is_last))
            if verdict is not None and not isinstance(verdict, InProgress):
                return verdict
            self.schedule.wait(until=None if is_last else until)

    def _look_at_targets(self, is_last: bool) -> Verdict:
        """A target may be on its way; of none that is healthy in the end, nothing is served."""
        targets = self.reader.targets_of_this_look
        if targets is None:
            try:
                targets = self.reader.read_targets_anew()
            except PermissionDenied as error:
                self.view.warn(CouldNot(what=Undone.TARGETS, error=Quoted.of(error)))
                return Succeeded()
        if any(target.state == "healthy" for target in targets):
            return Succeeded()
        self.reader.forget_targets()
        return Unproved(reason=_no_target(targets)) if is_last else InProgress()

    def _look_for_crashes(self, ours: Ours, is_last: bool) -> Verdict:
        """The stopped tasks are read when something moved, and once at the end."""
        service, has_moved = self.reader.look_after_the_end()
        if service is None:
            return Superseded(by="")
        if _is_anothers(service, ours):
            return Superseded(
                by=service.current_deployment_arn, task_definition_arn=service.task_definition_arn
            )
        if is_last or has_moved:
            self.reader.read_stopped()
            if ended_by_themselves(self.snapshot, ours):
                return Unproved(reason=None)
        return Succeeded() if is_last else InProgress()


def _is_anothers(service: ServiceState, ours: Ours) -> bool:
    """Whether another deployment began since ours was done."""
    current = service.current_deployment_arn
    is_other_revision = service.task_definition_arn != ours.task_definition_arn
    return is_other_revision or (current != "" and current != ours.arn)


def _no_target(targets: Sequence[TargetHealth]) -> NoTargetHealthy:
    said = Counter((t.state, ": ".join(filter(None, (t.reason, t.description)))) for t in targets)
    return NoTargetHealthy(
        targets=tuple(
            TargetsInState(count=count, state=state, reason=reason)
            for (state, reason), count in said.items()
        )
    )
