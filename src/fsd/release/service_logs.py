"""A service's or a Job's log lines, from wherever its task definitions send them.

Which revisions count: those that run, and the newest ones, of which one may have been rolled back
and may have had another log group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from fsd.manifest import names
from fsd.release.existing_service import require_service
from fsd.release.jobs import find_job
from fsd.release.log_places import StreamPlace
from fsd.release.logs import LogReader, OwnTasks
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws, LogLine
from fsd.rollout.log_remarks import LogElsewhere

_NEWEST = 3  # revisions, whose tasks may have written a few minutes ago
_READS_A_LOOK = 10


@dataclass(slots=True, kw_only=True)
class ServiceLogs:
    """Reads on from where it was; looks now and then whether the lines go somewhere else."""

    aws: Aws
    ref: ServiceRef
    start: datetime
    task: str = ""  # the beginning of a task ID
    elsewhere: tuple[LogElsewhere, ...] = ()  # of what runs
    _own: OwnTasks = field(init=False)
    _reader: LogReader | None = field(default=None, init=False)
    _reads: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._own = OwnTasks(look=self._tasks)

    @property
    def groups_left_out(self) -> Sequence[str]:
        """The log groups that are not the service's alone, of which lines were left out."""
        return sorted(self._own.groups_left_out)

    def read(self) -> Sequence[LogLine]:
        """What came since the last call, oldest first. Raises CallFailedError."""
        if self._reader is None:
            logs, start = self.aws.logs, self.start
            self._reader = LogReader(
                logs=logs, places=(), start=start, task=self.task, own_tasks=self._own
            )
        if self._reads % _READS_A_LOOK == 0:
            self._reader.places = self._places()
            self._own.ask_again()
        self._reads += 1
        return self._reader.read()

    def require(self) -> None:
        """Raises UsageError where there is no such service or Job."""
        if find_job(self.aws, self.ref) is None:
            require_service(self.aws, self.ref)

    def _places(self) -> tuple[StreamPlace, ...]:
        ecs = self.aws.ecs
        running = self._running()
        newest = ecs.list_task_definitions(self.ref.family)[:_NEWEST]
        arns = dict.fromkeys((*running, *newest))
        asked = {arn: self.aws.reads.start(partial(ecs.log_routes, arn)) for arn in arns}
        routes = {arn: answer() for arn, answer in asked.items()}
        self.elsewhere = tuple(
            dict.fromkeys(one for arn in running for one in routes[arn].elsewhere)
        )
        found = (place for arn in arns for place in routes[arn].all_places)
        own = names.log_group(self.ref.service, self.ref.environment)
        # All streams of a group that is the service's alone; its lines outlive the service.
        places = {place if place.group != own else StreamPlace(group=own) for place in found}
        if not arns:
            places = {StreamPlace(group=own)}
        return tuple(sorted(places, key=lambda place: (place.group, place.prefix)))

    def _tasks(self) -> set[str]:
        """The IDs of those that ECS lists: the service's, and what runs once of its family."""
        ecs, cluster, reads = self.aws.ecs, self.ref.cluster, self.aws.reads
        asked = (
            reads.start(partial(ecs.all_tasks, cluster, self.ref.name)),
            reads.start(partial(ecs.runs, cluster, self.ref.family)),
        )
        return {task.id for answer in asked for tasks in answer() for task in tasks}

    def _running(self) -> tuple[str, ...]:
        """The task definitions that tasks are started of now."""
        service = self.aws.ecs.find_service(self.ref.cluster, self.ref.name)
        if service is not None:
            deployed = (one.task_definition_arn for one in service.deployments)
            return tuple(dict.fromkeys((service.task_definition_arn, *deployed)))
        job = find_job(self.aws, self.ref)
        return (job.task_definition_arn,) if job else ()
