"""ECS is asked for the rollout, unless another deployment began since it was observed. Then our
deployment is found by its ARN, also where the answer was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.plan.steps import CreateService, Plan, SetStrategy, UpdateService, UseRevision
from fsd.quoted import Quoted
from fsd.release.alarms import warnings
from fsd.release.apply_plan import apply_in_order, before_any_step, put_stack_back
from fsd.release.apply_step import Applied, apply_step, split_plan, tasks_after
from fsd.release.concurrency.in_flight import InFlight
from fsd.release.concurrency.races import another_run_was_faster, begun_since
from fsd.release.deploy_run import Begun, DeployRun, Planned
from fsd.release.journal import DEPLOYED, JournalEntry, note_action
from fsd.release.notes import AnswerLost, AttachedTo
from fsd.release.proof import mark_before_start, mark_before_watch
from fsd.release.stages import Applying, Requested, Rolling
from fsd.release.waiting_time import too_short_note
from fsd.release.watch import Watcher
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.rollout.fresh_roles import PROPAGATION


class UnknownRolloutError(Exception):
    """ECS was asked to roll out, and AWS does not say what became of it."""

    def __init__(self, requested: Requested, error: CallFailedError) -> None:
        super().__init__(error.what)
        self.requested, self.error = requested, error


def begin(run: DeployRun, planned: Planned) -> Begun | None:
    """Apply what comes before the rollout, and ask ECS for it. None where another deployment began
    before ECS was asked: the plan is out of date.

    Raises CallFailedError, StepFailedError, and UnknownRolloutError where AWS does not say whether
    it began.
    """
    plan, observed = planned.plan, planned.observed
    before, after = split_plan(plan)
    applied, requested = before_any_step(run, planned), None
    if plan.rolls_out:
        _warn(run, plan)
    for step in before:
        if plan.rolls_out and isinstance(step, CreateService | UpdateService):
            requested = _request(run, step, applied, planned)
            if requested is None:
                return None
            _note_used_again(run, plan, applied.task_definition_arn)
        elif isinstance(step, SetStrategy) and _another_began(run, observed):
            return None
        else:
            applied = apply_in_order(run, [step], applied, observed=observed)
    if plan.attach_to:
        run.reporter.note(AttachedTo(deployment_arn=plan.attach_to))
        requested = _requested(run, applied.task_definition_arn, arn=plan.attach_to)
    return Begun(planned=planned, applied=applied, after=after, requested=requested)


def _note_used_again(run: DeployRun, plan: Plan, arn: str) -> None:
    """That a release deployed a revision which was registered before: ECS keeps who registered it,
    and a second deployment of it would look like a restart."""
    if not any(isinstance(step, UseRevision) for step in plan.steps):
        return
    by = run.desired.task_definition_tags.get("fsd:run", "")
    entry = JournalEntry(at=run.clock.now(), action=DEPLOYED, by=by)
    untold = note_action(run.aws.ecs, arn, entry)
    if untold:
        run.noted.tell_late(untold)


def find(run: DeployRun, planned: Planned, requested: Requested) -> Rolling:
    """Our deployment. Raises UnknownRolloutError where ECS does not show it."""
    watcher, arn = _watcher(run, planned), requested.arn
    if not arn:
        revision = requested.task_definition_arn
        try:
            found = watcher.find(known=requested.known, task_definition_arn=revision)
        except CallFailedError as error:
            raise UnknownRolloutError(requested, error) from error
        arn = found.arn
        run.noted.notes = (*run.noted.notes, *watcher.taken_over)
    run.reached.deployment_arn = arn
    role_delay = PROPAGATION / run.request.pace.speed
    ours = Ours(
        service=run.desired.name,
        arn=arn,
        task_definition_arn=requested.task_definition_arn,
        role_delay=role_delay if run.stack.changes_roles() else timedelta(),
    )
    watcher.reader.answer = requested.answer
    rolling = Rolling(requested=replace(requested, arn=arn), ours=ours, watcher=watcher)
    run.enter(rolling)
    return rolling


def _warn(run: DeployRun, plan: Plan) -> None:
    request = run.request
    configuration = run.desired.service.deployment_configuration
    short = too_short_note(request.timeout, request.expected, speed=request.pace.speed)
    said = (*plan.notes, *warnings(run.aws, configuration))
    run.noted.begin(*said, *([short] if short and request.wait else []))


def _request(
    run: DeployRun, step: CreateService | UpdateService, applied: Applied, planned: Planned
) -> Requested | None:
    try:
        return _ask(run, step, applied, planned)
    except CallFailedError as error:
        run.enter(Applying())
        put_stack_back(run, step, error)
        raise


def _ask(
    run: DeployRun, step: CreateService | UpdateService, applied: Applied, planned: Planned
) -> Requested | None:
    ref, observed, known = run.operation.ref, planned.observed, frozenset[str]()
    if observed.service is not None:
        arns = run.aws.ecs.service_deployment_arns(ref.cluster, ref.name)
        # A shift has to end first.
        may_insist = planned.attempt > 0 and not observed.service.shifts_traffic
        insists = run.request.in_flight is InFlight.SUPERSEDE and may_insist
        if begun_since(arns, observed) and not insists:
            return None
        known = frozenset(arns)
    _mark_before(run, step, applied, observed)
    requested = _requested(run, applied.task_definition_arn, known=known)
    try:
        answer = apply_step(step, applied, desired=run.desired, aws=run.aws).service
    except CallFailedError as error:
        if error.may_be_done:
            _require_taken(run, requested, error)
            answer = None
        elif another_run_was_faster(error, step, run.aws, desired=run.desired):
            run.enter(Applying())
            if isinstance(step, UpdateService):
                run.made.revision = ""  # it is gone
            return None
        else:
            raise
    requested = replace(requested, is_taken=True, answer=answer)
    run.enter(requested)
    return requested


def _another_began(run: DeployRun, observed: Observed) -> bool:
    """The strategy changes only while nothing is in flight."""
    ref = run.operation.ref
    arns = run.aws.ecs.service_deployment_arns(ref.cluster, ref.name)
    return begun_since(arns, observed)


def _requested(
    run: DeployRun, task_definition_arn: str, *, known: frozenset[str] = frozenset(), arn: str = ""
) -> Requested:
    requested = Requested(
        operation=run.operation,
        task_definition_arn=task_definition_arn,
        known=known,
        is_taken=bool(arn),
        arn=arn,
    )
    run.enter(requested)
    return requested


def _mark_before(
    run: DeployRun, step: CreateService | UpdateService, applied: Applied, observed: Observed
) -> None:
    """A run that is killed leaves no false success."""
    now = observed.service.desired if observed.service else 0
    arn = applied.task_definition_arn
    if tasks_after(step, applied, desired=run.desired, now=now) == 0:
        mark_before_start(run.aws.ecs, arn, observed)
    elif run.watches_on:
        note = mark_before_watch(run.aws.ecs, arn, observed)
        run.noted.late = (*run.noted.late, note) if note else run.noted.late


def _require_taken(run: DeployRun, requested: Requested, error: CallFailedError) -> None:
    """ECS rolls out what it was asked for, although no answer came; else raises `error`.

    Raises UnknownRolloutError where that cannot be seen either: then nothing is put back, because
    what ECS rolls out belongs to the stack of now.
    """
    try:
        is_taken = bool(requested.find_deployment())
    except CallFailedError:
        raise UnknownRolloutError(requested, error) from error
    if not is_taken:
        raise error
    run.reporter.note(AnswerLost(error=Quoted.of(error)))


def _watcher(run: DeployRun, planned: Planned) -> Watcher:
    now = run.clock.now()
    return Watcher(
        aws=run.aws,
        clock=run.clock,
        reporter=run.reporter,
        cluster=run.desired.service.cluster,
        service=run.desired.name,
        pace=run.request.pace,
        started=now,
        deadline=max(run.started, now) + run.request.timeout,
        old_revision=family_revision(planned.replaced) if planned.replaced else "",
        steady_for=timedelta(seconds=run.desired.steady_for),
    )
