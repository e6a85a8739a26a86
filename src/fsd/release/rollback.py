"""Go back after a failed rollout: to the last revision whose rollout succeeded, with the stack's
previous template and the previous count, and see that it is healthy.

Never undoes another run's deployment: before every step, ours must still be the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from fsd.compile.desired import Desired, Json
from fsd.errors import CallFailedError
from fsd.plan.observed import Observed
from fsd.release.ports import Aws, Clock, PermissionDenied
from fsd.release.result import Outcome
from fsd.release.watch import TimedOut, Watcher
from fsd.rollout.assess import (
    Doomed,
    Failed,
    InProgress,
    Ours,
    RolledBack,
    RollingBack,
    Succeeded,
    Superseded,
    Verdict,
)
from fsd.rollout.diagnose import family_revision

# A rollback gets this long after the deadline of the rollout; ECS needs it for a drain and a start.
ROLLBACK_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBack:
    """What going back needs to know."""

    aws: Aws
    clock: Clock
    watcher: Watcher
    ours: Ours
    verdict: Verdict | TimedOut
    desired: Desired
    observed: Observed
    stack_changed: bool

    @property
    def cluster(self) -> str:
        return self.desired.service.cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBackTo:
    outcome: Outcome
    text: str  # for the phase line
    message: str  # the one sentence
    next: tuple[str, ...] = ()


def go_back(back: GoBack) -> RolledBackTo:
    """Roll back, verify, and say what runs. A lost race is an outcome, not an error."""
    ours = replace(back.ours, asked_to_stop=True)
    can_stop = _stop(back) if isinstance(back.verdict, Doomed) else True
    good = _last_good(back)
    # First the stack: old tasks are judged by the health check that it says.
    _restore_stack(back)
    if good is None:
        return _scale_to_zero(back)
    if not can_stop:
        return _update_to(back, good)
    back.watcher.deadline = back.clock.now() + ROLLBACK_TIME
    verdict = back.watcher.watch(ours, until_final=True).verdict
    match verdict:
        case RolledBack():
            return _verified(back)
        case Failed(rollback_failed=False):
            return _update_to(back, good)
        case Succeeded():
            return RolledBackTo(
                outcome=Outcome.SUCCEEDED,
                text="too late: the deployment had succeeded",
                message="it got healthy before ECS could stop it",
            )
        case Superseded() as superseded:
            return RolledBackTo(
                outcome=Outcome.SUPERSEDED,
                text="another deployment took over",
                message="another deployment took over with "
                f"{family_revision(superseded.task_definition_arn)}; nothing of it was undone",
            )
        case Failed() as failed:
            return could_not_go_back(back, f"ECS could not roll back: {failed.reason}")
        case TimedOut() | InProgress() | RollingBack() | Doomed():
            return could_not_go_back(back, "the rollback is not done yet; ECS goes on with it")


def _stop(back: GoBack) -> bool:
    """Ask ECS to roll back. False where the role may not: then an update has to do it."""
    try:
        back.aws.ecs.stop_service_deployment(back.ours.arn)
    except PermissionDenied:
        return False
    return True


def _last_good(back: GoBack) -> str | None:
    """The revision to go back to: the last whose rollout succeeded."""
    observed = back.observed
    if observed.last_successful is not None:
        return observed.last_successful.task_definition_arn
    primary = observed.service.primary if observed.service else None
    if primary is not None and primary.rollout_state == "COMPLETED" and primary.desired > 0:
        return primary.task_definition_arn
    return None


def _restore_stack(back: GoBack) -> None:
    stack = back.observed.stack
    if back.stack_changed and stack is not None:
        back.aws.stacks.apply(
            back.desired.stack_name, template=stack.template, tags=dict(stack.tags)
        )


def _verified(back: GoBack) -> RolledBackTo:
    """ECS says that it rolled back; see what runs, and restore the count that we changed."""
    _restore_count(back)
    service = back.aws.ecs.find_service(back.cluster, back.desired.name)
    if service is None:
        return could_not_go_back(back, "the service is gone")
    revision = family_revision(service.task_definition_arn)
    return RolledBackTo(
        outcome=Outcome.ROLLED_BACK,
        text=f"rolled back to {revision}",
        message=f"rolled back: {revision}, {service.running} of {service.desired} running",
    )


def _restore_count(back: GoBack) -> None:
    """The count is not part of a revision, so ECS's rollback leaves the one that we set."""
    before = back.observed.service
    if before is None or back.observed.scaling is not None:
        return
    if before.desired != back.desired.service.desired_count:
        back.aws.ecs.update_service(
            {
                "cluster": back.cluster,
                "service": back.desired.name,
                "desiredCount": before.desired,
            }
        )


def _update_to(back: GoBack, good: str) -> RolledBackTo:
    """ECS stopped without going back: deploy the last good revision, and watch that."""
    before = back.observed.service
    known = frozenset(back.aws.ecs.service_deployment_arns(back.cluster, back.desired.name))
    parameters: Json = {
        "cluster": back.cluster,
        "service": back.desired.name,
        "taskDefinition": good,
        "forceNewDeployment": True,
    }
    if before is not None and back.observed.scaling is None:
        parameters["desiredCount"] = before.desired
    back.aws.ecs.update_service(parameters)
    found = back.watcher.find(known=known, task_definition_arn=good)
    ours = Ours(service=back.desired.name, arn=found.arn, task_definition_arn=good)
    verdict = back.watcher.watch(ours).verdict
    if isinstance(verdict, Succeeded):
        return _verified(back)
    return could_not_go_back(back, f"{family_revision(good)} did not get healthy again either")


def _scale_to_zero(back: GoBack) -> RolledBackTo:
    """A first deployment has nothing to go back to: no tasks, but the evidence stays."""
    name, env = back.desired.service_name, back.desired.environment
    try:
        back.aws.ecs.stop_service_deployment(back.ours.arn)
    except CallFailedError:
        # It may be over already; what counts is the count below.
        back.watcher.reporter.note("ECS had already ended the deployment")
    back.aws.ecs.update_service(
        {"cluster": back.cluster, "service": back.desired.name, "desiredCount": 0}
    )
    stopped = _wait_for_no_tasks(back)
    what = "scaled to 0" if stopped else "scaling to 0, tasks are still stopping"
    return RolledBackTo(
        outcome=Outcome.ROLLBACK_FAILED,
        text=f"nothing to roll back to; {what}",
        message=f"nothing to roll back to: {what}; the stack and the logs are kept",
        next=(
            f"fsd logs --service {name} --env {env} --since 1h",
            f"fsd delete --service {name} --env {env}",
        ),
    )


def _wait_for_no_tasks(back: GoBack) -> bool:
    limit = back.clock.now() + ROLLBACK_TIME
    while back.clock.now() < limit:
        service = back.aws.ecs.find_service(back.cluster, back.desired.name)
        if service is None or service.running + service.pending == 0:
            return True
        back.clock.wait(back.watcher.pace.after(timedelta()))
    return False


def could_not_go_back(back: GoBack, message: str) -> RolledBackTo:
    """The outcome that needs a person; `message` says what stood in the way."""
    name, env = back.desired.service_name, back.desired.environment
    return RolledBackTo(
        outcome=Outcome.ROLLBACK_FAILED,
        text="the rollback did not succeed",
        message=message,
        next=(
            f"fsd status --service {name} --env {env}",
            f"fsd history --service {name} --env {env}",
        ),
    )
