"""Look at a service, whoever deployed it and with whatever, and say how it is.

Only what DescribeServices answers is needed. Any other read that AWS refuses leaves the rest whole:
what could not be read is said, and where health depends on it, nothing is called well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fsd.compile.desired import OUTPUT_URL
from fsd.errors import CallFailedError, UsageError
from fsd.manifest import names
from fsd.plan.rule_weights import find_stray
from fsd.quoted import Quoted
from fsd.release.changed import Changed, find_changes
from fsd.release.evidence import ExplainedTask, explain_task
from fsd.release.existing_service import get_service
from fsd.release.journal import noted_failure
from fsd.release.ledger import describe_newest, release_info
from fsd.release.operation import Operation
from fsd.release.ports import AlarmState
from fsd.release.proof import last_proved
from fsd.release.result import ReleaseInfo
from fsd.rollout.cause import Cause, Diagnosis, Evidence
from fsd.rollout.condition_facts import AlarmsUnsaid, CouldNotRead, ReadPart, Unknown
from fsd.rollout.diagnose import group_name, short
from fsd.rollout.service_condition import judge
from fsd.rollout.service_facts import Condition, GroupLook, Look, snapshot_of
from fsd.snapshot import (
    DeploymentStatus,
    ServiceDeployment,
    ServiceState,
    StackLook,
    StoppedTask,
    TargetHealth,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a look at a service showed, and what it means."""

    service: str  # as the operator named it
    environment: str  # "" where cluster and service were named exactly
    look: Look
    condition: Condition
    releases: Mapping[str, ReleaseInfo]  # by task definition ARN, of what runs and what was last
    url: str = ""
    diagnosis: Diagnosis | None = (
        None  # of the present; where that is well, of a rollout that failed
    )

    @property
    def is_settled(self) -> bool:
        """Nothing is in flight."""
        rollout = self.condition.rollout
        return rollout is None or rollout.state.is_over

    @property
    def running(self) -> ReleaseInfo | None:
        arns = (*self.condition.serving.revisions, self.look.service.task_definition_arn)
        return next((self.releases[arn] for arn in arns if arn in self.releases), None)


