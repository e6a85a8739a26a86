"""Deploy a Job: register the revision, and let its schedule start it from then on.

    plan ─▶ stack ─▶ revision ─▶ (beforeDeploy) ─▶ schedule ─▶ (afterDeploy) ─▶ last look

One call of EventBridge Scheduler changes what is started and when, so that no run is ever half of
one release. Nothing is started by a deployment, and so nothing is proved: a run that fails is seen
in `fsd status` and `fsd history`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from fsd.compile.desired import Desired
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.jobs import plan_job, schedule_words
from fsd.plan.observed import Observed, ObservedSchedule
from fsd.plan.steps import (
    ApplyShared,
    ApplyStack,
    Plan,
    PutSchedule,
    RegisterRevision,
    RunOneOff,
    Step,
)
from fsd.plan.steps import UseRevision as Use
from fsd.quoted import Quoted
from fsd.release.apply_step import Applied, apply_step
from fsd.release.concurrency.in_flight import refuse_older
from fsd.release.deploy_request import DeployRequest
from fsd.release.deploy_step import DeployStepTools, StepFailedError, run_deploy_step
from fsd.release.follow_ups import AdvisedFix, DeployAgain, ServiceCommand
from fsd.release.hand_over import HandOverFailedError, Timetable, until_quiet
from fsd.release.job_ledger import keep_scheduled, note_scheduled
from fsd.release.jobs import next_run
from fsd.release.ledger import release_info
from fsd.release.messages import NotBegun, ScheduleCut, StoppedBySignal
from fsd.release.notes import Note, Remark
from fsd.release.observe import observe, place_of
from fsd.release.outcome import Ending
from fsd.release.phase_facts import BarePhaseFact
from fsd.release.phases import PhaseLog
from fsd.release.ports import Aws, Clock
from fsd.release.promotion_path import read_path
from fsd.release.reporter import Reporter
from fsd.release.result import Outcome, PhaseName, PhaseState, ReleaseInfo, Result
from fsd.rollout.diagnose import family_revision

_PHASES: dict[type[Step], PhaseName] = {
    ApplyShared: PhaseName.STACK,
    ApplyStack: PhaseName.STACK,
    RegisterRevision: PhaseName.REVISION,
    Use: PhaseName.REVISION,
    RunOneOff: PhaseName.TASK,
    PutSchedule: PhaseName.SCHEDULE,
}


def deploy_job(request: DeployRequest, aws: Aws, *, clock: Clock, reporter: Reporter) -> Result:
    """Deploy and return how it ended.

    Raises RefusedError for an older commit, CallFailedError where AWS refuses a step: then the
    schedule starts what it started before.
    """
    phases = PhaseLog(clock=clock, reporter=reporter, phases=request.phases)
    started = request.started_at or clock.now()
    return _JobDeployment(
        request=request, aws=aws, clock=clock, reporter=reporter, started=started, phases=phases
    ).run()


@dataclass(slots=True, kw_only=True)
class _JobDeployment:
    request: DeployRequest
    aws: Aws
    clock: Clock
    reporter: Reporter
    started: datetime
    phases: PhaseLog
    registered: str = ""  # the revision that this run made, while no schedule has it
    late_notes: tuple[Note, ...] = ()
    look: tuple[Observed, Plan] | None = None

    @property
    def desired(self) -> Desired:
        return self.request.desired

    def run(self) -> Result:
        try:
            return self._run()
        except Interrupted as signal:
            return self._interrupted(signal)
        except StepFailedError as failed:
            return self._not_begun(failed)
        except HandOverFailedError:  # FSD's own schedule may start the new revision
            raise
        except CallFailedError:
            self._discard_registered()
            raise

    def _run(self) -> Result:
        early = self.request.observed()
        while True:
            observed = early or observe(self.aws, place_of(self.desired))
            early = None
            plan = plan_job(self.desired, observed)
            self.look = (observed, plan)
            if plan.is_empty:
                arn = observed.running.arn if observed.running else ""
                return self._result(Ending(outcome=Outcome.UNCHANGED), arn)
            self.request.require_planned(observed)
            self._refuse_older(observed)
            for note in plan.notes:
                self.reporter.note(note)
            moved_to = self._apply(observed, plan)
            if moved_to is not None:
                return self._result(Ending(outcome=Outcome.SUCCEEDED), moved_to)
            self._discard_registered()
            self.reporter.note(Remark.SCHEDULE_MOVED)

    def _refuse_older(self, observed: Observed) -> None:
        where = observed.schedule.name if observed.schedule else self.desired.name
        previous = release_info(observed.running) if observed.running else None
        refuse_older(previous, self.request.precedence, self.desired, where=where)

    def _apply(self, observed: Observed, plan: Plan) -> str | None:
        """The revision that the schedule has; None where somebody else was faster."""
        outputs = observed.stack.outputs if observed.stack else {}
        running = observed.running.arn if observed.running else ""
        applied = Applied(
            outputs=outputs, task_definition_arn=running, run_one_off=self._run_one_off
        )
        for step in plan.steps:
            if isinstance(step, PutSchedule):
                if self._has_moved(step, observed.schedule):
                    return None
                self._tell_late(keep_scheduled(self.aws.ecs, observed.running))
                applied = replace(applied, wait_until_quiet=partial(self._let_due_pass, step))
            applied = self._step(step, applied)
            if isinstance(step, RegisterRevision):
                self.registered = applied.task_definition_arn
            elif isinstance(step, PutSchedule):
                self.registered = ""
                if applied.task_definition_arn != running:
                    self._tell_late(note_scheduled(self.aws.ecs, applied.task_definition_arn))
        return applied.task_definition_arn

    def _tell_late(self, note: Note | None) -> None:
        if note is not None:
            self.late_notes = (*self.late_notes, note)
            self.reporter.note(note)

    def _has_moved(self, step: PutSchedule, before: ObservedSchedule | None) -> bool:
        now = self.aws.schedules.find(step.name)
        was = before.task_definition_arn if before else None
        return (now.task_definition_arn if now else None) != was

    def _let_due_pass(self, step: PutSchedule) -> None:
        """Who starts a run that is due in the minute of a change, nobody says."""
        schedule = self.desired.schedule
        if step.takes_over is None or schedule is None:
            return
        old = step.takes_over
        both = (
            Timetable(expression=old.expression, zone=old.time_zone, window=old.window),
            Timetable(expression=schedule.expression, zone=schedule.time_zone),
        )
        wait = until_quiet(both, self.clock.now())
        if wait:
            self.reporter.note(Remark.SCHEDULE_DUE)
        while wait:
            self.clock.wait(wait)
            wait = until_quiet(both, self.clock.now())
        if wait is None:
            self._tell_late(Remark.SCHEDULE_ALWAYS_DUE)

    def _step(self, step: Step, applied: Applied) -> Applied:
        name = _PHASES.get(type(step))
        began = self.phases.begin(name, step=step)
        try:
            applied = apply_step(step, applied, desired=self.desired, aws=self.aws)
        except CallFailedError:
            self.phases.end(name, PhaseState.FAILED, began, fact=BarePhaseFact.FAILED)
            raise
        is_made = isinstance(step, RegisterRevision | Use)
        made = family_revision(applied.task_definition_arn) if is_made else ""
        self.phases.end(name, PhaseState.DONE, began, step=step, revision=made)
        return applied

    def _run_one_off(self, step: RunOneOff, applied: Applied) -> None:
        tools = DeployStepTools(
            aws=self.aws, clock=self.clock, reporter=self.reporter, speed=self.request.pace.speed
        )
        self._tell_late(run_deploy_step(step, applied, tools, desired=self.desired))

    def _discard_registered(self) -> None:
        """It would look like a release. What AWS does not let us do stays."""
        registered, self.registered = self.registered, ""
        if not registered:
            return
        try:
            self.aws.ecs.deregister(registered)
        except CallFailedError:
            return

    def _not_begun(self, failed: StepFailedError) -> Result:
        self._discard_registered()
        ended = Ending(
            outcome=Outcome.ROLLED_BACK,
            diagnosis=failed.diagnosis,
            message=NotBegun(error=Quoted(text=failed.what), is_job=True),
            next_steps=(AdvisedFix(text=failed.fix),),
        )
        return replace(self._result(ended, ""), was_begun=False)

    def _interrupted(self, signal: Interrupted) -> Result:
        desired = self.desired
        look = ServiceCommand(
            name="status", service=desired.service_name, environment=desired.environment
        )
        state = ScheduleCut(look=None if self.registered else look)
        ended = Ending(
            outcome=Outcome.INTERRUPTED,
            message=StoppedBySignal(signal=Quoted.of(signal), state=state),
            next_steps=(DeployAgain.REST,),
        )
        return self._result(ended, "", is_looked_at=False)

    def _result(self, ended: Ending, arn: str, *, is_looked_at: bool = True) -> Result:
        """With what the schedule starts, as it is seen now."""
        desired, identity = self.desired, self.aws.identity
        observed, plan = self.look or (None, None)
        previous = observed.running if observed else None
        name = desired.schedule.name if desired.schedule else ""
        found = self.aws.schedules.find(name) if is_looked_at else None
        starts = self._starts(found.task_definition_arn) if found else None
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
            previous=release_info(previous) if previous else None,
            running=starts,
            schedule=schedule_words(found.parameters) if found else "",
            next_run=next_run(found, self.clock.now()) if found else None,
            image=self.request.image.uri,
            log_group=desired.log_group,
            owners=desired.owners,
            phases=self.phases.phases,
            changes=plan.changes() if plan else (),
            diagnosis=ended.diagnosis,
            message=ended.message,
            next_steps=ended.next_steps,
            notes=(*self.request.notes, *(plan.notes if plan else ()), *self.late_notes),
        )

    def _starts(self, arn: str) -> ReleaseInfo | None:
        found = self.aws.ecs.find_task_definition(arn) if arn else None
        return release_info(found) if found else None

    def _release(self, arn: str) -> ReleaseInfo:
        release, task = self.request.release, self.desired.task_definition
        return ReleaseInfo(
            version=release.version,
            commit=release.commit,
            revision=family_revision(arn) if arn else "",
            task_definition_arn=arn,
            digest=self.request.image.digest,
            cpu=int(str(task.get("cpu", 0))),
            memory=int(str(task.get("memory", 0))),
            run=release.run,
            promoted_from=read_path(release.promoted_from),
        )
