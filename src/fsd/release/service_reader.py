"""What ECS shows of one service and one deployment of it. Only reads; judges and tells nothing.

A look is one DescribeServices. The service deployment, which alone decides, is read when something
moved and every few looks; what explains a failure, when something speaks of one. Evidence adds up:
ECS forgets stopped tasks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.healthy import read_targets
from fsd.release.notes import CouldNot, Note, Undone
from fsd.release.pace import CallBudget
from fsd.release.ports import Aws, PermissionDenied
from fsd.rollout.assess import Ours
from fsd.snapshot import (
    DeploymentStatus,
    Event,
    ServiceDeployment,
    ServiceState,
    Snapshot,
    StoppedTask,
    TargetHealth,
)

MISSING_LOOKS_TOLERATED = 3
DEPLOYMENT_EVERY = 6  # looks; also whenever something moved
EVIDENCE_EVERY = 8
LISTED = 20  # deployments: the revisions of so many are one call


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What DescribeServices showed last time: a difference is worth more calls."""

    states: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    failed: int = 0
    newest_event: str = ""
    running: int = 0  # tasks of the newest deployment
    started: int = 0  # those that are pending too

    def has_ended_task_since(self, before: _Shown) -> bool:
        """Whether a task of the newest deployment ended in between."""
        is_same = self.states == before.states
        has_fewer = self.running < before.running or self.started < before.started
        return self.failed > before.failed or (is_same and has_fewer)


