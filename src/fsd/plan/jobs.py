"""(Desired, Observed) → Plan of a Job, whose release is what its schedule starts. Makes no call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fsd.change import BareRemark, Change, Sign
from fsd.compile.capacity import capacity_words
from fsd.compile.desired import (
    OUTPUT_SCHEDULE_ROLE,
    OUTPUT_TASK_SECURITY_GROUP,
    Desired,
    Json,
    JsonValue,
)
from fsd.compile.schedule import schedule_parameters
from fsd.plan.diff import diff_task_definitions
from fsd.plan.notes import OldScheduleGone, PlanNote, ScheduleTakenOver, VersionKept
from fsd.plan.observed import Observed, ObservedSchedule, OldSchedule
from fsd.plan.planner import FIRST_REVISION, before_steps, cluster_steps, stack_steps
from fsd.plan.steps import Plan, PutSchedule, RegisterRevision, RunOneOff, UseRevision
from fsd.plan.unnamed import find_kept_version

BY_HAND = "by hand"
_UNKNOWN = "(known after the stack)"


def plan_job(desired: Desired, observed: Observed) -> Plan:
    """Order the steps: nothing is started, but for `beforeDeploy` and `afterDeploy`."""
    revision = _revision_step(desired, observed)
    schedule = [*_schedule_steps(desired, observed, releases=revision is not None)]
    is_released = any(step.releases for step in schedule)
    after = [RunOneOff(key="afterDeploy", one_off=desired.after)] if desired.after else []
    return Plan(
        name=desired.name,
        account=observed.account,
        region=observed.region,
        steps=(
            *cluster_steps(desired, observed),
            *stack_steps(desired, observed, has_old_tasks=False),
            *([revision] if revision else []),
            *before_steps(desired, observed, revision, is_released=is_released),
            *schedule,
            *(after if is_released else []),
        ),
        notes=tuple(_notes(desired, observed)),
    )


def _notes(desired: Desired, observed: Observed) -> Iterator[PlanNote]:
    kept = find_kept_version(desired, observed)
    if kept is not None:
        yield VersionKept(version=kept)
    old = _taken_over(observed)
    if old is not None:
        yield ScheduleTakenOver(name=old.name, is_rule=old.is_rule)
    named = desired.schedule.takes_over if desired.schedule else ""
    if named and observed.old_schedule is None:
        yield OldScheduleGone(arn=named)


def _taken_over(observed: Observed) -> OldSchedule | None:
    """One that is disabled already starts nothing."""
    old = observed.old_schedule
    return old if old is not None and old.is_enabled else None


def _revision_step(desired: Desired, observed: Observed) -> RegisterRevision | UseRevision | None:
    wanted, running, latest = desired.task_definition, observed.running, observed.latest
    changes = diff_task_definitions(running.definition, wanted) if running else FIRST_REVISION
    if find_kept_version(desired, observed) is not None or not changes:
        return None
    if latest and not diff_task_definitions(latest.definition, wanted):
        return UseRevision(arn=latest.arn, changes=changes)
    sign = Sign.CHANGE if running else Sign.ADD
    return RegisterRevision(family=desired.family, definition=wanted, changes=changes, sign=sign)


def _schedule_steps(
    desired: Desired, observed: Observed, *, releases: bool
) -> Iterator[PutSchedule]:
    wanted = _wanted(desired, observed)
    name = str(wanted["Name"])
    found, old = observed.schedule, _taken_over(observed)
    ended = [_disabled(old)] if old is not None else []
    if found is None:
        when = Change(what=schedule_words(wanted))
        yield PutSchedule(
            name=name, changes=(when, *ended), releases=True, sign=Sign.ADD, takes_over=old
        )
        return
    changes = (*_changes(found, wanted), *ended)
    if changes or releases:
        yield PutSchedule(
            name=name, changes=changes, releases=releases, sign=Sign.CHANGE, takes_over=old
        )


def _disabled(old: OldSchedule) -> Change:
    kind = "rule" if old.is_rule else "schedule"
    return Change(what=f"old {kind} {old.name}", before="enabled", after="disabled")


def _wanted(desired: Desired, observed: Observed) -> Json:
    """With the stack's outputs of now: what it makes anew is not known before."""
    outputs = {OUTPUT_SCHEDULE_ROLE: _UNKNOWN, OUTPUT_TASK_SECURITY_GROUP: _UNKNOWN}
    stack = observed.stack
    if stack is not None:
        outputs |= {k: v for k, v in stack.outputs.items() if not stack.is_made_anew(k)}
    arn = observed.schedule.task_definition_arn if observed.schedule else ""
    return schedule_parameters(desired, outputs=outputs, task_definition_arn=arn)


def _changes(found: ObservedSchedule, wanted: Json) -> Iterator[Change]:
    """What GetSchedule says beside what UpdateSchedule would be told."""
    before, after = found.parameters, wanted
    if schedule_words(before) != schedule_words(after):
        yield Change(what="schedule", before=schedule_words(before), after=schedule_words(after))
    for what, path in (
        ("retries", "Target.RetryPolicy.MaximumRetryAttempts"),
        ("latest start", "Target.RetryPolicy.MaximumEventAgeInSeconds"),
        ("flexible window", "FlexibleTimeWindow.Mode"),
        ("cluster", "Target.Arn"),
        ("role", "Target.RoleArn"),
        ("public address", f"{_NETWORK}.AssignPublicIp"),
        ("exec", "Target.EcsParameters.EnableExecuteCommand"),
    ):
        one, two = (_text(_at(side, path)) for side in (before, after))
        if one != two:
            yield Change(what=what, before=one or None, after=two or None)
    for what, path in (
        ("subnets", f"{_NETWORK}.Subnets"),
        ("security groups", f"{_NETWORK}.SecurityGroups"),
    ):
        if _names(_at(before, path)) != _names(_at(after, path)):
            yield Change(what=what, remark=BareRemark.CHANGED)
    one, two = (_capacity(side) for side in (before, after))
    if one != two:
        yield Change(what="capacity", before=one, after=two)


_NETWORK = "Target.EcsParameters.NetworkConfiguration.awsvpcConfiguration"


def schedule_words(parameters: Mapping[str, JsonValue]) -> str:
    """`rate(1 hour)`, `cron(0 6 * * ? *) Europe/Berlin`, `by hand`."""
    if parameters.get("State") == "DISABLED":
        return BY_HAND
    zone = str(parameters.get("ScheduleExpressionTimezone") or "UTC")
    expression = str(parameters.get("ScheduleExpression"))
    return f"{expression} {zone}" if expression.startswith("cron(") else expression


def _at(value: object, path: str) -> object:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def _names(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset()


def _capacity(parameters: Mapping[str, JsonValue]) -> str:
    found = _at(parameters, "Target.EcsParameters.CapacityProviderStrategy")
    return capacity_words(found if isinstance(found, list) else [])
