"""MiniStack's CloudWatch: its metric alarms judged as on AWS, and read by the control plane.

MiniStack judges when data is put; here an alarm is also judged when somebody looks at it, since
time alone can end what it was about. A state that SetAlarmState set holds until new data comes, or
for a minute (or the period, where that is shorter): CloudWatch evaluates that often.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from fsd.local.alarms import judge, load_rule
from fsd.local.ports import Alarm
from fsd.local.seams.scope import scope

_EVALUATED_EVERY = 60.0  # seconds

_judged: dict[str, int] = {}  # alarm ARN → datapoints of its metric when it was judged last


def mount() -> None:
    """Put our rule in the place of MiniStack's, and have it applied before alarms are described."""
    describe = cloudwatch._describe_alarms

    def describe_judged(*args: Any) -> Any:
        for alarm in cloudwatch._alarms.values():
            evaluate(alarm)
        return describe(*args)

    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._describe_alarms = describe_judged


class MiniStackAlarms:
    """Implements the `Alarms` port."""

    def read(self, names: Sequence[str], *, account: str, region: str) -> Mapping[str, Alarm]:
        with scope(account, region):
            found = {name: _read(name) for name in names}
        return {name: alarm for name, alarm in found.items() if alarm is not None}


def _read(name: str) -> Alarm | None:
    alarm = cloudwatch._alarms.get(name)
    if alarm is not None:
        evaluate(alarm)
        window = float(alarm.get("Period") or 0) * int(alarm.get("EvaluationPeriods") or 1)
        return Alarm(state=alarm["StateValue"], window=window)
    composite = cloudwatch._composite_alarms.get(name)
    return Alarm(state=composite["StateValue"]) if composite is not None else None


def evaluate(alarm: Any) -> None:
    """Judge one alarm of the account and Region in scope, if it is time to."""
    rule = load_rule(alarm)
    if rule is None:
        return
    now = time.time()
    points = _points(alarm)
    last = alarm.get("StateUpdatedTimestamp") or 0
    is_due = now - last >= min(_EVALUATED_EVERY, rule.period)
    if len(points) == _judged.get(alarm["AlarmArn"], 0) and not is_due:
        return
    _judged[alarm["AlarmArn"]] = len(points)
    oldest = int(now // rule.period) - rule.first_period
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    state = judge(rule, _statistics(points, statistic, rule.period, since=oldest), now)
    if state is not None and state != alarm["StateValue"]:
        _change(alarm, state, f"Threshold Crossed: {statistic} {rule.comparison} {rule.threshold}")


def _points(alarm: Any) -> list[Any]:
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm.get("Namespace"), alarm["MetricName"], cloudwatch._dims_key(dimensions))
    unit = alarm.get("Unit")
    points = list(cloudwatch._metrics.get(key) or ())
    return [point for point in points if not unit or point["Unit"] == unit]


def _statistics(
    points: Sequence[Any], statistic: str, period: int, *, since: int
) -> dict[int, float]:
    by_period: dict[int, list[Any]] = {}
    for point in points:
        number = int(point["Timestamp"] // period)
        if number >= since:
            by_period.setdefault(number, []).append(point)
    found = {
        number: cloudwatch._stat_value(cloudwatch._calc_stats(some), statistic, some)
        for number, some in by_period.items()
    }
    return {number: float(value) for number, value in found.items() if value is not None}


def _change(alarm: Any, state: str, reason: str) -> None:
    before = alarm["StateValue"]
    alarm["StateValue"], alarm["StateReason"] = state, reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
