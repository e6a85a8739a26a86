"""What a deployment's CloudWatch alarms say: before it begins, and after one has failed it."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.notes import AlarmsIgnored, AlarmsMissing, CouldNot, Note, Undone
from fsd.release.ports import AlarmState, Aws
from fsd.rollout.cause import Evidence


def warnings(aws: Aws, configuration: Json) -> tuple[Note, ...]:
    """Alarms that won't do what the manifest has them for, in this deployment.

    One that is in ALARM when a deployment starts has ECS ignore them all until its end.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    names = _names(configuration)
    if not names:
        return ()
    try:
        found = aws.alarms.find(names)
    except CallFailedError as error:
        return (CouldNot(what=Undone.ALARMS, error=Quoted.of(error)),)
    ringing = tuple(alarm.name for alarm in found if alarm.state == "ALARM")
    missing = tuple(sorted(set(names) - {alarm.name for alarm in found}))
    ignored: tuple[Note, ...] = (AlarmsIgnored(alarms=ringing),) if ringing else ()
    return (*ignored, AlarmsMissing(alarms=missing)) if missing else ignored


def evidence(aws: Aws, names: Sequence[str]) -> tuple[Evidence, ...]:
    """CloudWatch's own words on those that went off, while they still are in ALARM."""
    if not names:
        return ()
    try:
        found = aws.alarms.find(names)
    except CallFailedError:
        return ()  # the cause names them; this only says more
    return tuple(_evidence(alarm) for alarm in found if alarm.state == "ALARM")


def _evidence(alarm: AlarmState) -> Evidence:
    return Evidence(source=f"alarm {alarm.name}", text=alarm.reason)


def _names(configuration: Json) -> tuple[str, ...]:
    alarms = configuration.get("alarms")
    if not isinstance(alarms, dict) or not alarms.get("enable"):
        return ()
    names = alarms.get("alarmNames")
    return tuple(str(name) for name in names) if isinstance(names, list) else ()
