"""The steps of a plan, told and carried out one by one; and the stack put back where one fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.plan.steps import (
    ApplyShared,
    ApplyStack,
    RegisterRevision,
    ReturnTraffic,
    RunOneOff,
    SetStrategy,
    Step,
    UseRevision,
)
from fsd.release.apply_step import Applied, apply_step
from fsd.release.concurrency.races import find_deployments_since
from fsd.release.deploy_run import DeployRun, Planned
from fsd.release.deploy_step import DeployStepTools, run_deploy_step
from fsd.release.notes import ClashLeft, OtherDeployment
from fsd.release.phase_facts import BarePhaseFact
from fsd.release.result import PhaseName, PhaseState
from fsd.release.stages import Applying
from fsd.rollout.diagnose import family_revision

_PHASES: dict[type[Step], PhaseName] = {
    ApplyShared: PhaseName.STACK,
    ApplyStack: PhaseName.STACK,
    ReturnTraffic: PhaseName.STACK,
    RegisterRevision: PhaseName.REVISION,
    RunOneOff: PhaseName.TASK,
    UseRevision: PhaseName.REVISION,
}


def before_any_step(run: DeployRun, planned: Planned) -> Applied:
    running, stack = planned.observed.running, planned.observed.stack
    return Applied(
        outputs=planned.outputs,
        task_definition_arn=running.arn if running else "",
        stack_record=stack.record if stack else "",
        run_one_off=lambda step, applied: _run_one_off(run, step, applied),
    )


def apply_in_order(
    run: DeployRun, steps: Sequence[Step], applied: Applied, *, observed: Observed
) -> Applied:
    """Raises CallFailedError, with the stack as it was before, and StepFailedError."""
    for step in steps:
        applied = _apply(run, step, applied, observed)
    return applied


def put_stack_back(run: DeployRun, step: Step, error: CallFailedError) -> None:
    """A step after the stack's failed: the stack goes back, so that nothing is half-done.

    Not once the release runs: then only the limits of scaling are not as they should be. Raises
    CallFailedError where there is more to say than `error` does.
    """
    if isinstance(step, ApplyStack):
        return
    if run.reached.task_definition_arn:
        revision = family_revision(run.reached.task_definition_arn)
        if isinstance(step, SetStrategy):
            raise CallFailedError(
                f"{error.what.rstrip('.')}; ECS has {revision}, but the service still replaces "
                "its tasks in batches",
                where=error.where,
                fix=f"{error.fix}: the next deployment changes the strategy",
                code=error.code,
            ) from error
        raise CallFailedError(
            f"{error.what.rstrip('.')}; ECS has {revision}, and the service scales as before",
            where=error.where,
            fix=f"{error.fix}: the next deployment changes the scaling",
            code=error.code,
        ) from error
    try:
        run.stack.restore()
    except CallFailedError as second:
        raise CallFailedError(
            f"{error.what}; and the stack {run.desired.stack_name}, which had changed before, "
            f"could not be put back: {second.what} ({second.where})",
            where=error.where,
            fix=error.fix,
            code=error.code,
        ) from error


def _apply(run: DeployRun, step: Step, applied: Applied, observed: Observed) -> Applied:
    """The stage is left as it is once ECS was asked."""
    name, is_stack = _PHASES.get(type(step)), isinstance(step, ApplyStack)
    is_asked = bool(run.reached.task_definition_arn)
    if not is_asked:
        run.enter(Applying(changing=run.desired.stack_name if is_stack else ""))
    began = run.phases.begin(name, step=step)
    try:
        applied = _carry_out(run, step, applied, observed)
    except CallFailedError as error:
        run.phases.end(name, PhaseState.FAILED, began, fact=BarePhaseFact.FAILED)
        put_stack_back(run, step, error)
        raise
    if not is_asked:
        run.enter(Applying())
    made = _revision_made(step, applied)
    run.phases.end(name, PhaseState.DONE, began, step=step, revision=made)
    return applied


def _carry_out(run: DeployRun, step: Step, applied: Applied, observed: Observed) -> Applied:
    if isinstance(step, ApplyStack) and not step.cleans_up:
        run.stack.begins(step.template, observed)
    elif isinstance(step, ApplyStack):
        clash = run.stack.clash(observed)
        if clash:
            run.noted.tell_late(ClashLeft(clash=clash, since=_began_since(run, observed)))
            return applied
    elif isinstance(step, RegisterRevision) and run.made.revision:
        # Before somebody else was faster.
        return replace(applied, task_definition_arn=run.made.revision)
    applied = apply_step(step, applied, desired=run.desired, aws=run.aws)
    if isinstance(step, RegisterRevision):
        run.made.revision = applied.task_definition_arn
    return applied


def _began_since(run: DeployRun, observed: Observed) -> tuple[OtherDeployment, ...]:
    """The deployments that began since the look: whoever has changed the stack is among them, or is
    nobody of whom ECS knows."""
    ours = run.reached.deployment_arn
    return find_deployments_since(run.aws.ecs, observed, ours=ours, desired=run.desired)


def _run_one_off(run: DeployRun, step: RunOneOff, applied: Applied) -> None:
    tools = DeployStepTools(
        aws=run.aws, clock=run.clock, reporter=run.reporter, speed=run.request.pace.speed
    )
    note = run_deploy_step(step, applied, tools, desired=run.desired)
    if note:
        run.noted.tell_late(note)


def _revision_made(step: Step, applied: Applied) -> str:
    if not isinstance(step, RegisterRevision | UseRevision):
        return ""
    return family_revision(applied.task_definition_arn)
