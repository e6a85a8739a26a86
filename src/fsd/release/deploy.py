"""Deploy: observe, plan, apply, watch, and on failure roll back, verify and explain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fsd.compile.desired import OUTPUT_URL, Desired, Image, Json, Release
from fsd.errors import CallFailedError, ErrorCode, Interrupted, RefusedError, TimedOutError
from fsd.manifest.rollout_time import Estimate
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.plan.steps import (
    ApplyStack,
    CreateService,
    Plan,
    RegisterRevision,
    RunOneOff,
    SetCount,
    Step,
    UpdateService,
    UseRevision,
)
from fsd.release.alarms import warnings
from fsd.release.apply import Applied, apply_step, split_plan, tasks_after
from fsd.release.asked import Asked
from fsd.release.changed import CountCommits, find_changes
from fsd.release.evidence import diagnose
from fsd.release.healthy import read_healthy, read_targets, unhealthy_note
from fsd.release.journal import note_failure
from fsd.release.ledger import release_info
from fsd.release.observe import observe, place_of
from fsd.release.one_off import StepFailedError, make_runner, run_step
from fsd.release.orphans import discard_if_unused, discard_orphans, may_have_orphans
from fsd.release.pace import Pace
from fsd.release.ports import Aws, Clock, Stack
from fsd.release.probe import Trial, sweep, try_moved_check
from fsd.release.proof import mark_before_start, mark_before_watch, mark_proved, not_started_text
from fsd.release.reporter import Reporter
from fsd.release.rescue import bring_back
from fsd.release.result import (
    Outcome,
    Phase,
    PhaseName,
    PhaseState,
    ReleaseInfo,
    Result,
)
from fsd.release.retry import Retry
from fsd.release.rollback import GoBack, RolledBackTo, ended_by_error, go_back, last_good
from fsd.release.rollout_stage import Drain
from fsd.release.stack_change import StackChange
from fsd.release.turn import (
    CommitOrder,
    InFlight,
    OrderCommits,
    began_since,
    came_meanwhile,
    is_beaten,
    ties_of,
)
from fsd.release.waiting_time import NOT_KNOWN, SHORTEST, too_short_note
from fsd.release.watch import TimedOut, Watched, Watcher
from fsd.rollout.assess import (
    Doomed,
    Failed,
    InProgress,
    Ours,
    RolledBack,
    RollingBack,
    Succeeded,
    Superseded,
    Unproved,
)
from fsd.rollout.cause import Diagnosis
from fsd.rollout.diagnose import family_revision
from fsd.rollout.failures import ROLLOUT_FAILED
from fsd.rollout.fresh_roles import PROPAGATION
from fsd.rollout.hooks import continue_command, paused_text
from fsd.snapshot import DeploymentStatus, ServiceDeployment, ServiceState, TargetHealth


class OnCancel(StrEnum):
    """What a signal does with the deployment in flight."""

    LEAVE = "leave"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    desired: Desired
    image: Image
    release: Release
    # What is being read already; None where it has to be read anew.
    observed: Callable[[], Observed | None] = lambda: None
    timeout: timedelta = SHORTEST
    expected: Estimate = NOT_KNOWN  # how long the rollout takes
    wait: bool = True
    rollback: bool = True
    in_flight: InFlight = InFlight.REFUSE
    order: OrderCommits = lambda _: CommitOrder.UNKNOWN
    allow_older: bool = False
    allow_interruption: bool = False  # a health check that moves is not tried first
    # With WAIT: a deployment of an ancestor, or of the same commit, is not waited for.
    supersede_older: bool = False
    count_commits: CountCommits = lambda *_: None
    on_cancel: OnCancel = OnCancel.LEAVE
    pace: Pace = field(default_factory=Pace)
    phases: tuple[Phase, ...] = ()  # what was done before: manifest, image
    notes: tuple[str, ...] = ()
    started_at: datetime | None = None


def deploy(request: DeployRequest, aws: Aws, *, clock: Clock, reporter: Reporter) -> Result:
    """Deploy and return how it ended.

    Raises RefusedError where another deployment is in flight, CallFailedError where AWS refuses a
    step before the rollout began; once it began, every end is a Result.
    """
    return _Deployment(request=request, aws=aws, clock=clock, reporter=reporter).run()


class _StateUnknown(Exception):
    """ECS was asked to roll out, did not answer, and cannot be looked at."""

    def __init__(self, error: CallFailedError) -> None:
        super().__init__(error.what)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class AsObserved:
    """What runs, read before it is known that nothing is to change; not to be read again."""

    service: ServiceState
    targets: Callable[[], tuple[TargetHealth, ...]]
    outputs: Mapping[str, str]  # of the stack


@dataclass(slots=True, kw_only=True)
class _Deployment:
    request: DeployRequest
    aws: Aws
    clock: Clock
    reporter: Reporter
    phases: list[Phase] = field(default_factory=list)
    asked: Asked = field(init=False)
    stack: StackChange = field(init=False)
    plan: Plan | None = None
    previous: ReleaseInfo | None = None
    changing: str = ""  # the stack that is being changed
    registered: str = ""  # the revision that this run made
    has_succeeded: bool = False  # what is left to do can't undo that
    stack_seen: Stack | None = None  # at the last look, while our release ran
    beaten: int = 0  # how often another deployment began between a look and the change
    diagnosis: Diagnosis | None = None  # set as soon as the rollout has failed
    watcher: Watcher | None = None
    notes: tuple[str, ...] = ()
    late_notes: tuple[str, ...] = ()  # of what is done once the release has succeeded

    def __post_init__(self) -> None:
        self.asked = Asked(ecs=self.aws.ecs, clock=self.clock, desired=self.desired)
        self.stack = StackChange(
            stacks=self.aws.stacks, desired=self.desired, reporter=self.reporter
        )

    @property
    def desired(self) -> Desired:
        return self.request.desired

    @property
    def ours(self) -> Ours | None:
        return self.asked.ours

    def run(self) -> Result:
        started = self.request.started_at or self.clock.now()
        self.phases = list(self.request.phases)
        try:
            return self._run(started)
        except Interrupted as signal:
            return self._interrupted(started, signal)

    def _run(self, started: datetime) -> Result:
        try:
            while True:
                observed = self._observe(started)
                is_empty = self.plan is None or self.plan.is_empty
                seen = self._as_observed(observed) if is_empty else None
                if not self.beaten and observed.service and observed.service.target_group_arns:
                    sweep(
                        self.aws,
                        self.desired.stack_name,
                        now=self.clock.now(),
                        reporter=self.reporter,
                    )
                if not self._rolls_out():
                    self._discard_registered()  # another run did the very same, and was faster
                self.notes = self.plan.warnings if self.plan else ()
                if is_empty:
                    return self._finish(started, Outcome.UNCHANGED, seen=seen)
                self._refuse_older(observed)
                self._try_moved_check(observed)
                result = self._apply_and_watch(observed, started)
                if result is not None:
                    return result
                self.beaten += 1
                self.reporter.note("another deployment began meanwhile; looking again")
        except RefusedError:
            self._take_back()
            raise

    def _observe(self, started: datetime) -> Observed:
        """Observe and plan; with --wait-for-lock again, until nothing else is in flight."""
        deadline = started + self.request.timeout
        told, early = False, None if self.beaten else self.request.observed()
        while True:
            observed = early or observe(self.aws, place_of(self.desired))
            early = None
            self.previous = self._previous(observed)
            self.plan = plan_release(self.desired, observed)
            flight = observed.in_flight
            if flight is None or self.plan.attach_to:
                return observed
            if not self.plan.is_empty and self._takes_over(flight):
                return observed
            if self.request.in_flight is InFlight.REFUSE or self.clock.now() >= deadline:
                raise self._in_flight_error(flight)
            if not told:
                self._take_back()
                revision = family_revision(flight.task_definition_arn)
                self.reporter.note(f"waiting for the deployment of {revision} to end")
                told = True
            self.clock.wait(self.request.pace.interval(self.clock.now() - started))

    def _as_observed(self, observed: Observed) -> AsObserved | None:
        """Where nothing is to change, what was observed a moment ago is what runs."""
        service, stack = observed.service, observed.stack
        if service is None:
            return None
        targets = self.aws.reads.start(lambda: read_targets(self.aws, service))
        return AsObserved(service=service, targets=targets, outputs=stack.outputs if stack else {})

    def _takes_over(self, flight: ServiceDeployment) -> bool:
        """Whether the deployment in flight need not be waited for.

        A run that was cancelled or timed out leaves one behind, which ECS may try for hours: what
        is newer must not wait for it. A rollback ends by itself, and is not disturbed.
        """
        match self.request.in_flight:
            case InFlight.SUPERSEDE:
                return True
            case InFlight.WAIT if self.request.supersede_older:
                going = flight.status in (DeploymentStatus.PENDING, DeploymentStatus.IN_PROGRESS)
                return going and self._is_of_an_ancestor(flight)
        return False

    def _is_of_an_ancestor(self, flight: ServiceDeployment) -> bool:
        found = self.aws.ecs.find_task_definition(flight.task_definition_arn)
        if found is None:
            return False
        release = release_info(found)
        if self.request.order(release) not in (CommitOrder.NEWER, CommitOrder.SAME):
            return False
        what = f"{release.revision} ({release.version})" if release.version else release.revision
        self.reporter.note(f"takes over from the deployment of {what}, which is not newer")
        return True

    def _in_flight_error(self, flight: ServiceDeployment) -> RefusedError:
        return RefusedError(
            f"another deployment of {self.desired.name} is in flight: "
            f"{family_revision(flight.task_definition_arn)}, {flight.status}",
            where=flight.arn,
            fix="wait for it with --wait-for-lock, or take over with --supersede",
            code=ErrorCode.DEPLOYMENT_IN_FLIGHT,
        )

    def _refuse_older(self, observed: Observed) -> None:
        """An older commit over a newer one is most often a late workflow, not a wish."""
        newer = self.previous.commit if self.previous and observed.service else ""
        if self.previous is None or not newer or self.request.allow_older:
            return
        if self.request.order(self.previous) is not CommitOrder.OLDER:
            return
        commit = self.request.release.commit
        raise RefusedError(
            f"{self.desired.name} runs {newer[:7]}, which is newer than {commit[:7]}",
            where=observed.service.arn if observed.service else self.desired.name,
            fix="deploy the newer commit; to go back:  fsd rollback --service "
            f"{self.desired.service_name} --env {self.desired.environment}, or --allow-older",
            code=ErrorCode.OLDER_COMMIT,
        )

    def _try_moved_check(self, observed: Observed) -> None:
        """Before anything changes: a check that running tasks fail would end them."""
        if self.plan is None or self.request.allow_interruption:
            return
        trial = Trial(
            aws=self.aws,
            clock=self.clock,
            reporter=self.reporter,
            pace=self.request.pace,
            desired=self.desired,
            change_stack=lambda template: self._change_stack(template, observed),
        )
        try:
            try_moved_check(trial, observed, self.plan)
        except CallFailedError:
            self.stack.restore_if_ours()  # as `run` does where it is refused
            raise

    def _change_stack(self, template: Json, observed: Observed) -> None:
        """Until it is known whether the release begins; then its own template comes, or this goes.

        A run that is killed leaves it, and what to go back to in it.
        """
        self.changing = name = self.desired.stack_name
        self.stack.begins(template, observed)
        remembered = observed.remembering(template)
        self.aws.stacks.apply(name, template=remembered, tags=dict(self.desired.stack_tags))
        self.changing = ""

    # --- apply -----------------------------------------------------------------------------

    def _apply_and_watch(self, observed: Observed, started: datetime) -> Result | None:
        """None where another deployment began before ECS was asked: the plan is out of date."""
        assert self.plan is not None  # set by run()
        before, after = split_plan(self.plan)
        applied = Applied(
            outputs=observed.stack.outputs if observed.stack else {},
            task_definition_arn=observed.running.arn if observed.running else "",
            run_one_off=self._run_one_off,
        )
        if self.plan.rolls_out:
            self._warn()
        try:
            if not self._apply(before, applied, observed):
                return None
        except _StateUnknown as unknown:
            return self._unknown(started, unknown.error)
        except StepFailedError as failed:
            return self._not_begun(started, failed)
        if not (self.plan.rolls_out or self.plan.attach_to):
            self._apply(after, applied, observed)
            return self._finish(started, Outcome.SUCCEEDED, applied=applied)
        watcher = self._watcher(observed, started)
        self.watcher = watcher
        try:
            self.asked.ours = self._find_ours(watcher, applied)
        except CallFailedError as error:
            return self._unknown(started, error)
        if not self.request.wait:
            return self._leave(after, applied, observed, started)
        result = self._watch(watcher, observed, applied, started)
        if result.outcome in {Outcome.SUCCEEDED, Outcome.NOT_STARTED}:
            return self._settle(result, after, applied, observed)
        return result

    def _run_one_off(self, step: RunOneOff, applied: Applied) -> None:
        """A failure after the verdict is a warning: what it was to do can be done again."""
        runner = make_runner(
            self.desired,
            applied.outputs,
            self.aws,
            clock=self.clock,
            on_line=lambda line: self.reporter.note(f"{step.key} | {line}"),
            speed=self.request.pace.speed,
        )
        arn = applied.task_definition_arn
        try:
            run_step(step, self.aws, runner, desired=self.desired, task_definition_arn=arn)
        except StepFailedError as failed:
            if not step.is_after:
                raise
            self._tell(f"warning: {failed.what}; the release stays. {failed.fix}")

    def _not_begun(self, started: datetime, failed: StepFailedError) -> Result:
        """What the step found is as good a reason as a rollout's."""
        self._discard_registered()
        result = self._finish(
            started,
            Outcome.ROLLED_BACK,
            diagnosis=failed.diagnosis,
            message=f"{failed.what}; nothing that runs was changed",
            next_steps=(failed.fix,),
        )
        return replace(result, was_begun=False)

    def _leave(
        self, after: tuple[Step, ...], applied: Applied, observed: Observed, started: datetime
    ) -> Result:
        """Without the verdict: the old tasks may be needed yet, and what they need with them."""
        self._apply(self._without_clean_up(after), applied, observed)
        self.notes = (*self.notes, *self.late_notes)
        return self._finish(started, Outcome.STARTED, applied=applied)

    def _without_clean_up(self, after: tuple[Step, ...]) -> tuple[Step, ...]:
        """What only old tasks need stays for the next deployment to remove."""
        now = tuple(step for step in after if not isinstance(step, ApplyStack | RunOneOff))
        if now != after:
            self.late_notes = (*self.late_notes, _KEPT)
        return now

    @property
    def _old_tasks_remain(self) -> bool:
        """With an early success ECS drains and stops them after it has called it done."""
        early = self.desired.service.deployment_configuration.get("earlySuccessCriteria")
        return isinstance(early, dict) and early.get("sourceServiceRevisionCleanup") == "DEFERRED"

    def _settle(
        self, result: Result, after: tuple[Step, ...], applied: Applied, observed: Observed
    ) -> Result:
        """What waits for the verdict. A stack that keeps too much is no failure of a release."""
        self.has_succeeded = True
        if self._old_tasks_remain:
            after = self._without_clean_up(after)
        claimed = self.stack.claim(self.stack_seen)
        if claimed:
            self.reporter.note(claimed)
            result = replace(result, notes=(*result.notes, claimed))
        try:
            self._apply(after, applied, observed)
        except CallFailedError as error:
            if not self.changing:
                raise
            result = replace(result, notes=(*result.notes, f"{_KEPT}: {error.what}"))
        told = tuple(
            f"the desired count of {step.name} is {step.count} now that auto scaling is gone"
            for step in after
            if isinstance(step, SetCount)
        )
        left = (applied.undeleted,) if applied.undeleted else ()
        result = replace(result, notes=(*result.notes, *self.late_notes, *left, *told))
        self._discard_orphans(observed)
        return replace(result, phases=tuple(self.phases), finished_at=self.clock.now())

    def _warn(self) -> None:
        assert self.plan is not None
        configuration = self.desired.service.deployment_configuration
        speed = self.request.pace.speed
        short = too_short_note(self.request.timeout, self.request.expected, speed=speed)
        said = (*self.plan.warnings, *warnings(self.aws, configuration))
        self.notes = (*said, short) if short and self.request.wait else said
        for note in self.notes:
            self.reporter.note(note)

    def _apply(self, steps: tuple[Step, ...], applied: Applied, observed: Observed) -> bool:
        """False where another deployment began before ECS was asked for ours."""
        for step in steps:
            began = self.clock.now()
            self.changing = self.desired.stack_name if isinstance(step, ApplyStack) else ""
            name = _PHASES.get(type(step))
            try:
                self._phase(name, PhaseState.RUNNING, "", began, step=step)
                if not self._apply_step(step, applied, observed):
                    return False
            except CallFailedError as error:
                if not self._is_taken_after_all(step, applied, error):
                    self._phase(name, PhaseState.FAILED, "failed", began)
                    self._clean_up_after_error(step, error)
                    raise
                self.asked.is_taken = True
            self.changing = ""
            made = _revision_made(step, applied)
            self._phase(name, PhaseState.DONE, "", began, step=step, revision=made)
        return True

    def _apply_step(self, step: Step, applied: Applied, observed: Observed) -> bool:
        if isinstance(step, CreateService | UpdateService) and self._rolls_out():
            return self._ask(step, applied, observed)
        if isinstance(step, ApplyStack) and not step.cleans_up:
            self.stack.begins(step.template, observed)
        if isinstance(step, ApplyStack) and step.cleans_up:
            clash = self.stack.clash(observed)
            if clash:
                self._tell(f"{clash}{self._came(observed)}; it stays so")
                return True
        if isinstance(step, RegisterRevision) and self.registered:
            applied.task_definition_arn = self.registered  # before somebody else was faster
            return True
        apply_step(step, applied, desired=self.desired, aws=self.aws)
        if isinstance(step, RegisterRevision):
            self.registered = applied.task_definition_arn
        return True

    def _tell(self, note: str) -> None:
        self.late_notes = (*self.late_notes, note)
        self.reporter.note(note)

    def _came(self, observed: Observed) -> str:
        """The deployments that began since the look: whoever has changed the stack is among them,
        or is nobody of whom ECS knows."""
        known = observed.known_deployments | {self.ours.arn if self.ours else ""}
        names = began_since(self.aws.ecs, known, desired=self.desired)
        return f"; since then began {names}" if names else ""

    def _ask(self, step: Step, applied: Applied, observed: Observed) -> bool:
        """Ask ECS for the rollout, unless another one began since it was observed."""
        arns = came = frozenset[str]()
        if observed.service is not None:
            arns = frozenset(
                self.aws.ecs.service_deployment_arns(
                    self.desired.service.cluster, self.desired.name
                )
            )
            came = came_meanwhile(arns, observed)
        if came and not (self.request.in_flight is InFlight.SUPERSEDE and self.beaten):
            return False
        now = observed.service.desired if observed.service else 0
        if tasks_after(step, applied, desired=self.desired, now=now) == 0:
            mark_before_start(self.aws.ecs, applied.task_definition_arn, observed)
        elif self._watches_on:
            note = mark_before_watch(self.aws.ecs, applied.task_definition_arn, observed)
            self.late_notes = (*self.late_notes, note) if note else self.late_notes
        self.asked.known, self.asked.revision_arn = arns, applied.task_definition_arn
        try:
            apply_step(step, applied, desired=self.desired, aws=self.aws)
        except CallFailedError as error:
            self.asked.revision_arn = ""
            if error.may_be_done or not is_beaten(error, step, self.aws, desired=self.desired):
                raise
            if isinstance(step, UpdateService):
                self.registered = ""  # it is gone
            return False
        self.asked.is_taken = True
        return True

    def _take_back(self) -> None:
        """What this run has made and will not use, or not now, must not look like a release."""
        self._discard_registered()
        self.stack.restore_if_ours()

    def _discard_registered(self) -> None:
        registered, self.registered = self.registered, ""
        if registered and registered != self.asked.revision_arn:
            discard_if_unused(self.aws.ecs, registered, self.desired)

    def _discard_orphans(self, observed: Observed) -> None:
        assert self.ours is not None
        margin = ORPHAN_MARGIN / self.request.pace.speed
        if may_have_orphans({*observed.used_revisions, self.ours.task_definition_arn}):
            discard_orphans(self.aws.ecs, self.ours, self.desired, margin=margin)

    def _is_taken_after_all(self, step: Step, applied: Applied, error: CallFailedError) -> bool:
        """Whether ECS rolls out what it was asked for, although no answer came.

        Raises _StateUnknown where that cannot be seen either: then nothing is put back, because
        what ECS rolls out belongs to the stack of now.
        """
        if not isinstance(step, CreateService | UpdateService) or not error.may_be_done:
            return False
        if not self._rolls_out():
            return False
        self.asked.revision_arn = applied.task_definition_arn
        try:
            taken = bool(self.asked.find_once())
        except CallFailedError:
            raise _StateUnknown(error) from error
        if taken:
            self.reporter.note(f"ECS took the change, but its answer got lost: {error.what}")
        else:
            self.asked.revision_arn = ""
        return taken

    def _clean_up_after_error(self, step: Step, error: CallFailedError) -> None:
        """A step after the stack's failed: the stack goes back, so that nothing is half-done.

        Not once the release runs: then only the limits of scaling are not as they should be.
        """
        if isinstance(step, ApplyStack):
            return
        if self.asked.revision_arn or self.ours is not None:
            raise CallFailedError(
                f"{error.what}; ECS has {self.asked.revision}, and the service scales as before",
                where=error.where,
                fix=f"{error.fix}: only the scaling is left to do",
                code=error.code,
            ) from error
        try:
            self.stack.restore()
        except CallFailedError as second:
            raise CallFailedError(
                f"{error.what}; and the stack {self.desired.stack_name}, which had changed before, "
                f"could not be put back: {second.what} ({second.where})",
                where=error.where,
                fix=error.fix,
                code=error.code,
            ) from error

    def _find_ours(self, watcher: Watcher, applied: Applied) -> Ours:
        assert self.plan is not None
        if self.plan.attach_to:
            self.reporter.note(f"attached to the deployment in flight: {self.plan.attach_to}")
            arn = self.plan.attach_to
        else:
            found = watcher.find(
                known=self.asked.known, task_definition_arn=applied.task_definition_arn
            )
            arn = found.arn
            self._tell_of_tie(watcher, found)
        patience = PROPAGATION / self.request.pace.speed
        return Ours(
            service=self.desired.name,
            arn=arn,
            task_definition_arn=applied.task_definition_arn,
            role_patience=patience if self.stack.changes_roles() else timedelta(),
        )

    def _tell_of_tie(self, watcher: Watcher, ours: ServiceDeployment) -> None:
        """UpdateService takes no condition: what began since the last look was taken over."""
        for note in ties_of(watcher.reader.others, ours):
            self.notes = (*self.notes, note)
            self.reporter.note(note)

    # --- watch -----------------------------------------------------------------------------

    def _watcher(self, observed: Observed, started: datetime) -> Watcher:
        now = self.clock.now()
        old = observed.running.arn if observed.running else ""
        return Watcher(
            aws=self.aws,
            clock=self.clock,
            reporter=self.reporter,
            cluster=self.desired.service.cluster,
            service=self.desired.name,
            pace=self.request.pace,
            started=now,
            deadline=max(started, now) + self.request.timeout,
            old_revision=family_revision(old) if old else "",
            steady_for=timedelta(seconds=self.desired.steady_for),
        )

    def _watch(
        self, watcher: Watcher, observed: Observed, applied: Applied, started: datetime
    ) -> Result:
        assert self.ours is not None
        began = self.clock.now()
        self._phase(PhaseName.ROLLOUT, PhaseState.RUNNING, "", began)
        try:
            watched = watcher.watch(self.ours)
        except CallFailedError as error:
            self._phase(PhaseName.ROLLOUT, PhaseState.FAILED, "AWS does not answer", began)
            return self._unknown(started, error)
        took = _seconds(self.clock.now() - began)
        match watched.verdict:
            case Succeeded():
                return self._succeeded(watched, observed, applied, started, began=began)
            case Superseded() as superseded:
                text = f"superseded after {took}"
                self._phase(PhaseName.ROLLOUT, PhaseState.FAILED, text, began)
                return self._finish(
                    started, Outcome.SUPERSEDED, message=_superseded_text(superseded)
                )
            case TimedOut() | InProgress():
                self._phase(PhaseName.ROLLOUT, PhaseState.FAILED, f"no end after {took}", began)
                diagnosis = self._diagnose(watcher, watched, observed)
                return self._timed_out(started, watched, diagnosis)
            case Unproved() | Doomed() | RollingBack() | RolledBack() | Failed():
                self._phase(PhaseName.ROLLOUT, PhaseState.FAILED, f"failed after {took}", began)
                return self._failed(watcher, watched, observed, started)

    def _succeeded(
        self,
        watched: Watched,
        observed: Observed,
        applied: Applied,
        started: datetime,
        *,
        began: datetime,
    ) -> Result:
        """ECS calls a deployment of no tasks successful at once: that is an outcome of its own."""
        service = watched.snapshot.service
        if service is not None and service.desired == 0:
            self._phase(PhaseName.ROLLOUT, PhaseState.DONE, "no task: the count is 0", began)
            return self._finish(
                started,
                Outcome.NOT_STARTED,
                applied=applied,
                message=not_started_text(self.asked.revision),
                next_steps=(self._scale_command(),),
            )
        took = _seconds(self.clock.now() - began)
        count = f"{service.running} of {service.desired}" if service else "all"
        self._phase(PhaseName.ROLLOUT, PhaseState.DONE, f"{count} healthy after {took}", began)
        arn, watched_on = applied.task_definition_arn, self._watches_on and self._rolls_out()
        note = mark_proved(self.aws.ecs, arn, observed, was_watched=watched_on)
        self.notes = (*self.notes, note) if note else self.notes
        return self._finish(started, Outcome.SUCCEEDED, applied=applied)

    def _scale_command(self) -> str:
        service, env = self.desired.service_name, self.desired.environment
        return f"fsd scale --service {service} --env {env} --count 1"

    def _failed(
        self, watcher: Watcher, watched: Watched, observed: Observed, started: datetime
    ) -> Result:
        assert self.ours is not None
        assert self.plan is not None
        self.diagnosis = diagnosis = self._diagnose(watcher, watched, observed)
        ecs_does_it = isinstance(watched.verdict, RollingBack | RolledBack)
        if not (self.request.rollback or ecs_does_it):
            self._note(diagnosis)
            message = (
                f"not rolled back (--no-rollback): ECS still has {self.asked.revision} as its "
                "newest deployment"
            )
            return self._finish(
                started, Outcome.ROLLBACK_FAILED, diagnosis=diagnosis, message=message
            )
        began = self.clock.now()
        self._phase(PhaseName.ROLLBACK, PhaseState.RUNNING, "", began)
        job = GoBack(
            aws=self.aws,
            clock=self.clock,
            watcher=watcher,
            ours=self.ours,
            verdict=watched.verdict,
            desired=self.desired,
            observed=self.stack.with_stack_before(observed),
            count=self.plan.count_asked,
            template=self.stack.changed_template(observed),
        )
        try:
            back = go_back(job)
        except (CallFailedError, TimedOutError) as error:
            # The diagnosis must not be lost over it.
            back = ended_by_error(job, error)
        back = bring_back(job, back)
        self._note(diagnosis)
        return self._finish_rollback(back, started, began=began, diagnosis=diagnosis)

    def _finish_rollback(
        self, back: RolledBackTo, started: datetime, *, began: datetime, diagnosis: Diagnosis
    ) -> Result:
        state = PhaseState.DONE if back.outcome is Outcome.ROLLED_BACK else PhaseState.FAILED
        took = _seconds(self.clock.now() - began)
        self._phase(PhaseName.ROLLBACK, state, f"{back.text} after {took}", began)
        if back.outcome is Outcome.SUCCEEDED:
            return self._finish(started, back.outcome, message=back.message)
        return self._finish(
            started, back.outcome, diagnosis=diagnosis, message=back.message, next_steps=back.next
        )

    def _note(self, diagnosis: Diagnosis) -> None:
        """In the ledger: ECS's own reason is that a rollback was asked for."""
        assert self.ours is not None
        untold = note_failure(self.aws.ecs, self.ours.task_definition_arn, diagnosis.cause)
        if untold:
            self.reporter.note(untold)

    def _diagnose(self, watcher: Watcher, watched: Watched, observed: Observed) -> Diagnosis:
        assert self.ours is not None
        assert self.plan is not None
        watcher.refresh_evidence()
        changed = find_changes(
            self.aws.ecs,
            good=last_good(observed),
            failed=self.ours.task_definition_arn,
            count_commits=self.request.count_commits,
        )
        updates = [step for step in self.plan.steps if isinstance(step, UpdateService)]
        settings = tuple(change for step in updates for change in step.changes)
        return diagnose(
            self.aws,
            watcher.snapshot,
            task_definition_arn=self.ours.task_definition_arn,
            log_group=self.desired.log_group,
            port=self.desired.check_port,
            reason=getattr(watched.verdict, "reason", ""),
            changed_since=changed.since,
            changes=(*changed.changes, *settings) if changed.since else (),
        )

    def _timed_out(self, started: datetime, watched: Watched, diagnosis: Diagnosis) -> Result:
        """With what stands in its way, where anything tells."""
        deployment = watched.snapshot.deployment
        status = deployment.status if deployment else "unknown"
        hook = deployment.awaits if deployment else None
        message = self._where_it_stands(watched, status)
        steps = [
            f"fsd status --service {self.desired.service_name} --env "
            f"{self.desired.environment} --watch"
        ]
        if deployment and hook:
            message = paused_text(hook, deployment.lifecycle_stage)
            steps.insert(0, continue_command(deployment.arn, hook))
        return self._finish(
            started,
            Outcome.TIMED_OUT,
            diagnosis=diagnosis if diagnosis.cause.code != ROLLOUT_FAILED.code else None,
            message=f"not done after {_seconds(self.request.timeout)}; {message}",
            next_steps=tuple(steps),
        )

    def _where_it_stands(self, watched: Watched, status: str) -> str:
        assert self.ours is not None
        assert self.watcher is not None
        drain = Drain(delay=timedelta(seconds=self.desired.drain), speed=self.request.pace.speed)
        stands = self.watcher.where_it_stands(self.ours, drain)
        service = watched.snapshot.service
        goes_on = f"ECS says {status} and goes on by itself"
        if service is None or not stands.startswith("all "):
            goes_on += ": its circuit breaker rolls back what does not get healthy"
        return f"{stands}. {goes_on}"

    def _unknown(self, started: datetime, error: CallFailedError) -> Result:
        """AWS stopped answering in mid-rollout: what is going on there is not known."""
        service, env = self.desired.service_name, self.desired.environment
        goes_on = (
            "ECS goes on by itself, and its circuit breaker rolls back what does not get healthy"
        )
        if self._is_confirming:
            goes_on = "ECS calls its deployment done; that its tasks keep running was not seen"
        return self._finish(
            started,
            Outcome.TIMED_OUT,
            message=f"the state of {self.asked.revision} is not known: {error.what}; {goes_on}",
            next_steps=(f"fsd status --service {service} --env {env}", error.fix),
            look=False,
        )

    def _interrupted(self, started: datetime, signal: Interrupted) -> Result:
        """One answer within the seconds that a runner leaves: say what state things are in."""
        service, env = self.desired.service_name, self.desired.environment
        revision = self.asked.revision
        if self.has_succeeded:
            message = (
                f"{signal.what} after {revision} had succeeded; scaling limits, or the end "
                "of what only old tasks needed in the stack, may be missing"
            )
        elif self.changing:
            message = (
                f"{signal.what} while CloudFormation changes {self.changing}: what it has begun, "
                "it finishes; ECS was not asked to change anything that runs"
            )
        elif self.ours is None and not self.asked.revision_arn:
            message = f"{signal.what} before ECS was asked to change anything that runs"
        elif self.diagnosis is None and self._is_confirming:
            message = (
                f"{signal.what} after ECS had called the deployment of {revision} done; that its "
                "tasks keep running was not seen to the end"
            )
        elif self.diagnosis is not None:
            message = (
                f"{signal.what} while {revision} was rolled back; ECS goes on with what it "
                "was asked for"
            )
        elif not self.asked.is_known_to_be_taken():
            message = (
                f"{signal.what} in the moment in which ECS was asked to roll out "
                f"{revision}: it lists no deployment of it yet"
            )
        else:
            wants_rollback = self.request.on_cancel is OnCancel.ROLLBACK
            message = f"{signal.what}; {self.asked.cancel(roll_back=wants_rollback)}"
        return self._finish(
            started,
            Outcome.INTERRUPTED,
            diagnosis=self.diagnosis,
            message=message,
            next_steps=(
                f"fsd status --service {service} --env {env}",
                "the same fsd deploy again: it attaches to what is in flight",
            ),
            look=False,
        )

    # --- report ----------------------------------------------------------------------------

    def _phase(
        self,
        name: PhaseName | None,
        state: PhaseState,
        text: str,
        began: datetime,
        *,
        step: Step | None = None,
        revision: str = "",
    ) -> None:
        if name is None:
            return
        phase = Phase(
            name=name,
            state=state,
            text=text,
            step=step,
            revision=revision,
            started_at=began,
            finished_at=None if state is PhaseState.RUNNING else self.clock.now(),
        )
        self.phases = [p for p in self.phases if (p.name, p.started_at) != (name, began)] + [phase]
        self.reporter.phase(phase)

    def _previous(self, observed: Observed) -> ReleaseInfo | None:
        return release_info(observed.running) if observed.running else None

    def _warnings(self) -> tuple[str, ...]:
        return tuple(self.watcher.view.warnings) if self.watcher else ()

    @property
    def _watches_on(self) -> bool:
        return self.desired.steady_for > 0 and self.request.wait

    @property
    def _is_confirming(self) -> bool:
        return self.watcher is not None and self.watcher.is_confirming

    def _rolls_out(self) -> bool:
        return self.plan is not None and self.plan.rolls_out

    def _release(self, applied_arn: str) -> ReleaseInfo:
        release, task = self.request.release, self.desired.task_definition
        return ReleaseInfo(
            version=release.version,
            commit=release.commit,
            revision=family_revision(applied_arn),
            task_definition_arn=applied_arn,
            digest=self.request.image.digest,
            cpu=int(str(task.get("cpu", 0))),
            memory=int(str(task.get("memory", 0))),
            run=release.run,
        )

    def _finish(
        self,
        started: datetime,
        outcome: Outcome,
        *,
        applied: Applied | None = None,
        diagnosis: Diagnosis | None = None,
        message: str = "",
        next_steps: tuple[str, ...] = (),
        look: bool = True,
        seen: AsObserved | None = None,
    ) -> Result:
        desired, identity = self.desired, self.aws.identity
        ours_arn = self.ours.task_definition_arn if self.ours else self.asked.revision_arn
        arn = ours_arn or (applied.task_definition_arn if applied else "")
        if not arn and outcome is Outcome.UNCHANGED and self.previous:
            arn = self.previous.task_definition_arn
        result = Result(
            outcome=outcome,
            action="deploy",
            service=desired.service_name,
            environment=desired.environment,
            account=identity.account,
            region=identity.region,
            started_at=started,
            finished_at=self.clock.now(),
            release=self._release(arn),
            previous=self.previous,
            image=self.request.image.uri,
            deployment_arn=self.ours.arn if self.ours else "",
            log_group=desired.log_group,
            owners=desired.owners,
            phases=tuple(self.phases),
            changes=self.plan.changes() if self.plan else (),
            diagnosis=diagnosis,
            message=message,
            next_steps=next_steps,
            notes=(*self.request.notes, *self.notes, *self._warnings()),
        )
        retry = Retry(
            clock=self.clock,
            reporter=self.reporter,
            speed=self.request.pace.speed,
            limit=LAST_LOOK_LIMIT,
        )
        for see in (self._with_service, self._with_stack) if look else ():
            try:
                result = see(result, retry.of(self.aws), seen)
            except CallFailedError as error:
                # How it ended is known; only the picture of what runs is not whole.
                note = f"what runs now could not be read: {error.what}"
                result = replace(result, notes=(*result.notes, note))
        return result

    def _with_service(self, result: Result, aws: Aws, seen: AsObserved | None) -> Result:
        """The last look: what runs now, so that a report never claims more than was seen."""
        service = seen.service if seen else None
        service = service or aws.ecs.find_service(self.desired.service.cluster, self.desired.name)
        if service is None:
            return result
        is_judged = result.outcome is Outcome.SUCCEEDED and self.watcher is not None
        judged = self.watcher.reader.targets_of_this_look if self.watcher and is_judged else None
        targets = (lambda: judged) if judged is not None else seen.targets if seen else None
        healthy = read_healthy(aws, service, targets=targets)
        notes = result.notes
        if result.outcome in {Outcome.SUCCEEDED, Outcome.UNCHANGED}:
            name, env = self.desired.service_name, self.desired.environment
            command = f"fsd diagnose --service {name} --env {env}"
            notes = (*notes, *filter(None, [unhealthy_note(service, healthy, command)]))
        return replace(
            result,
            running=self._info(service.task_definition_arn, aws),
            running_count=service.running,
            desired_count=service.desired,
            healthy_count=healthy,
            notes=notes,
        )

    def _info(self, arn: str, aws: Aws) -> ReleaseInfo | None:
        if self.previous is not None and arn == self.previous.task_definition_arn:
            return self.previous
        try:
            found = aws.ecs.find_task_definition(arn)
        except CallFailedError:
            if self.ours is None or arn != self.ours.task_definition_arn:
                raise
            return self._release(arn)
        return release_info(found) if found else None

    def _with_stack(self, result: Result, aws: Aws, seen: AsObserved | None) -> Result:
        if result.running is None:
            return result
        if seen is not None:
            return replace(result, url=seen.outputs.get(OUTPUT_URL, ""))
        stack = aws.stacks.find(self.desired.stack_name)
        if self.ours and result.running.task_definition_arn == self.ours.task_definition_arn:
            self.stack_seen = stack
        is_worker = self.stack_seen is not None and not self.desired.service.has_load_balancer
        has_url = stack is not None and not is_worker  # its load balancer goes, or has gone
        return replace(result, url=stack.outputs.get(OUTPUT_URL, "") if stack and has_url else "")


_KEPT = "the stack keeps what only the old tasks needed; the next deployment removes it"
# How the deployment ended is known; for a whole picture of what runs one may wait a little.
LAST_LOOK_LIMIT = timedelta(seconds=14)
# A revision that is older than our deployment by less may be another run's, just about to use it.
ORPHAN_MARGIN = timedelta(seconds=30)

_PHASES: dict[type[Step], PhaseName] = {
    ApplyStack: PhaseName.STACK,
    RegisterRevision: PhaseName.REVISION,
    RunOneOff: PhaseName.TASK,
    UseRevision: PhaseName.REVISION,
}


def _revision_made(step: Step, applied: Applied) -> str:
    if not isinstance(step, RegisterRevision | UseRevision):
        return ""
    return family_revision(applied.task_definition_arn)


def _superseded_text(superseded: Superseded) -> str:
    if not superseded.by:
        return "the service was deleted meanwhile"
    revision = family_revision(superseded.task_definition_arn)
    return f"another deployment took over with {revision}; nothing of it was undone"


def _seconds(duration: timedelta) -> str:
    total = round(duration.total_seconds())
    return f"{total} s" if total < 60 else f"{total // 60}m{total % 60:02d}s"
