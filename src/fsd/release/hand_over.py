"""From the rule or schedule of another tool to a Job's own: a run is started by one of them.

    ours, disabled ─▶ (no run is due) ─▶ the old one off ─▶ ours on

AWS changes two schedules in two calls. In between neither starts a run, for less than a second, and
never in a minute in which one is due. What fails or is interrupted leaves all as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, Interrupted
from fsd.plan.observed import OldSchedule
from fsd.release.ports import JobSchedule, Schedules
from fsd_files.timetable import due_after

_MINUTE = timedelta(minutes=1)
_SOON = timedelta(seconds=15)  # what the calls may take
_LONGEST = timedelta(minutes=20)  # that a deployment waits
_TRIES = 3  # of each call that restores something


class HandOverFailedError(CallFailedError):
    """What was there before could not be restored: FSD's own schedule may be enabled."""


def hand_over(
    old: OldSchedule,
    parameters: Json,
    schedules: Schedules,
    *,
    wait_until_quiet: Callable[[], None],
) -> None:
    """Disable `old`, and put ours in its place.

    The first put may take a minute, until AWS knows a new role. Only then is the wait of use.

    Raises CallFailedError and Interrupted: then `old` is enabled, and ours as it was before;
    HandOverFailedError where they are not.
    """
    name = str(parameters["Name"])
    before = schedules.find(name)
    if before is not None and before.parameters.get("State") != "DISABLED":
        wait_until_quiet()
    try:
        schedules.put({**parameters, "State": "DISABLED"})
        wait_until_quiet()
        schedules.switch_old(old.arn, is_on=False)
        schedules.put(parameters)
    except (CallFailedError, Interrupted) as error:
        _Restore(old=old, name=name, before=before, schedules=schedules).run(error)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restore:
    """Also where a call had no answer: it may have worked. First the one that starts runs."""

    old: OldSchedule
    name: str
    before: JobSchedule | None
    schedules: Schedules

    def run(self, error: CallFailedError | Interrupted) -> None:
        """A signal does not end it: half of it would be none or two that start runs."""
        old, name = self.old, self.name
        failed = _insist(lambda: self.schedules.switch_old(old.arn, is_on=True))
        if failed is not None:
            raise HandOverFailedError(
                f"the old {self._kind} {old.name} could not be enabled again ({failed.what}) after "
                f"the new schedule {name} was not put in its place: {error.what}. Their states "
                f"now: {old.name} {self._old_state()}, {name} {self._own_state()}",
                where=old.arn,
                fix=f"if {name} is not enabled, enable {old.name} in the EventBridge console"
                + (f" (`aws events enable-rule --name {old.name}`)" if old.is_rule else "")
                + "; then deploy again",
            ) from error
        failed = _insist(self._put_back)
        if failed is not None:
            verb = "delete" if self.before is None else "disable"
            raise HandOverFailedError(
                f"the new schedule {name} could not be {verb}d ({failed.what}) after it was not "
                f"put in the place of the old {self._kind} {old.name}: {error.what}. Their states "
                f"now: {old.name} {self._old_state()}, {name} {self._own_state()}",
                where=name,
                fix=f"if both are enabled, {verb} {name} in the EventBridge console"
                + (f" (`aws scheduler delete-schedule --name {name}`)" if not self.before else "")
                + "; then deploy again",
            ) from error

    @property
    def _kind(self) -> str:
        return "rule" if self.old.is_rule else "schedule"

    def _put_back(self) -> None:
        if self.before is None:
            self.schedules.delete(self.name)
        else:
            self.schedules.put(self.before.parameters)

    def _old_state(self) -> str:
        """As AWS says now, where it answers."""
        try:
            found = self.schedules.find_old(self.old.arn)
        except (CallFailedError, Interrupted):
            return _UNKNOWN
        return _state(found is not None, is_on=found is not None and found.is_enabled)

    def _own_state(self) -> str:
        try:
            found = self.schedules.find(self.name)
        except (CallFailedError, Interrupted):
            return _UNKNOWN
        is_on = found is not None and found.parameters.get("State") != "DISABLED"
        return _state(found is not None, is_on=is_on)


_UNKNOWN = "unknown"


def _state(is_there: bool, *, is_on: bool) -> str:
    if not is_there:
        return "missing"
    return "enabled" if is_on else "disabled"


def _insist(call: Callable[[], object]) -> CallFailedError | Interrupted | None:
    """Why it failed the last time; None where it succeeded. Each of these calls can be repeated."""
    failed: CallFailedError | Interrupted | None = None
    for _ in range(_TRIES):
        try:
            call()
        except (CallFailedError, Interrupted) as error:
            failed = error
        else:
            return None
    return failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When EventBridge starts a run: at any second of the minute, or of the minutes after it."""

    expression: str
    zone: str
    window: int = 0  # minutes, of a flexible time window


def until_quiet(timetables: Iterable[Timetable], now: datetime) -> timedelta | None:
    """How long until none of them is in a minute in which it may start a run, nor soon will be.

    Zero also for a `rate`, whose beginning AWS does not tell. None where it takes more than twenty
    minutes, as with what is due every minute.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html
    """
    every = tuple(timetables)
    at = now
    while at - now <= _LONGEST:
        end = max((_end_of_due(one, at) for one in every), default=at)
        if end == at:
            return at - now
        at = end
    return None


def _end_of_due(timetable: Timetable, at: datetime) -> datetime:
    """`at` where nothing is due, else a later time."""
    begin = at.astimezone(UTC).replace(second=0, microsecond=0)
    window = timedelta(minutes=timetable.window)
    due = _due(timetable, begin - window - timedelta(seconds=1))
    if due is None or due > at + _SOON:
        return at
    return due + window + _MINUTE


def _due(timetable: Timetable, after: datetime) -> datetime | None:
    if timetable.expression.startswith("rate("):
        return None
    try:
        return due_after(timetable.expression, after, ZoneInfo(timetable.zone))
    except (KeyError, ValueError):  # no such time zone on this machine, or AWS knows more than we
        return None
