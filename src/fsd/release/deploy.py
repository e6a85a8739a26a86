"""Deploy: one driver over the stages of a deployment.

    plan ─▶ apply ─▶ request ─▶ follow ─┬─▶ settle ─▶ last look
      ▲                 │               └─▶ go back ─▶ last look
      └─ another began ─┘

`_deploy` reads from top to bottom as a deployment goes:

1. `observe` reads the service, its stack and its deployments; `plan_release` says what is to
   change. While another deployment is in flight this waits, refuses or takes over (`planning`).
2. Nothing to change ends it here. An older commit over a newer one is refused, and a health check
   that moves is tried on the tasks that run (`probe`).
3. The steps before the rollout are applied in order (`applying`): cluster, stack, revision.
4. ECS is asked for the rollout, unless another deployment began since 1: then everything is looked
   at again. Our deployment is then found by its ARN (`requesting`).
5. `follow` watches it to a verdict. Where it has failed, it explains why and goes back.
6. `with_what_runs` looks once more, so that the result says what is there, not what should be
   (`deploy_results`).
7. What waited for the verdict is settled: the release is marked as proved, scaling limits are set,
   and what only old tasks needed goes (`settling`).

The stages (`stages`) are what a signal or a lost answer meets; where the path ends early, the stage
says what is true. What exists only because several runs may do this at once is in `concurrency`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fsd.errors import Interrupted, RefusedError
from fsd.release.after_rollout import end_without_rollout, leave, rollout_of, settle
from fsd.release.deploy_request import DeployRequest
from fsd.release.deploy_results import finish, interrupted, not_begun, unchanged, unknown
from fsd.release.deploy_run import Begun, DeployRun, MadeByRun, Planned, RunNotes
from fsd.release.deploy_step import StepFailedError
from fsd.release.follow import follow
from fsd.release.make_plan import make_plan, require_acceptable
from fsd.release.notes import Remark
from fsd.release.operation import Operation, ServiceRef
from fsd.release.phases import PhaseLog
from fsd.release.ports import Aws, Clock
from fsd.release.probe import start_sweep, sweep
from fsd.release.reporter import Reporter
from fsd.release.result import OUTCOME_FACTS, Result
from fsd.release.stack_change import StackChange
from fsd.release.start_rollout import UnknownRolloutError, begin, find


def deploy(request: DeployRequest, aws: Aws, *, clock: Clock, reporter: Reporter) -> Result:
    """Deploy and return how it ended.

    Raises RefusedError where another deployment is in flight, CallFailedError where AWS refuses a
    step before the rollout began; once it began, every end is a Result.
    """
    run = _start(request, aws, clock=clock, reporter=reporter)
    try:
        return _deploy_or_take_back(run)
    except Interrupted as signal:
        return interrupted(run, signal)


def _deploy_or_take_back(run: DeployRun) -> Result:
    try:
        return _deploy(run)
    except RefusedError:
        run.made.take_back(run.reached)
        raise


def _deploy(run: DeployRun) -> Result:
    planned = make_plan(run, attempt=0)
    left = _look_for_left_probes(run, planned)
    while not planned.plan.is_empty:
        require_acceptable(run, planned)
        try:
            begun = begin(run, planned)
            if begun is not None:
                sweep(run.aws, left, now=run.clock.now(), reporter=run.reporter)
                return _roll_out(run, begun)
        except UnknownRolloutError as lost:
            return unknown(run, lost.requested, lost.error)
        except StepFailedError as failed:
            return not_begun(run, failed)
        run.reporter.note(Remark.ANOTHER_BEGAN)
        planned = make_plan(run, attempt=planned.attempt + 1)
    return unchanged(run, planned)


def _look_for_left_probes(run: DeployRun, planned: Planned) -> Callable[[], Sequence[str]]:
    """Only a run that changes something does: what is left serves nothing and harms nothing, and
    is found by the next one, or by the service's deletion."""
    if planned.plan.is_empty or not planned.has_targets:
        return tuple
    return start_sweep(run.aws, run.desired.stack_name)


def _roll_out(run: DeployRun, begun: Begun) -> Result:
    if begun.requested is None:
        return end_without_rollout(run, begun)
    rolling = find(run, begun.planned, begun.requested)
    if not run.request.wait:
        return leave(run, begun)
    ended = follow(rollout_of(run, begun, rolling), phases=run.phases, enter=run.enter)
    if OUTCOME_FACTS[ended.outcome].is_rolled_out:
        return settle(run, ended, begun, rolling)
    return finish(run, ended, begun, rolling=rolling)


def _start(request: DeployRequest, aws: Aws, *, clock: Clock, reporter: Reporter) -> DeployRun:
    desired = request.desired
    operation = Operation(
        aws=aws,
        ref=ServiceRef(
            service=desired.service_name,
            environment=desired.environment,
            cluster=desired.service.cluster,
            name=desired.name,
            own_family=desired.family,
            stack_name=desired.stack_name,
        ),
        clock=clock,
        reporter=reporter,
        timeout=request.timeout,
        wait=request.wait,
        pace=request.pace,
        cause_text=request.cause_text,
    )
    stack = StackChange(stacks=aws.stacks, desired=desired, reporter=reporter)
    return DeployRun(
        request=request,
        operation=operation,
        started=request.started_at or clock.now(),
        phases=PhaseLog(clock=clock, reporter=reporter, phases=request.phases),
        made=MadeByRun(ecs=aws.ecs, desired=desired, stack=stack),
        noted=RunNotes(reporter=reporter),
    )
