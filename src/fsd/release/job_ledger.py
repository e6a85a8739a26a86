"""Which revisions of a Job were deployed: those that its schedule has had.

EventBridge Scheduler remembers none of them, and a revision may be registered and never get that
far: the deployment was interrupted, or its beforeDeploy failed. So each is tagged once the schedule
has it. The tag may be missing on the one that the schedule has now, where a run died in between.
"""

from __future__ import annotations

from fsd.plan.observed import ObservedRevision
from fsd.release.ledger import write_tags
from fsd.release.notes import CouldNot
from fsd.release.ports import Ecs, JobSchedule, TaskDefinition
from fsd.release.result import PastOutcome

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TagResource.html
_SCHEDULED = {"fsd:scheduled": "true"}


def note_scheduled(ecs: Ecs, arn: str) -> CouldNot | None:
    """On the revision that the schedule has. Returns what to tell where AWS does not let us."""
    return write_tags(ecs, arn, _SCHEDULED)


def keep_scheduled(ecs: Ecs, before: TaskDefinition | ObservedRevision | None) -> CouldNot | None:
    """`note_scheduled` of the one that the schedule has, where it is missing: before another takes
    its place."""
    if before is None or _is_noted(before):
        return None
    return note_scheduled(ecs, before.arn)


def deployed_outcome(definition: TaskDefinition, job: JobSchedule) -> PastOutcome:
    """Whether a deployment of it succeeded, however its runs ended."""
    is_deployed = definition.arn == job.task_definition_arn or _is_noted(definition)
    return PastOutcome.SUCCEEDED if is_deployed else PastOutcome.NOT_SCHEDULED


def _is_noted(definition: TaskDefinition | ObservedRevision) -> bool:
    return _SCHEDULED.items() <= definition.tags.items()