@dataclass(slots=True, kw_only=True)
class ServiceReader:
    aws: Aws
    cluster: str
    service: str
    budget: CallBudget
    warn: Callable[[Note], None]  # of what the role may not read
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(service=None, deployment=None))
    others: tuple[ServiceDeployment, ...] = ()  # not known before either, and not ours
    listed: tuple[ServiceDeployment, ...] = ()  # among which ours was found
    event: str = ""  # the newest of the last look
    answer: ServiceState | None = None  # to the call that began the deployment; the first look
    _looks: int = 0
    _missing: int = 0
    _of: str = ""  # the deployment that is read
    _found: ServiceDeployment | None = None  # read a moment ago
    _is_owed: bool = False  # the deployment was to be read, and AWS did not answer
    _shown: _Shown = field(default_factory=_Shown)
    _seen_events: set[str] = field(default_factory=set)
    _targets_read_at: int = -1  # the look in which they were

    def begin(self, ours: Ours) -> None:
        """Another deployment than before is judged by its own evidence."""
        if ours.arn == self._of:
            return
        self._of, self._shown = ours.arn, _Shown()
        self.snapshot = Snapshot(service=self.snapshot.service, deployment=None)

    def list_new(
        self, known: frozenset[str], task_definition_arn: str
    ) -> tuple[ServiceDeployment, ...]:
        """The deployments of this revision that are not among the known ones."""
        _, listed = self.aws.ecs.newest_deployments(self.cluster, self.service, limit=LISTED)
        new = [deployment for deployment in listed if deployment.arn not in known]
        self.listed = tuple(listed)
        self.budget.spent += 2
        ours = tuple(d for d in new if d.task_definition_arn == task_definition_arn)
        self.others = tuple(d for d in new if d not in ours)
        self._found = max(ours, key=lambda deployment: deployment.created_at, default=None)
        return ours

    def look(self, ours: Ours, *, on_answer: Callable[[], None]) -> bool:
        """False where the service is missing for the first times: ECS may show it late."""
        service = self._answered(ours) or self.aws.ecs.find_service(self.cluster, self.service)
        on_answer()
        self._missing = 0 if service else self._missing + 1
        if self._missing in range(1, MISSING_LOOKS_TOLERATED):
            return False
        self._looks += 1
        self.event = ""
        self.snapshot = replace(self.snapshot, service=service)
        if service is not None:
            self._read_what_moved(service, ours)
        return True

    def _answered(self, ours: Ours) -> ServiceState | None:
        """What UpdateService answered a moment ago, once. Its deployment is listed by now."""
        answer, self.answer = self.answer, None
        if answer is None or answer.task_definition_arn != ours.task_definition_arn:
            return None
        return replace(answer, current_deployment_arn=ours.arn)

    def look_after_the_end(self) -> tuple[ServiceState | None, bool]:
        """(the service, whether anything moved since the last look)."""
        service = self.aws.ecs.find_service(self.cluster, self.service)
        self.budget.spent += 1
        if service is None:
            return None, True
        self.snapshot = replace(self.snapshot, service=service)
        before, self._shown = self._shown, _shown(service)
        return service, bool(self._take_fresh_events(service)) or self._shown != before

    @property
    def targets_of_this_look(self) -> tuple[TargetHealth, ...] | None:
        """None where they were not read in it: they may have changed since."""
        return self.snapshot.targets if self._targets_read_at == self._looks else None

    def forget_targets(self) -> None:
        """They are to be read anew."""
        self._targets_read_at = -1

    def read_targets_anew(self) -> tuple[TargetHealth, ...]:
        """Without what was said of targets that are gone."""
        service = self.snapshot.service
        targets = read_targets(self.aws, service) if service else ()
        self._set_targets(targets, service)
        return targets

    def refresh_evidence(self) -> None:
        """Fetch all that explains a failure: stopped tasks, events, targets. It adds up.

        The events of the last look are older than the tasks that decided: the one that says why a
        target was unhealthy may be missing among them.
        """
        service = self._reread_service()
        if service is not None:
            # A task that runs and is not healthy explains what no stopped task does.
            self._read_evidence(service, with_tasks=not self.snapshot.tasks)

    def read_stopped(self) -> None:
        """Only tasks of our deployment: the same revision may have failed an hour ago as well."""
        if self.snapshot.deployment is None:
            return
        found = self.aws.ecs.stopped_tasks(self.cluster, self.service)
        self.budget.spent += 2 if found else 1
        self._add_stopped(found)

    def read_tasks(self) -> None:
        """For the count of healthy tasks; without it the progress is coarser."""
        try:
            tasks = tuple(self.aws.ecs.tasks(self.cluster, self.service))
        except CallFailedError:
            return
        self.budget.spent += 2 if tasks else 1
        self.snapshot = replace(self.snapshot, tasks=tasks)

    # --- one look --------------------------------------------------------------------------

    def _read_what_moved(self, service: ServiceState, ours: Ours) -> None:
        before, self._shown = self._shown, _shown(service)
        affords, has_targets = self.budget.affords, bool(service.target_group_arns)
        has_moved = self._shown != before
        is_new = self._shown.states != before.states or self._looks % DEPLOYMENT_EVERY == 0
        self._is_owed = self._is_owed or is_new
        is_telling = has_moved or self._is_settling(service) or service.shifts_traffic
        if self._is_owed or (is_telling and affords(6)):
            self._read_deployment(service, ours)
            self._is_owed = False
        fresh = self._take_fresh_events(service)
        speaks = self._shown.has_ended_task_since(before) or any(map(_speaks_of_failure, fresh))
        if before == _Shown() and not _has_begun(service):
            has_moved = False  # seen for the first time, and no task of it runs yet
        counts = has_moved and self._shown.counts != before.counts
        with_tasks = counts and _tells_tasks_apart(service) and affords(4 if has_targets else 9)
        is_due = self._looks % EVIDENCE_EVERY == 0
        if (speaks and affords(2)) or ((has_moved or is_due) and affords(6)):
            is_later = before != _Shown() and not (speaks or is_due)
            gets_on = is_later and self._shown.running > before.running
            with_stopped = not gets_on and not self._is_done
            self._read_evidence(service, with_tasks=with_tasks, with_stopped=with_stopped)
        elif with_tasks:
            self.read_tasks()

    @property
    def _is_done(self) -> bool:
        """ECS calls it successful: stopped tasks explain nothing then."""
        deployment = self.snapshot.deployment
        return deployment is not None and deployment.status is DeploymentStatus.SUCCESSFUL

    def _is_settling(self, service: ServiceState) -> bool:
        """The two views of ECS differ: the service's says the end, the deployment's not yet."""
        deployment, primary = self.snapshot.deployment, service.primary
        if deployment is None or primary is None or primary.rollout_state != "IN_PROGRESS":
            return True
        running = {DeploymentStatus.PENDING, DeploymentStatus.IN_PROGRESS}
        return deployment.status not in running

    def _read_deployment(self, service: ServiceState, ours: Ours) -> None:
        """Not again in the first look what was found just before it."""
        found, self._found = self._found, None
        if found is None or found.arn != ours.arn:
            found = next(iter(self.aws.ecs.service_deployments([ours.arn])), None)
            self.budget.spent += 1
        self.snapshot = replace(
            self.snapshot, deployment=found, newer=self._find_newer(service, found)
        )

    def _find_newer(
        self, service: ServiceState, deployment: ServiceDeployment | None
    ) -> ServiceDeployment | None:
        """A deployment that somebody started after ours.

        A rollback is not one: ECS does it inside our own service deployment. DescribeServices may
        lag behind, so a deployment that was stopped is looked for a successor in the list.
        """
        if deployment is None:
            return None
        if self.snapshot.newer is not None:
            arns = [self.snapshot.newer.arn]
        elif deployment.status in {DeploymentStatus.STOPPED, DeploymentStatus.STOP_REQUESTED}:
            arns = list(self.aws.ecs.service_deployment_arns(self.cluster, self.service)[:1])
            self.budget.spent += 1
        else:
            arns = [service.current_deployment_arn] if service.current_deployment_arn else []
        if not set(arns) - {deployment.arn}:
            return None
        self.budget.spent += 1
        newer = self.aws.ecs.service_deployments(arns)
        return next((d for d in newer if d.created_at > deployment.created_at), None)

    def _take_fresh_events(self, service: ServiceState) -> list[Event]:
        """The events of this rollout, each once; what was there before it is old news."""
        deployment = self.snapshot.deployment
        if deployment is None:
            return []
        events = tuple(e for e in service.events if e.at >= deployment.created_at)
        fresh = [event for event in events if event.id not in self._seen_events]
        self._seen_events |= {event.id for event in fresh}
        self.event = fresh[0].message if fresh else ""
        self.snapshot = replace(self.snapshot, events=events)
        return fresh

    def _reread_service(self) -> ServiceState | None:
        try:
            service = self.aws.ecs.find_service(self.cluster, self.service)
        except CallFailedError:
            service = None
        self.budget.spent += 1
        if service is None:
            return self.snapshot.service
        self.snapshot = replace(self.snapshot, service=service)
        self._take_fresh_events(service)
        return service

    def _read_evidence(
        self, service: ServiceState, *, with_tasks: bool = False, with_stopped: bool = True
    ) -> None:
        """What cannot be read is missing from the explanation; the verdict stands without it."""
        targets = self.aws.reads.start(lambda: read_targets(self.aws, service))
        try:
            if with_tasks and with_stopped:
                self._read_all_tasks()
            elif with_stopped:
                self.read_stopped()
            elif with_tasks:
                self.read_tasks()
            self._read_targets(targets(), service)
        except PermissionDenied as error:
            self.warn(CouldNot(what=Undone.EXPLANATION, error=Quoted.of(error)))
        except CallFailedError:
            self.budget.spent += 1

    def _read_all_tasks(self) -> None:
        running, stopped = self.aws.ecs.all_tasks(self.cluster, self.service)
        self.budget.spent += 3 if running or stopped else 2
        self.snapshot = replace(self.snapshot, tasks=tuple(running))
        self._add_stopped(stopped)

    def _add_stopped(self, found: Sequence[StoppedTask]) -> None:
        """Both times are ECS's own."""
        deployment = self.snapshot.deployment
        if deployment is None:
            return
        began = deployment.created_at
        stopped = {task.id: task for task in self.snapshot.stopped}
        stopped |= {t.id: t for t in found if (t.created_at or t.stopped_at or began) >= began}
        self.snapshot = replace(self.snapshot, stopped=tuple(stopped.values()))

    def _read_targets(self, targets: Sequence[TargetHealth], service: ServiceState) -> None:
        """An unhealthy target stays known: it is deregistered soon."""
        known = {t.address: t for t in self.snapshot.targets if t.state == "unhealthy"}
        known |= {t.address: t for t in targets}
        self._set_targets(tuple(known.values()), service)

    def _set_targets(self, targets: tuple[TargetHealth, ...], service: ServiceState | None) -> None:
        self.budget.spent += len(service.target_group_arns) if service else 0
        self.snapshot = replace(self.snapshot, targets=targets)
        self._targets_read_at = self._looks


