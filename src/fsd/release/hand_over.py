"""From the rule or schedule of another tool to a Job's own: a run is started by one of them.

    ours, disabled ─▶ the old one off ─▶ ours on

AWS changes two schedules in two calls. In between neither starts a run, for less than a second, and
never in a minute in which one is due. What fails or is interrupted leaves all as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.observed import OldSchedule
from fsd.release.ports import JobSchedule, Schedules
from fsd_files.timetable import due_after

_MINUTE = timedelta(minutes=1)
_SOON = timedelta(seconds=15)  # what the calls may take


def hand_over(old: OldSchedule, parameters: Json, schedules: Schedules) -> None:
    """Disable `old`, and put ours in its place.

    Raises CallFailedError and Interrupted: then `old` is enabled, and ours as it was before.
    """
    before = schedules.find(str(parameters["Name"]))
    try:
        schedules.put({**parameters, "State": "DISABLED"})
        schedules.switch_old(old.arn, is_on=False)
        schedules.put(parameters)
    except (CallFailedError, Interrupted) as error:
        _restore(old, str(parameters["Name"]), before, schedules, error)
        raise


def _restore(
    old: OldSchedule,
    name: str,
    before: JobSchedule | None,
    schedules: Schedules,
    error: CallFailedError | Interrupted,
) -> None:
    """Also where a call had no answer: it may have worked. First the one that starts runs."""
    kind = "rule" if old.is_rule else "schedule"
    try:
        schedules.switch_old(old.arn, is_on=True)
    except CallFailedError as another:
        raise CallFailedError(
            f"the old {kind} {old.name} could not be enabled again ({another.what}) after the new "
            f"schedule {name} was not put in its place: {error.what}",
            where=old.arn,
            fix=f"enable {old.name} in the EventBridge console, then deploy again",
        ) from error
    if before is None:
        schedules.delete(name)
    else:
        schedules.put(before.parameters)


def until_quiet(timetables: Iterable[tuple[str, str]], now: datetime) -> timedelta:
    """How long until no cron expression, each with its time zone, is in the minute that it is due.

    EventBridge starts a run at any second of its minute. Zero also for a `rate`, whose beginning
    AWS does not tell, and for what is due every minute.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    begin = now.astimezone(UTC).replace(second=0, microsecond=0)
    ends = [begin]
    for expression, zone in timetables:
        due = _due(expression, zone, begin - timedelta(seconds=1))
        if due is None or due > now + _SOON:
            continue
        if _due(expression, zone, due) != due + _MINUTE:
            ends.append(due + _MINUTE)
    return max(max(ends) - now, timedelta())


def _due(expression: str, zone: str, after: datetime) -> datetime | None:
    if not expression.startswith("cron("):
        return None
    try:
        return due_after(expression, after, ZoneInfo(zone))
    except (KeyError, ValueError):  # no such time zone on this machine, or AWS knows more than we
        return None
