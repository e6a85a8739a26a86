"""Deploy: one driver over the stages of a deployment.

    plan ─▶ apply ─▶ request ─▶ follow ─┬─▶ settle ─▶ last look
      ▲                 │               └─▶ go back ─▶ last look
      └─ another began ─┘

`_run` reads from top to bottom as a deployment goes:

1. `observe` reads the service, its stack and its deployments; `plan_release` says what is to
   change. While another deployment is in flight this waits, refuses or takes over
   (`concurrency.in_flight`).
2. Nothing to change ends it here. An older commit over a newer one is refused, and a health check
   that moves is tried on the tasks that run (`probe`).
3. The steps before the rollout are applied in order (`apply`): cluster, stack, revision.
4. ECS is asked for the rollout, unless another deployment began since 1: then everything is looked
   at again. Our deployment is then found by its ARN.
5. `follow` watches it to a verdict. Where it has failed, it explains why and goes back.
6. `with_what_runs` looks once more, so that the result says what is there, not what should be.
7. What waited for the verdict is settled: the release is marked as proved, scaling limits are set,
   and what only old tasks needed goes.

The stages (`stages`) are what a signal or a lost answer meets; where the path ends early, the stage
says what is true. What exists only because several runs may do this at once is in `concurrency`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fsd.compile.desired import Desired, Image, Json, Release
from fsd.errors import CallFailedError, Interrupted, RefusedError
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
from fsd.quoted import Quoted
from fsd.release.alarms import warnings
from fsd.release.apply import Applied, apply_step, split_plan, tasks_after
from fsd.release.changed import CountCommits
from fsd.release.concurrency.in_flight import (
    CommitOrder,
    InFlight,
    OrderCommits,
    Precedence,
    in_flight_error,
    refuse_older,
    takes_over,
)
from fsd.release.concurrency.orphans import discard_if_unused, discard_orphans, may_have_orphans
from fsd.release.concurrency.races import (
    another_run_was_faster,
    begun_since,
    find_deployments_since,
)
from fsd.release.ending import Ending
from fsd.release.follow import Rollout, ended_unknown, follow
from fsd.release.last_look import AtHand, with_url, with_what_runs
from fsd.release.ledger import release_info
from fsd.release.notes import (
    AnswerLost,
    AttachedTo,
    ClashLeft,
    CountSet,
    DeploymentAwaited,
    Note,
    OneOffFailedAfter,
    OtherDeployment,
    OutputLine,
    Remark,
    StackKeepsMore,
)
from fsd.release.observe import observe, place_of
from fsd.release.one_off import StepFailedError, make_runner, run_step
from fsd.release.operation import Operation, ServiceRef
from fsd.release.pace import Pace
from fsd.release.phases import PhaseLog
from fsd.release.ports import Aws, Clock, Stack, TaskDefinition
from fsd.release.probe import Trial, start_sweep, sweep, try_moved_check
from fsd.release.proof import mark_before_start, mark_before_watch, mark_proved
from fsd.release.reporter import Reporter
from fsd.release.result import Outcome, Phase, PhaseName, PhaseState, ReleaseInfo, Result
from fsd.release.rollback import ChangedStack, GoBack
from fsd.release.stack_change import StackChange
from fsd.release.stages import Applying, DeployStage, Planning, Requested, Rolling, Settling
from fsd.release.waiting_time import NOT_KNOWN, SHORTEST, too_short_note
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.rollout.fresh_roles import PROPAGATION
from fsd.snapshot import ServiceState, TargetHealth


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
    notes: tuple[Note, ...] = ()
    started_at: datetime | None = None

    @property
    def precedence(self) -> Precedence:
        return Precedence(
            commit=self.release.commit,
            in_flight=self.in_flight,
            order=self.order,
            allow_older=self.allow_older,
            supersede_older=self.supersede_older,
        )


def deploy(request: DeployRequest, aws: Aws, *, clock: Clock, reporter: Reporter) -> Result:
    """Deploy and return how it ended.

    Raises RefusedError where another deployment is in flight, CallFailedError where AWS refuses a
    step before the rollout began; once it began, every end is a Result.
    """
    desired = request.desired
    operation = Operation(
        aws=aws,
        ref=ServiceRef(
            service=desired.service_name,
            environment=desired.environment,
            cluster=desired.service.cluster,
            name=desired.name,
            stack_name=desired.stack_name,
            log_group=desired.log_group,
        ),
        clock=clock,
        reporter=reporter,
        timeout=request.timeout,
        wait=request.wait,
        pace=request.pace,
    )
    phases = PhaseLog(clock=clock, reporter=reporter, phases=request.phases)
    started = request.started_at or clock.now()
    return _Deployment(
        request=request,
        operation=operation,
        started=started,
        phases=phases,
        stack=StackChange(stacks=aws.stacks, desired=desired, reporter=reporter),
    ).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """AWS as it was observed, and what is to change of it."""

    observed: Observed
    plan: Plan

    @property
    def previous(self) -> ReleaseInfo | None:
        running = self.observed.running
        return release_info(running) if running else None

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.observed.stack.outputs if self.observed.stack else {}

    @property
    def has_targets(self) -> bool:
        return self.observed.service is not None and bool(self.observed.service.target_group_arns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What was applied, and what waits for the verdict."""

    look: _Look
    applied: Applied
    after: tuple[Step, ...]
    requested: Requested | None  # None where nothing rolls out


