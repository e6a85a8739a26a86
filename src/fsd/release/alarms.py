"""What a deployment's CloudWatch alarms say: before it begins, and after one has failed it."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.release.ports import AlarmState, Aws
from fsd.rollout.cause import Evidence


def warnings(aws: Aws, configuration: Json) -> tuple[str, ...]:
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
        return (f"the deployment's alarms could not be looked at first: {error.what}",)
    ringing = [alarm.name for alarm in found if alarm.state == "ALARM"]
    missing = sorted(set(names) - {alarm.name for alarm in found})
    told = []
    if ringing:
        told.append(
            f"{_alarms(ringing)} in ALARM already: ECS ignores the alarms of this deployment, "
            "none of them rolls it back"
        )
    if missing:
        told.append(f"{_alarms(missing)} not there: nothing is rolled back by what does not exist")
    return tuple(told)


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


def _alarms(names: Sequence[str]) -> str:
    noun, verb = ("alarm", "is") if len(names) == 1 else ("alarms", "are")
    return f"CloudWatch {noun} {', '.join(names)} {verb}"


def _names(configuration: Json) -> tuple[str, ...]:
    alarms = configuration.get("alarms")
    if not isinstance(alarms, dict) or not alarms.get("enable"):
        return ()
    names = alarms.get("alarmNames")
    return tuple(str(name) for name in names) if isinstance(names, list) else ()