def _tells_tasks_apart(service: ServiceState) -> bool:
    """Whether new tasks run beside old ones, so that a healthy target may be either's."""
    primary = service.primary
    return len(service.deployments) > 1 and (primary is None or primary.running > 0)


def _has_begun(service: ServiceState) -> bool:
    """Whether a task of the newest deployment ran, or could not."""
    primary = service.primary
    return primary is None or bool(primary.running or primary.failed_tasks)


def _shown(service: ServiceState) -> _Shown:
    deployments = service.deployments
    return _Shown(
        states=(
            service.status,
            service.current_deployment_arn,
            *(part for d in deployments for part in (d.id, d.status, d.rollout_state)),
        ),
        counts=(service.desired, *(n for d in deployments for n in (d.running, d.pending))),
        failed=sum(d.failed_tasks for d in deployments),
        newest_event=service.events[0].id if service.events else "",
        running=service.primary.running if service.primary else 0,
        started=service.primary.running + service.primary.pending if service.primary else 0,
    )


# What every rollout says; anything else may speak of a failure.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
_ROUTINE_EVENT = re.compile(
    r"has started \d+ tasks|has stopped \d+ running tasks|registered \d+ targets"
    r"|has begun draining|has reached a steady state|deployment completed",
)


def _speaks_of_failure(event: Event) -> bool:
    return _ROUTINE_EVENT.search(event.message) is None