class _UnknownError(Exception):
    """ECS was asked to roll out, and AWS does not say what became of it."""

    def __init__(self, error: CallFailedError) -> None:
        super().__init__(error.what)
        self.error = error


@dataclass(slots=True, kw_only=True)
class _Deployment:
    """What a whole deployment has; what is known only for a while is in its stage."""

    request: DeployRequest
    operation: Operation
    started: datetime
    phases: PhaseLog
    stack: StackChange
    stage: DeployStage = field(default_factory=Planning)
    look: _Look | None = None  # the last one
    attempts: int = 0  # looks whose plan another deployment made out of date
    registered: str = ""  # the revision that this run made, while nothing uses it
    deployment_arn: str = ""
    notes: tuple[Note, ...] = ()
    late_notes: tuple[Note, ...] = ()  # that are told at the end

    @property
    def desired(self) -> Desired:
        return self.request.desired

    @property
    def aws(self) -> Aws:
        return self.operation.aws

    @property
    def clock(self) -> Clock:
        return self.operation.clock

    @property
    def reporter(self) -> Reporter:
        return self.operation.reporter

    def run(self) -> Result:
        try:
            return self._run_or_take_back()
        except Interrupted as signal:
            return self._interrupted(signal)

    def _run_or_take_back(self) -> Result:
        try:
            return self._run()
        except RefusedError:
            self._take_back()
            raise

    def _run(self) -> Result:
        look = self._plan()
        while not look.plan.is_empty:
            self._refuse_older(look)
            self._try_moved_check(look)
            try:
                change = self._apply(look)
                if change is not None:
                    return self._roll_out(change)
            except _UnknownError as unknown:
                return self._unknown(unknown.error)
            except StepFailedError as failed:
                return self._not_begun(failed)
            self.attempts += 1
            self.reporter.note(Remark.ANOTHER_BEGAN)
            look = self._plan()
        return self._unchanged(look)

    def _roll_out(self, change: _Change) -> Result:
        if change.requested is None:
            self._apply_after(change, change.after)
            return self._finish(Ending(outcome=Outcome.SUCCEEDED), change=change)
        rolling = self._find(change, change.requested)
        if not self.request.wait:
            return self._leave(change)
        rollout = self._rollout(change, rolling)
        ended = follow(rollout, phases=self.phases, enter=self._enter)
        if ended.outcome in {Outcome.SUCCEEDED, Outcome.NOT_STARTED}:
            return self._settle(ended, change, rolling)
        return self._finish(ended, change=change, rolling=rolling)

    def _enter(self, stage: DeployStage) -> None:
        self.stage = stage

    # --- 1, 2: look and plan ---------------------------------------------------------------

    def _plan(self) -> _Look:
        """Observe and plan; with --wait-for-lock again, until nothing else is in flight."""
        deadline = self.started + self.request.timeout
        left = start_sweep(self.aws, self.desired.stack_name) if self._may_have_probes else None
        early = None if self.attempts else self.request.observed()
        is_waiting = False
        while True:
            lists = self.attempts > 0 or is_waiting
            observed = early or observe(self.aws, place_of(self.desired), lists=lists)
            early = None
            look = self.look = _Look(observed=observed, plan=plan_release(self.desired, observed))
            if self._may_go_on(look, is_over=self.clock.now() >= deadline):
                break
            if not is_waiting:
                is_waiting = True
                self._take_back()
                self._tell_of_the_wait(observed)
            self.clock.wait(self.request.pace.interval(self.clock.now() - self.started))
        if not look.plan.rolls_out:
            self._discard_registered()  # another run did the very same, and was faster
        self.notes = look.plan.notes
        if not self.attempts and look.has_targets:
            name, now = self.desired.stack_name, self.clock.now()
            sweep(self.aws, left or start_sweep(self.aws, name), now=now, reporter=self.reporter)
        return look

    @property
    def _may_have_probes(self) -> bool:
        return not self.attempts and self.desired.service.has_load_balancer

    def _may_go_on(self, look: _Look, *, is_over: bool) -> bool:
        """Raises RefusedError where another deployment is in flight, and is not waited for."""
        flight = look.observed.in_flight
        if flight is None or look.plan.attach_to:
            return True
        rules = self.request.precedence
        if not look.plan.is_empty and takes_over(
            flight, rules, ecs=self.aws.ecs, tell=self.reporter.note
        ):
            return True
        if rules.in_flight is InFlight.REFUSE or is_over:
            fix = "wait for it with --wait-for-lock, or take over with --supersede"
            raise in_flight_error(
                flight, what="another deployment", name=self.desired.name, fix=fix
            )
        return False

    def _tell_of_the_wait(self, observed: Observed) -> None:
        if observed.in_flight is not None:
            revision = family_revision(observed.in_flight.task_definition_arn)
            self.reporter.note(DeploymentAwaited(revision=revision))

    def _unchanged(self, look: _Look) -> Result:
        """What was observed a moment ago is what runs; only the targets are read to tell it."""
        service, targets = look.observed.service, look.observed.targets
        read = (lambda: targets) if targets is not None else None
        at_hand = self._at_hand(service=service, targets=read, outputs=look.outputs)
        ended = Ending(outcome=Outcome.UNCHANGED)
        return self._with_last_look(self._result(ended), at_hand)[0]

    def _refuse_older(self, look: _Look) -> None:
        service = look.observed.service
        if service is not None:
            rules = self.request.precedence
            refuse_older(look.previous, rules, self.desired, where=service.arn)

    def _try_moved_check(self, look: _Look) -> None:
        """Before anything changes: a check that running tasks fail would end them."""
        if self.request.allow_interruption:
            return
        trial = Trial(
            aws=self.aws,
            clock=self.clock,
            reporter=self.reporter,
            pace=self.request.pace,
            desired=self.desired,
            change_stack=lambda template: self._change_stack(template, look.observed),
        )
        try:
            try_moved_check(trial, look.observed, look.plan)
        except CallFailedError:
            self.stack.restore_if_ours()  # as `run` does where it is refused
            raise

    def _change_stack(self, template: Json, observed: Observed) -> None:
        """Until it is known whether the release begins; then its own template comes, or this goes.

        A run that is killed leaves it, and what to go back to in it.
        """
        name = self.desired.stack_name
        self.stage = Applying(changing=name)
        self.stack.begins(template, observed)
        remembered = observed.remembering(template)
        self.aws.stacks.apply(name, template=remembered, tags=dict(self.desired.stack_tags))
        self.stage = Applying()

    # --- 3: apply --------------------------------------------------------------------------

    def _apply(self, look: _Look) -> _Change | None:
        """None where another deployment began before ECS was asked: the plan is out of date."""
        plan, observed = look.plan, look.observed
        before, after = split_plan(plan)
        running = observed.running.arn if observed.running else ""
        applied = Applied(
            outputs=look.outputs, task_definition_arn=running, run_one_off=self._run_one_off
        )
        requested: Requested | None = None
        if plan.rolls_out:
            self._warn(plan)
        for step in before:
            if plan.rolls_out and isinstance(step, CreateService | UpdateService):
                requested = self._request(step, applied, observed)
                if requested is None:
                    return None
            else:
                applied = self._apply_step(step, applied, look)
        if plan.attach_to:
            self.reporter.note(AttachedTo(deployment_arn=plan.attach_to))
            requested = self._requested(applied.task_definition_arn, arn=plan.attach_to)
        return _Change(look=look, applied=applied, after=after, requested=requested)

    def _requested(
        self, task_definition_arn: str, *, known: frozenset[str] = frozenset(), arn: str = ""
    ) -> Requested:
        self.stage = requested = Requested(
            operation=self.operation,
            task_definition_arn=task_definition_arn,
            known=known,
            is_taken=bool(arn),
            arn=arn,
        )
        return requested

    def _warn(self, plan: Plan) -> None:
        configuration = self.desired.service.deployment_configuration
        speed = self.request.pace.speed
        short = too_short_note(self.request.timeout, self.request.expected, speed=speed)
        said = (*plan.notes, *warnings(self.aws, configuration))
        self.notes = (*said, short) if short and self.request.wait else said
        for note in self.notes:
            self.reporter.note(note)

    def _apply_step(self, step: Step, applied: Applied, look: _Look) -> Applied:
        """The stage is left as it is once ECS was asked."""
        name, is_stack = _PHASES.get(type(step)), isinstance(step, ApplyStack)
        if not self.stage.task_definition_arn:
            self.stage = Applying(changing=self.desired.stack_name if is_stack else "")
        began = self.phases.begin(name, step=step)
        try:
            applied = self._carry_out(step, applied, look.observed)
        except CallFailedError as error:
            self.phases.end(name, PhaseState.FAILED, "failed", began)
            self._clean_up_after(step, error)
            raise
        if not self.stage.task_definition_arn:
            self.stage = Applying()
        made = _revision_made(step, applied)
        self.phases.end(name, PhaseState.DONE, "", began, step=step, revision=made)
        return applied

    def _carry_out(self, step: Step, applied: Applied, observed: Observed) -> Applied:
        if isinstance(step, ApplyStack) and not step.cleans_up:
            self.stack.begins(step.template, observed)
        if isinstance(step, ApplyStack) and step.cleans_up:
            clash = self.stack.clash(observed)
            if clash:
                self._tell_late(ClashLeft(clash=clash, since=self._deployments_since(observed)))
                return applied
        if isinstance(step, RegisterRevision) and self.registered:
            # Before somebody else was faster.
            return replace(applied, task_definition_arn=self.registered)
        applied = apply_step(step, applied, desired=self.desired, aws=self.aws)
        if isinstance(step, RegisterRevision):
            self.registered = applied.task_definition_arn
        return applied

    def _run_one_off(self, step: RunOneOff, applied: Applied) -> None:
        """A failure after the verdict is a warning: what it was to do can be done again."""
        runner = make_runner(
            self.desired,
            applied.outputs,
            self.aws,
            clock=self.clock,
            on_line=lambda line: self.reporter.note(OutputLine(source=step.key, text=line)),
            speed=self.request.pace.speed,
        )
        arn = applied.task_definition_arn
        try:
            run_step(step, self.aws, runner, desired=self.desired, task_definition_arn=arn)
        except StepFailedError as failed:
            if not step.is_after:
                raise
            self._tell_late(OneOffFailedAfter(error=Quoted(text=failed.what), fix=failed.fix))

    def _tell_late(self, note: Note) -> None:
        """Now, and at the end."""
        self.late_notes = (*self.late_notes, note)
        self.reporter.note(note)

    def _deployments_since(self, observed: Observed) -> tuple[OtherDeployment, ...]:
        """The deployments that began since the look: whoever has changed the stack is among them,
        or is nobody of whom ECS knows."""
        ours = self.deployment_arn
        return find_deployments_since(self.aws.ecs, observed, ours=ours, desired=self.desired)

    def _clean_up_after(self, step: Step, error: CallFailedError) -> None:
        """A step after the stack's failed: the stack goes back, so that nothing is half-done.

        Not once the release runs: then only the limits of scaling are not as they should be.
        """
        if isinstance(step, ApplyStack):
            return
        if self.stage.task_definition_arn:
            revision = family_revision(self.stage.task_definition_arn)
            raise CallFailedError(
                f"{error.what}; ECS has {revision}, and the service scales as before",
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

    # --- 4: request, and find --------------------------------------------------------------

    def _request(
        self, step: CreateService | UpdateService, applied: Applied, observed: Observed
    ) -> Requested | None:
        """Ask ECS for the rollout. None where another one began since it was observed."""
        try:
            return self._ask(step, applied, observed)
        except CallFailedError as error:
            self.stage = Applying()
            self._clean_up_after(step, error)
            raise

    def _ask(
        self, step: CreateService | UpdateService, applied: Applied, observed: Observed
    ) -> Requested | None:
        ref, arn = self.operation.ref, applied.task_definition_arn
        known = frozenset[str]()
        if observed.service is not None:
            arns = self.aws.ecs.service_deployment_arns(ref.cluster, ref.name)
            insists = self.request.in_flight is InFlight.SUPERSEDE and self.attempts > 0
            if begun_since(arns, observed) and not insists:
                return None
            known = frozenset(arns)
        self._mark_before(step, applied, observed)
        requested = self._requested(arn, known=known)
        try:
            apply_step(step, applied, desired=self.desired, aws=self.aws)
        except CallFailedError as error:
            if error.may_be_done:
                self._require_taken(requested, error)
            elif another_run_was_faster(error, step, self.aws, desired=self.desired):
                self.stage = Applying()
                if isinstance(step, UpdateService):
                    self.registered = ""  # it is gone
                return None
            else:
                raise
        self.stage = requested = replace(requested, is_taken=True)
        return requested

    def _mark_before(self, step: Step, applied: Applied, observed: Observed) -> None:
        """A run that is killed leaves no false success."""
        now = observed.service.desired if observed.service else 0
        arn = applied.task_definition_arn
        if tasks_after(step, applied, desired=self.desired, now=now) == 0:
            mark_before_start(self.aws.ecs, arn, observed)
        elif self._watches_on:
            note = mark_before_watch(self.aws.ecs, arn, observed)
            self.late_notes = (*self.late_notes, note) if note else self.late_notes

    def _require_taken(self, requested: Requested, error: CallFailedError) -> None:
        """ECS rolls out what it was asked for, although no answer came; else raises `error`.

        Raises _UnknownError where that cannot be seen either: then nothing is put back, because
        what ECS rolls out belongs to the stack of now.
        """
        try:
            is_taken = bool(requested.find_deployment())
        except CallFailedError:
            raise _UnknownError(error) from error
        if not is_taken:
            raise error
        self.reporter.note(AnswerLost(error=Quoted.of(error)))

    def _find(self, change: _Change, requested: Requested) -> Rolling:
        watcher, arn = self._watcher(change.look), requested.arn
        if not arn:
            try:
                found = watcher.find(
                    known=requested.known, task_definition_arn=requested.task_definition_arn
                )
            except CallFailedError as error:
                raise _UnknownError(error) from error
            arn = found.arn
            self.notes = (*self.notes, *watcher.taken_over)
        self.deployment_arn = arn
        patience = PROPAGATION / self.request.pace.speed
        ours = Ours(
            service=self.desired.name,
            arn=arn,
            task_definition_arn=requested.task_definition_arn,
            role_patience=patience if self.stack.changes_roles() else timedelta(),
        )
        requested = replace(requested, arn=arn)
        self.stage = rolling = Rolling(requested=requested, ours=ours, watcher=watcher)
        return rolling

    def _watcher(self, look: _Look) -> Watcher:
        now, running = self.clock.now(), look.observed.running
        return Watcher(
            aws=self.aws,
            clock=self.clock,
            reporter=self.reporter,
            cluster=self.desired.service.cluster,
            service=self.desired.name,
            pace=self.request.pace,
            started=now,
            deadline=max(self.started, now) + self.request.timeout,
            old_revision=family_revision(running.arn) if running else "",
            steady_for=timedelta(seconds=self.desired.steady_for),
        )

    # --- 5, 7: follow, and settle ----------------------------------------------------------

    def _rollout(self, change: _Change, rolling: Rolling) -> Rollout:
        look, desired, drain = change.look, self.desired, timedelta(seconds=self.desired.drain)
        template = self.stack.changed_template(look.observed)
        tags = desired.stack_tags
        way_back = GoBack(
            operation=self.operation,
            watcher=rolling.watcher,
            ours=rolling.ours,
            verdict=TimedOut(),
            observed=self.stack.with_stack_before(look.observed),
            count=look.plan.count_asked,
            wanted=desired.service.desired_count,
            stack=ChangedStack(template=template, own=desired.template, tags=tags)
            if template is not None
            else None,
            container=desired.service.container,
            drain=drain,
        )
        updates = [step for step in look.plan.steps if isinstance(step, UpdateService)]
        return Rollout(
            rolling=rolling,
            way_back=way_back,
            goes_back=self.request.rollback,
            drain=drain,
            check_port=desired.check_port,
            settings=tuple(setting for step in updates for setting in step.changes),
            count_commits=self.request.count_commits,
        )

    def _leave(self, change: _Change) -> Result:
        """Without the verdict: the old tasks may be needed yet, and what they need with them."""
        self._apply_after(change, self._without_clean_up(change.after))
        self.notes = (*self.notes, *self.late_notes)
        return self._finish(Ending(outcome=Outcome.STARTED), change=change)

    def _settle(self, ended: Ending, change: _Change, rolling: Rolling) -> Result:
        """What waits for the verdict. A stack that keeps too much is no failure of a release."""
        arn, observed = rolling.task_definition_arn, change.look.observed
        self.stage = Settling(task_definition_arn=arn)
        if ended.is_proved:
            was_watched = self._watches_on and change.look.plan.rolls_out
            note = mark_proved(self.aws.ecs, arn, observed, was_watched=was_watched)
            self.notes = (*self.notes, note) if note else self.notes
        result, stack = self._look_once_more(ended, change, rolling)
        is_ours = result.running is not None and result.running.task_definition_arn == arn
        after = self._without_clean_up(change.after) if self._old_tasks_remain else change.after
        claimed = self.stack.claim(stack if is_ours else None)
        if claimed:
            self.reporter.note(claimed)
        kept, applied = self._clean_up(change, after)
        last = (claimed, kept, *self.late_notes, applied.undeleted, *_counts_set(after))
        self._discard_orphans(rolling)
        return replace(
            result,
            notes=(*result.notes, *(note for note in last if note is not None)),
            phases=self.phases.phases,
            finished_at=self.clock.now(),
        )

    def _clean_up(self, change: _Change, after: tuple[Step, ...]) -> tuple[Note | None, Applied]:
        """(what to tell of a stack that keeps too much, what was applied)."""
        stacks = tuple(step for step in after if isinstance(step, ApplyStack))
        applied = self._apply_after(change, tuple(step for step in after if step not in stacks))
        try:
            return None, self._apply_after(replace(change, applied=applied), stacks)
        except CallFailedError as error:
            return StackKeepsMore(error=Quoted.of(error)), applied

    def _apply_after(self, change: _Change, steps: tuple[Step, ...]) -> Applied:
        applied = change.applied
        for step in steps:
            applied = self._apply_step(step, applied, change.look)
        return applied

    def _without_clean_up(self, after: tuple[Step, ...]) -> tuple[Step, ...]:
        """What only old tasks need stays for the next deployment to remove."""
        now = tuple(step for step in after if not isinstance(step, ApplyStack | RunOneOff))
        if now != after:
            self.late_notes = (*self.late_notes, StackKeepsMore())
        return now

    @property
    def _old_tasks_remain(self) -> bool:
        """With an early success ECS drains and stops them after it has called it done."""
        early = self.desired.service.deployment_configuration.get("earlySuccessCriteria")
        return isinstance(early, dict) and early.get("sourceServiceRevisionCleanup") == "DEFERRED"

    @property
    def _watches_on(self) -> bool:
        return self.desired.steady_for > 0 and self.request.wait

    # --- what this run has made, and what earlier ones left ----------------------------------

    def _take_back(self) -> None:
        """What this run has made and will not use, or not now, must not look like a release."""
        self._discard_registered()
        self.stack.restore_if_ours()

    def _discard_registered(self) -> None:
        registered, self.registered = self.registered, ""
        if registered and registered != self.stage.task_definition_arn:
            discard_if_unused(self.aws.ecs, registered, self.desired)

    def _discard_orphans(self, rolling: Rolling) -> None:
        margin = ORPHAN_MARGIN / self.request.pace.speed
        if may_have_orphans({*rolling.watcher.reader.used, rolling.task_definition_arn}):
            discard_orphans(self.aws.ecs, rolling.ours, self.desired, margin=margin)

    # --- where it ends early ---------------------------------------------------------------

    def _unknown(self, error: CallFailedError) -> Result:
        """AWS does not say what became of what it was asked for."""
        stage = self.stage
        if not isinstance(stage, Requested | Rolling):
            raise error
        return self._result(ended_unknown(stage, error, self.operation.ref))

    def _not_begun(self, failed: StepFailedError) -> Result:
        """What the step found is as good a reason as a rollout's."""
        self._discard_registered()
        ended = Ending(
            outcome=Outcome.ROLLED_BACK,
            diagnosis=failed.diagnosis,
            message=f"{failed.what}; nothing that runs was changed",
            next_steps=(failed.fix,),
        )
        at_hand = self._at_hand(service=None, targets=None, outputs=None)
        result, _ = self._with_last_look(self._result(ended), at_hand)
        return replace(result, was_begun=False)

    def _interrupted(self, signal: Interrupted) -> Result:
        """One answer within the seconds that a runner leaves: say what state things are in."""
        wants_rollback = self.request.on_cancel is OnCancel.ROLLBACK
        ended = Ending(
            outcome=Outcome.INTERRUPTED,
            diagnosis=self.stage.diagnosis,
            message=self.stage.interrupted(signal.what, roll_back=wants_rollback),
            next_steps=(
                f"fsd status {self.operation.ref.options}",
                "the same fsd deploy again: it attaches to what is in flight",
            ),
        )
        return self._result(ended)

    # --- 6: the last look, and the result ----------------------------------------------------

    def _finish(self, ended: Ending, *, change: _Change, rolling: Rolling | None = None) -> Result:
        return self._look_once_more(ended, change, rolling)[0]

    def _look_once_more(
        self, ended: Ending, change: _Change, rolling: Rolling | None
    ) -> tuple[Result, Stack | None]:
        """(the result, the stack where it was read)."""
        result = self._result(ended, applied=change.applied, rolling=rolling)
        if not ended.is_known:
            return result, None
        ours, registered = result.release, change.applied.registered
        judged = None
        if rolling is not None and ended.outcome is Outcome.SUCCEEDED:
            judged = rolling.watcher.reader.targets_of_this_look
        is_untouched = ended.diagnosis is not None and self.stack.template is None
        at_hand = self._at_hand(
            registered=registered,
            fallback=ours if rolling else None,
            service=ended.service,
            targets=(lambda: judged) if judged is not None else None,
            outputs=change.look.outputs if is_untouched else None,
        )
        return self._with_last_look(result, at_hand)

    def _at_hand(
        self,
        *,
        service: ServiceState | None,
        targets: Callable[[], Sequence[TargetHealth]] | None,
        outputs: Mapping[str, str] | None,
        registered: TaskDefinition | None = None,
        fallback: ReleaseInfo | None = None,
    ) -> AtHand:
        previous = self.look.previous if self.look else None
        made = release_info(registered) if registered else None
        return AtHand(
            releases={one.task_definition_arn: one for one in (previous, made) if one},
            fallback=fallback,
            service=service,
            targets=targets,
            outputs=outputs,
        )

    def _with_last_look(self, result: Result, at_hand: AtHand) -> tuple[Result, Stack | None]:
        result = with_what_runs(result, self.operation, at_hand)
        running = result.running.task_definition_arn if result.running else ""
        is_ours = bool(self.deployment_arn) and running == self.stage.task_definition_arn
        goes = is_ours and not self.desired.service.has_load_balancer
        return with_url(result, self.operation, at_hand, has_url=not goes)

    def _result(
        self, ended: Ending, *, applied: Applied | None = None, rolling: Rolling | None = None
    ) -> Result:
        desired, identity, look = self.desired, self.aws.identity, self.look
        arn = self.stage.task_definition_arn or (applied.task_definition_arn if applied else "")
        previous = look.previous if look else None
        if not arn and ended.outcome is Outcome.UNCHANGED and previous:
            arn = previous.task_definition_arn
        warned = tuple(rolling.watcher.view.warnings) if rolling else ()
        return Result(
            outcome=ended.outcome,
            action="deploy",
            service=desired.service_name,
            environment=desired.environment,
            account=identity.account,
            region=identity.region,
            started_at=self.started,
            finished_at=self.clock.now(),
            release=self._release(arn),
            previous=previous,
            image=self.request.image.uri,
            deployment_arn=self.deployment_arn,
            log_group=desired.log_group,
            owners=desired.owners,
            phases=self.phases.phases,
            changes=look.plan.changes() if look else (),
            diagnosis=ended.diagnosis,
            message=ended.message,
            next_steps=ended.next_steps,
            notes=(*self.request.notes, *self.notes, *warned),
        )

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


def _counts_set(steps: tuple[Step, ...]) -> tuple[Note, ...]:
    return tuple(
        CountSet(service=step.name, count=step.count)
        for step in steps
        if isinstance(step, SetCount)
    )
