"""The first stage: AWS is looked at, and a plan made of it that nothing in flight contradicts."""

from __future__ import annotations

from dataclasses import replace

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode, RefusedError
from fsd.plan.notes import HealthCheckMoves
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.plan.steps import Plan
from fsd.release.concurrency.in_flight import (
    InFlight,
    in_flight_error,
    refuse_older,
    takes_over,
)
from fsd.release.deploy_run import DeployRun, Planned
from fsd.release.notes import DeploymentAwaited, ShiftStopped
from fsd.release.observe import observe, place_of
from fsd.release.probe import HealthCheckTrial, try_moved_check
from fsd.release.stages import Applying
from fsd.rollout.diagnose import family_revision


def make_plan(run: DeployRun, *, attempt: int) -> Planned:
    """Observe and plan; with --wait-for-lock again, until nothing else is in flight.

    `attempt` counts the plans that another deployment made out of date. Raises RefusedError.
    """
    planned = _plan_when_free(run, attempt=attempt)
    if not planned.plan.rolls_out:
        run.made.discard_revision(run.reached)  # another run did the very same, and was faster
    run.noted.notes = planned.plan.notes
    return planned


def require_acceptable(run: DeployRun, planned: Planned) -> None:
    """Before anything changes. Raises RefusedError for a saved plan that is stale, for an older
    commit over a newer one, for a replacement that was not allowed, and for a moved health check
    that running tasks fail."""
    run.request.require_planned(planned.observed)
    service = planned.observed.service
    if service is not None:
        rules = run.request.precedence
        refuse_older(planned.previous, rules, run.desired, where=service.arn)
    if not run.request.allow_replacement:
        refuse_replacement(planned.plan)
    if not run.request.allow_interruption:
        _try_moved_check(run, planned)


def refuse_replacement(plan: Plan) -> None:
    """Raises RefusedError. Who uses a load balancer by its name, AWS does not say."""
    if not plan.replacements:
        return
    names = ", ".join(
        f"{one.resource} by {one.by}" if one.by else f"{one.resource} ({', '.join(one.because)})"
        for one in plan.replacements
    )
    raise RefusedError(
        f"the plan replaces {names}",
        where=plan.name,
        fix="read what `fsd plan` says of it; if that is what you want, use --allow-replacement",
        code=ErrorCode.REPLACEMENT_REFUSED,
    )


def _plan_when_free(run: DeployRun, *, attempt: int) -> Planned:
    deadline = run.started + run.request.timeout
    observed = None if attempt else run.request.observed()
    is_waiting, stopped = False, ""
    while True:
        if observed is None:
            lists = attempt > 0 or is_waiting
            observed = observe(run.aws, place_of(run.desired), lists=lists)
        plan = plan_release(run.desired, observed)
        if run.request.allow_interruption:
            plan = _without_trial(plan)
        planned = run.reached.planned = Planned(observed=observed, plan=plan, attempt=attempt)
        is_over = run.clock.now() >= deadline
        if _may_go_on(run, planned, stopped, is_over=is_over):
            if not _is_in_a_shift(planned):
                return planned
            stopped = _end_shift(run, planned, stopped)
        if not is_waiting:
            is_waiting = True
            run.made.take_back(run.reached)
            _tell_of_the_wait(run, observed)
        run.clock.wait(run.request.pace.interval(run.clock.now() - run.started))
        observed = None


def _without_trial(plan: Plan) -> Plan:
    """Its notes say that a moved health check is not tried first."""
    notes = tuple(
        replace(note, is_tried=False) if isinstance(note, HealthCheckMoves) else note
        for note in plan.notes
    )
    return replace(plan, notes=notes)


def _may_go_on(run: DeployRun, planned: Planned, stopped: str, *, is_over: bool) -> bool:
    """Raises RefusedError where another deployment is in flight, and is not waited for; also where
    the one that this run has `stopped` does not end in time."""
    flight = planned.observed.in_flight
    if flight is None or planned.plan.attach_to:
        return True
    rules, is_stopped = run.request.precedence, flight.arn == stopped
    if is_stopped and not is_over:
        return True
    if not (planned.plan.is_empty or is_stopped) and takes_over(
        flight, rules, ecs=run.aws.ecs, tell=run.reporter.note
    ):
        return True
    if rules.in_flight is InFlight.REFUSE or is_over:
        fix = "wait for it with --wait-for-lock"
        fix = fix if is_stopped else f"{fix}, or take over with --supersede"
        raise in_flight_error(flight, what="another deployment", name=run.desired.name, fix=fix)
    return False


def _is_in_a_shift(planned: Planned) -> bool:
    """Whether ECS moves traffic for another run: then the weights of the rule are not final, and
    the strategy must stay."""
    observed, flight = planned.observed, planned.observed.in_flight
    if flight is None or planned.plan.attach_to:
        return False
    shifts = observed.service is not None and observed.service.shifts_traffic
    return shifts or bool(flight.lifecycle_stage)


def _end_shift(run: DeployRun, planned: Planned, stopped: str) -> str:
    """Ask ECS, once, to take it back: what it has replaced by then is what the plan begins with.
    Returns its ARN."""
    flight = planned.observed.in_flight
    if flight is None or flight.arn == stopped:
        return stopped
    run.reporter.note(ShiftStopped(revision=family_revision(flight.task_definition_arn)))
    run.aws.ecs.stop_service_deployment(flight.arn)
    return flight.arn


def _tell_of_the_wait(run: DeployRun, observed: Observed) -> None:
    if observed.in_flight is not None:
        revision = family_revision(observed.in_flight.task_definition_arn)
        run.reporter.note(DeploymentAwaited(revision=revision))


def _try_moved_check(run: DeployRun, planned: Planned) -> None:
    """A check that running tasks fail would end them."""
    trial = HealthCheckTrial(
        aws=run.aws,
        clock=run.clock,
        reporter=run.reporter,
        pace=run.request.pace,
        desired=run.desired,
        change_stack=lambda template: _change_stack(run, template, planned.observed),
    )
    try:
        try_moved_check(trial, planned.observed, planned.plan)
    except CallFailedError:
        run.stack.restore_if_ours()  # as the driver does where it is refused
        raise


def _change_stack(run: DeployRun, template: Json, observed: Observed) -> None:
    """Until it is known whether the release begins; then its own template comes, or this goes.

    A run that is killed leaves it, and what to go back to in it.
    """
    name = run.desired.stack_name
    run.enter(Applying(changing=name))
    run.stack.begins(template, observed)
    remembered = observed.remembering(template)
    run.aws.stacks.apply(name, template=remembered, tags=dict(run.desired.stack_tags))
    run.enter(Applying())