@dataclass(slots=True)
class _Reading:
    """Reads that may fail: `unread` leaves the judgement open, `remarks` only say less."""

    unread: list[Unknown] = field(default_factory=list)
    remarks: list[CouldNotRead] = field(default_factory=list)

    def need(
        self, part: ReadPart, read: Callable[[], T], otherwise: T, *, names: tuple[str, ...] = ()
    ) -> T:
        try:
            return read()
        except CallFailedError as error:
            self.unread.append(CouldNotRead(part=part, error=Quoted.of(error), names=names))
            return otherwise

    def want(self, part: ReadPart, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except CallFailedError as error:
            self.remarks.append(CouldNotRead(part=part, error=Quoted.of(error)))
            return otherwise


def examine(operation: Operation, *, explain: bool = True) -> Examination:
    """Raises UsageError where there is no such service. `explain` also reads logs and changes.

    ECS keeps stopped tasks for about an hour.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
    """
    look = _look(operation, _service(operation))
    condition = judge(look)
    rollout = condition.rollout
    arns = [
        *condition.serving.revisions,
        look.service.task_definition_arn,
        rollout.task_definition_arn if rollout else "",
    ]
    diagnosis = _diagnosis(operation, look, condition) if explain else None
    return Examination(
        service=operation.ref.service,
        environment=operation.ref.environment,
        look=look,
        condition=_as_shown(condition, diagnosis),
        releases=_releases(operation, arns),
        url=dict(look.stack.outputs).get(OUTPUT_URL, "") if look.stack else "",
        diagnosis=diagnosis,
    )


def _service(operation: Operation) -> ServiceState:
    """Where there is none because its stack could not be made, the error says that too."""
    try:
        return get_service(operation)
    except UsageError as error:
        stack = _broken_stack(operation)
        if stack is None:
            raise
        why = f": {stack.reason}" if stack.reason else ""
        raise UsageError(
            f"{error.what}; its stack {stack.name} is {stack.status}{why}",
            where=error.where,
            fix="correct what the stack's reason names, then deploy again",
            code=error.code,
        ) from error


def _broken_stack(operation: Operation) -> StackLook | None:
    try:
        stack = _find_stack(operation, operation.ref.stack_name)
    except CallFailedError:
        return None  # that there is no service is said all the same
    return stack if stack is not None and stack.is_broken else None


def _look(operation: Operation, service: ServiceState) -> Look:
    aws, ref = operation.aws, operation.ref
    reading = _Reading()
    newest = reading.want(ReadPart.DEPLOYMENTS, lambda: _newest(operation, service), None)
    stack_name = _stack_name(operation, service)
    unseen: tuple[StackLook | None, bool] = (None, False)
    # While traffic shifts, what the rule says is ECS's business.
    rule = "" if newest is not None and not newest.status.is_final else service.production_rule
    stack, is_known = reading.want(
        ReadPart.STACK, lambda: (_find_stack(operation, stack_name), True), unseen
    )
    look = Look(
        at=operation.clock.now(),
        service=service,
        newest=newest,
        tasks=tuple(reading.want(ReadPart.TASKS, lambda: aws.ecs.tasks(ref.cluster, ref.name), ())),
        stopped=tuple(
            reading.want(
                ReadPart.STOPPED_TASKS, lambda: aws.ecs.stopped_tasks(ref.cluster, ref.name), ()
            )
        ),
        groups=tuple(_group(operation, reading, arns, rule=rule) for arns in service.target_groups),
        alarms=_alarms(operation, reading, service),
        stack=stack,
        lacks_stack=stack is None and is_known and _is_of_fsd(service),
        noted=reading.want(ReadPart.TAGS, lambda: _noted(operation, newest), ""),
        unread=tuple(reading.unread),
        remarks=tuple(reading.remarks),
    )
    return look


def _alarms(operation: Operation, reading: _Reading, service: ServiceState) -> tuple[Evidence, ...]:
    """Those of the service that are in ALARM."""
    if not service.alarms:
        return ()
    none: Sequence[AlarmState] = ()
    alarms = operation.aws.alarms
    found = reading.need(
        ReadPart.ALARMS, lambda: alarms.find(service.alarms), none, names=service.alarms
    )
    unsaid = set(service.alarms) - {alarm.name for alarm in found if alarm.state}
    if unsaid and not reading.unread:
        reading.unread.append(AlarmsUnsaid(names=tuple(sorted(unsaid))))
    return tuple(
        Evidence(source=f"alarm {alarm.name}", text=alarm.reason)
        for alarm in found
        if alarm.state == "ALARM"
    )


def _newest(operation: Operation, service: ServiceState) -> ServiceDeployment | None:
    """Other controllers' deployments are not ECS's: it has none, or refuses to list them. None also
    where a role may not see them: what DescribeServices says of the primary one is judged then.
    """
    ref, ecs = operation.ref, operation.aws.ecs
    if service.controller not in {"", "ECS"} or service.task_sets:
        return None
    arns = ecs.service_deployment_arns(ref.cluster, ref.name)[:1]
    found = next(iter(ecs.service_deployments(arns)), None) if arns else None
    return found if found is not None and found.arn.startswith("arn:") else None


def _is_of_fsd(service: ServiceState) -> bool:
    tags = dict(service.tags)
    return "fsd:service" in tags and "fsd:environment" in tags


def _stack_name(operation: Operation, service: ServiceState) -> str:
    tags = dict(service.tags)
    if operation.ref.stack_name or not _is_of_fsd(service):
        return operation.ref.stack_name
    return names.stack(tags["fsd:service"], tags["fsd:environment"])


def _find_stack(operation: Operation, name: str) -> StackLook | None:
    return operation.aws.stacks.look(name) if name else None


def _group(
    operation: Operation, reading: _Reading, arns: tuple[str, ...], *, rule: str
) -> GroupLook:
    found: list[TargetHealth] = []
    missing: list[str] = []
    healthy: dict[str, int] = {}
    unknown: Mapping[str, int] = {}

    def read() -> bool:
        for arn in arns:
            targets = operation.aws.targets.find_health(arn)
            if targets is None:
                missing.append(arn)
            found.extend(targets or ())
            healthy[arn] = sum(target.state == "healthy" for target in targets or ())
        return True

    groups = tuple(map(group_name, arns))
    is_read = reading.need(ReadPart.TARGETS, read, False, names=groups)
    is_pair = is_read and rule and len(arns) > 1
    weights = operation.aws.targets.weights
    said = reading.want(ReadPart.RULE, lambda: weights(rule), unknown) if is_pair else unknown
    return GroupLook(
        arns=arns,
        targets=tuple(found) if is_read else None,
        missing=tuple(missing),
        stray=find_stray(said, healthy),
    )


def _noted(operation: Operation, newest: ServiceDeployment | None) -> str:
    """What FSD wrote on the revision when its rollout failed."""
    if newest is None or newest.status is DeploymentStatus.SUCCESSFUL:
        return ""
    if not newest.status.is_final or not newest.task_definition_arn:
        return ""
    found = operation.aws.ecs.find_task_definition(newest.task_definition_arn)
    return noted_failure(found.tags) if found else ""


def _releases(operation: Operation, arns: Sequence[str]) -> dict[str, ReleaseInfo]:
    """What the tags say of each; a revision that cannot be read keeps its name."""
    found = {}
    for arn in dict.fromkeys(arn for arn in arns if arn):
        try:
            definition = operation.aws.ecs.find_task_definition(arn)
        except CallFailedError:
            continue  # only its version is missing
        if definition is not None:
            found[arn] = release_info(definition)
    return found


# --- why ----------------------------------------------------------------------------------------


def _diagnosis(operation: Operation, look: Look, condition: Condition) -> Diagnosis | None:
    causes = condition.causes or condition.rollout_causes
    if not causes:
        return None
    worst = _find_task_to_read(look.stopped, causes[0])
    read = ExplainedTask(causes=causes)
    if worst is not None:
        read = explain_task(operation.aws, causes, worst, snapshot_of(look))
    suspect = worst.task_definition_arn if worst else _suspect(condition)
    changed = _changed(operation, suspect)
    return Diagnosis(
        causes=read.causes,
        changed_since=changed.since,
        changes=changed.changes,
        log_lines=read.log_lines,
        logs_elsewhere=read.logs_elsewhere,
        log_error=read.log_error,
        log_task=short(worst.id) if worst else "",
    )


def _as_shown(condition: Condition, diagnosis: Diagnosis | None) -> Condition:
    """Only the diagnosis has log lines, and only its causes may point at them."""
    shown = diagnosis.causes if diagnosis else condition.causes
    if condition.causes:
        past = condition.rollout_causes
        return replace(condition, causes=shown, rollout_causes=past)
    past = diagnosis.causes if diagnosis else condition.rollout_causes
    return replace(condition, rollout_causes=past)


def _find_task_to_read(stopped: Sequence[StoppedTask], cause: Cause) -> StoppedTask | None:
    """The task whose log lines are worth reading: the latest of those that ended so."""
    mine = [task for task in stopped if task.id and task.id in cause.tasks]
    return max(mine, key=lambda task: str(task.stopped_at or ""), default=None)


def _suspect(condition: Condition) -> str:
    rollout = condition.rollout
    return rollout.task_definition_arn if rollout and not condition.causes else ""


def _changed(operation: Operation, suspect: str) -> Changed:
    """Against the last release that was proved; nothing where ECS does not list its deployments."""
    if not suspect:
        return Changed()
    ref, ecs = operation.ref, operation.aws.ecs
    try:
        deployments = describe_newest(ecs, ecs.service_deployment_arns(ref.cluster, ref.name))
        good = last_proved(ecs, [d for d in deployments if d.task_definition_arn != suspect])
    except CallFailedError:
        return Changed()
    return find_changes(ecs, good=good.task_definition_arn if good else None, failed=suspect)
