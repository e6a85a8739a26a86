"""MiniStack's EventBridge Scheduler: what AWS refuses, and its records for our own clock.

MiniStack takes any expression, time zone and role; its own clock is not started here.
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ministack.services import eventbridge, scheduler

from fsd_files.timetable import ExpressionError, check
from fsd_local.patches import iam
from fsd_local.patches.scope import current, scope
from fsd_local.schedules import FoundSchedule

_SERVICE = "scheduler.amazonaws.com"
_RULES_SERVICE = "events.amazonaws.com"
_RULE_CANNOT_ASSUME = "The role of the target does not let events.amazonaws.com assume it."
_RULE_RETRIES = 185
_NAME = "schedule"  # of the session that the role has


def mount() -> None:
    for name in ("_create_schedule", "_update_schedule"):
        setattr(scheduler, name, _checked(getattr(scheduler, name)))


def mount_resource() -> None:
    """AWS::Scheduler::Schedule: MiniStack's own drops the time zone and every refusal."""
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS["AWS::Scheduler::Schedule"] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }


def _create(logical_id: str, props: Any, stack_name: str) -> Any:
    from ministack.services.cloudformation import provisioners

    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    return _made(name, scheduler._create_schedule(name, props))


def _update(physical_id: str, old: Any, new: Any, stack_name: str) -> Any:
    """Another name or group is another schedule; the old one goes with the stack's clean-up."""
    if any(old.get(key) != new.get(key) for key in ("Name", "GroupName")):
        return _create(physical_id, new, stack_name)
    return _made(physical_id, scheduler._update_schedule(physical_id, new))


def _delete(physical_id: str, props: Any) -> None:
    scheduler._delete_schedule(physical_id, {"groupName": props.get("GroupName") or "default"})


def _made(name: str, answer: Any) -> Any:
    status, _, body = answer
    said = json.loads(body)
    if status != 200:
        raise ValueError(said["Message"])
    return name, {"Arn": said["ScheduleArn"]}


class MiniStackSchedules:
    """Implements `ScheduleStore`. `is_enforced`: roles may do only what their policies say."""

    def __init__(self, *, is_enforced: bool) -> None:
        self._is_enforced = is_enforced

    def all(self) -> Iterable[FoundSchedule]:
        for (account, region, _), record in list(scheduler._schedules._data.items()):
            yield FoundSchedule(account=account, region=region, record=record)
        for (account, region, key), rule in list(eventbridge._rules._data.items()):
            targets = eventbridge._targets._data.get((account, region, key)) or ()
            for record in _of_rule(rule, targets):
                yield FoundSchedule(
                    account=account, region=region, record=record, service=_RULES_SERVICE
                )

    def refusal(self, found: FoundSchedule, task_definition: str) -> str:
        role = found.record["Target"]["RoleArn"]
        with scope(found.account, found.region):
            if not iam.trusts(role, found.service, {"aws:sourceaccount": found.account}):
                return _cannot_assume() if found.service == _SERVICE else _RULE_CANNOT_ASSUME
            if not self._is_enforced:
                return ""
            context = {"ecs:cluster": found.record["Target"]["Arn"]}
            session = iam.session_of(role, _NAME)
            return iam.refusal_of(session, "ecs:RunTask", task_definition, context)

    def remove(self, found: FoundSchedule) -> None:
        with scope(found.account, found.region):
            scheduler._delete_schedule(
                found.record["Name"], {"groupName": found.record["GroupName"]}
            )


def _of_rule(rule: Any, targets: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """A rule with a schedule starts each of its targets: here those that are tasks of ECS.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-ecs-tutorial.html
    """
    if not rule.get("ScheduleExpression"):
        return
    for target in targets:
        if target.get("EcsParameters"):
            yield {
                "Name": rule["Name"],
                "GroupName": f"rule/{target['Id']}",
                "StartedBy": f"events-rule/{rule['Name']}",
                "State": rule["State"],
                "ScheduleExpression": rule["ScheduleExpression"],
                "CreationDate": rule["CreationTime"],
                "Target": {
                    **target,
                    "RoleArn": target.get("RoleArn", ""),
                    "RetryPolicy": target.get("RetryPolicy")
                    or {"MaximumRetryAttempts": _RULE_RETRIES},
                },
            }


def _checked(handle: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    @functools.wraps(handle)
    def with_checks(name: str, body: Any) -> Any:
        for fault in _faults(body):
            return scheduler._error(400, "ValidationException", fault)
        return handle(name, body)

    return with_checks


def _faults(body: Any) -> Iterator[str]:
    expression = body.get("ScheduleExpression")
    zone = body.get("ScheduleExpressionTimezone") or "UTC"
    if expression:
        try:
            check(expression, zone)
        except ExpressionError:
            yield f"Invalid Schedule Expression {expression}."
        except (KeyError, ValueError):
            yield f"Invalid Schedule Expression Timezone {zone}."
    role = (body.get("Target") or {}).get("RoleArn")
    if role and not iam.trusts(role, _SERVICE, {"aws:sourceaccount": current()[0]}):
        yield _cannot_assume()


def _cannot_assume() -> str:
    return "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
