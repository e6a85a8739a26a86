"""The last stage: what waits for the verdict is done, and what only old tasks needed goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from fsd.errors import CallFailedError
from fsd.plan.serving import as_served
from fsd.plan.steps import ApplyStack, RunOneOff, SetCount, SetStrategy, Step, UpdateService
from fsd.quoted import Quoted
from fsd.release.apply_plan import apply_in_order
from fsd.release.apply_step import Applied
from fsd.release.concurrency.orphans import discard_orphans, may_have_orphans
from fsd.release.deploy_results import finish, look_once_more
from fsd.release.deploy_run import Begun, DeployRun
from fsd.release.follow import Rollout
from fsd.release.notes import CountSet, Note, StackKeepsMore
from fsd.release.outcome import Ending
from fsd.release.proof import mark_proved
from fsd.release.result import Outcome, Result
from fsd.release.rollback_target import ChangedStack, GoBack
from fsd.release.stages import Rolling, Settling
from fsd.release.watch import TimedOut

# A revision that is older than our deployment by less may be another run's, just about to use it.
ORPHAN_MARGIN = timedelta(seconds=30)


def rollout_of(run: DeployRun, begun: Begun, rolling: Rolling) -> Rollout:
    """What is watched, and the way back."""
    planned, desired, drain = begun.planned, run.desired, timedelta(seconds=run.desired.drain)
    template = run.stack.changed_template(planned.observed)
    changed = None
    if template is not None:
        own = as_served(desired, planned.observed).template
        changed = ChangedStack(template=template, own=own, tags=desired.stack_tags)
    way_back = GoBack(
        operation=run.operation,
        watcher=rolling.watcher,
        ours=rolling.ours,
        verdict=TimedOut(),
        observed=run.stack.with_stack_before(planned.observed),
        count=planned.plan.count_asked,
        wanted=desired.service.desired_count,
        stack=changed,
        container=desired.service.container,
        drain=drain,
    )
    updates = [step for step in planned.plan.steps if isinstance(step, UpdateService)]
    return Rollout(
        rolling=rolling,
        way_back=way_back,
        goes_back=run.request.rollback,
        drain=drain,
        check_port=desired.check_port,
        settings=tuple(setting for step in updates for setting in step.changes),
        count_commits=run.request.count_commits,
        registered=begun.applied.registered,
    )


def end_without_rollout(run: DeployRun, begun: Begun) -> Result:
    """There is no verdict to wait for."""
    _apply_after(run, begun, begun.after)
    return finish(run, Ending(outcome=Outcome.SUCCEEDED), begun)


def leave(run: DeployRun, begun: Begun) -> Result:
    """Without the verdict: the old tasks may be needed yet, and what they need with them. Another
    strategy is the next deployment's to set: now this one is in flight."""
    after = tuple(step for step in begun.after if not isinstance(step, SetStrategy))
    _apply_after(run, begun, _without_clean_up(run, after))
    run.noted.notes = (*run.noted.notes, *run.noted.late)
    return finish(run, Ending(outcome=Outcome.STARTED), begun)


def settle(run: DeployRun, ended: Ending, begun: Begun, rolling: Rolling) -> Result:
    """A stack that keeps too much is no failure of a release."""
    arn = rolling.task_definition_arn
    run.enter(Settling(task_definition_arn=arn))
    if ended.is_proved:
        _mark_proved(run, begun, arn)
    result, stack = look_once_more(run, ended, begun, rolling)
    is_ours = result.running is not None and result.running.task_definition_arn == arn
    after = _without_clean_up(run, begun.after) if _old_tasks_remain(run) else begun.after
    own = as_served(run.desired, begun.planned.observed).template
    claimed = run.stack.claim(stack if is_ours else None, own=own)
    if claimed:
        run.reporter.note(claimed)
    kept, applied = _clean_up(run, begun, after)
    last = (claimed, kept, *run.noted.late, applied.undeleted, *_counts_set(after))
    _discard_orphans(run, rolling)
    return replace(
        result,
        notes=(*result.notes, *(note for note in last if note is not None)),
        phases=run.phases.phases,
        finished_at=run.clock.now(),
    )


def _mark_proved(run: DeployRun, begun: Begun, arn: str) -> None:
    planned = begun.planned
    was_watched = run.watches_on and planned.plan.rolls_out
    note = mark_proved(run.aws.ecs, arn, planned.observed, was_watched=was_watched)
    run.noted.notes = (*run.noted.notes, note) if note else run.noted.notes


def _clean_up(run: DeployRun, begun: Begun, after: tuple[Step, ...]) -> tuple[Note | None, Applied]:
    """(what to tell of a stack that keeps too much, what was applied)."""
    stacks = tuple(step for step in after if isinstance(step, ApplyStack))
    applied = _apply_after(run, begun, tuple(step for step in after if step not in stacks))
    try:
        return None, _apply_after(run, replace(begun, applied=applied), stacks)
    except CallFailedError as error:
        return StackKeepsMore(error=Quoted.of(error)), applied


def _apply_after(run: DeployRun, begun: Begun, steps: tuple[Step, ...]) -> Applied:
    return apply_in_order(run, steps, begun.applied, observed=begun.planned.observed)


def _without_clean_up(run: DeployRun, after: tuple[Step, ...]) -> tuple[Step, ...]:
    """What only old tasks need stays for the next deployment to remove."""
    now = tuple(step for step in after if not isinstance(step, ApplyStack | RunOneOff))
    if now != after:
        run.noted.late = (*run.noted.late, StackKeepsMore())
    return now


def _old_tasks_remain(run: DeployRun) -> bool:
    """With an early success ECS drains and stops them after it has called it done."""
    early = run.desired.service.deployment_configuration.get("earlySuccessCriteria")
    return isinstance(early, dict) and early.get("sourceServiceRevisionCleanup") == "DEFERRED"


def _discard_orphans(run: DeployRun, rolling: Rolling) -> None:
    margin = ORPHAN_MARGIN / run.request.pace.speed
    used = {deployment.task_definition_arn for deployment in rolling.watcher.reader.listed}
    if may_have_orphans({*used, rolling.task_definition_arn}):
        discard_orphans(run.aws.ecs, rolling.ours, run.desired, margin=margin)


def _counts_set(steps: Iterable[Step]) -> tuple[Note, ...]:
    return tuple(
        CountSet(service=step.name, count=step.count)
        for step in steps
        if isinstance(step, SetCount)
    )
