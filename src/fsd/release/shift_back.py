"""Take back a deployment that still has both sides: one shift of the traffic, and no new tasks.

Until the old tasks are being stopped, ECS goes back that way by itself.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from fsd.release.concurrency.races import TOO_LATE, superseded_by
from fsd.release.journal import JournalEntry
from fsd.release.messages import BareMessage
from fsd.release.operation import Operation
from fsd.release.outcome import Ending, outcome_of
from fsd.release.redeploy import make_watcher, note_in_ledger, result_of
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.watch import Watched
from fsd.rollout.assess import Ours
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import ServiceDeployment, ServiceState


def find_shift(operation: Operation) -> ServiceDeployment | None:
    """The deployment in flight, where it shifts traffic."""
    ref, ecs = operation.ref, operation.aws.ecs
    arns = ecs.service_deployment_arns(ref.cluster, ref.name)
    newest = next(iter(ecs.service_deployments(arns[:1])), None)
    is_shifting = newest is not None and not newest.status.is_final and newest.lifecycle_stage
    return newest if is_shifting else None


def shift_back(
    operation: Operation,
    flight: ServiceDeployment,
    service: ServiceState,
    *,
    target: ReleaseInfo,
) -> Result:
    """Ask ECS to take it back, and see it through. `target` is what served before it."""
    started = operation.clock.now()
    # The service names the new revision already.
    before = replace(service, task_definition_arn=target.task_definition_arn)
    watcher = make_watcher(operation, before, target, started=started)
    operation.aws.ecs.stop_service_deployment(flight.arn)
    what = f"from {family_revision(flight.task_definition_arn)}"
    entry = JournalEntry(at=started, action="rollback", what=what, by=operation.by)
    note_in_ledger(operation, target.task_definition_arn, entry)
    ours = Ours(
        service=operation.ref.name,
        arn=flight.arn,
        task_definition_arn=flight.task_definition_arn,
        asked_to_stop=True,
    )
    if operation.wait:
        ended = _ending(operation, watcher.watch(ours, until_final=True))
    else:
        ended = Ending(outcome=Outcome.STARTED)
    result = result_of(
        operation, ended, action="rollback", started=started, release=target, previous=None
    )
    return replace(result, notes=(*watcher.view.warnings, *result.notes))


def _ending(operation: Operation, watched: Watched) -> Ending:
    look = operation.ref.command("status", ("watch", ""))
    match outcome_of(watched.verdict):
        case Outcome.ROLLED_BACK:
            return Ending(outcome=Outcome.SUCCEEDED)
        case Outcome.SUCCEEDED:
            return Ending(outcome=Outcome.ROLLBACK_FAILED, message=TOO_LATE.message)
        case Outcome.SUPERSEDED:
            lost = superseded_by(getattr(watched.verdict, "task_definition_arn", ""))
            return Ending(outcome=lost.outcome, message=lost.message)
        case Outcome.TIMED_OUT:
            message = BareMessage.ROLLBACK_GOES_ON
            return Ending(outcome=Outcome.TIMED_OUT, message=message, next_steps=(look,))
        case Outcome.ROLLBACK_FAILED:
            return Ending(outcome=Outcome.ROLLBACK_FAILED, next_steps=(look,))
        case other:
            assert_never(other)
