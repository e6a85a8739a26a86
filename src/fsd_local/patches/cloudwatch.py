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

from fsd_local.alarms import explain, judge, load_rule
from fsd_local.patches.scope import scope
from fsd_local.ports import Alarm, Measured, Metric

_EVALUATED_EVERY = 60.0  # seconds
_PERIOD = 60  # of what target tracking measures
_MEASURED_PERIODS = 17  # as far back as its alarm for scaling in looks

_judged: dict[str, object] = {}  # alarm ARN → the rule and the data that it was judged by last


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
    """Implements the `Alarms` and the `Metrics` port."""

    def read(self, names: Sequence[str], *, account: str, region: str) -> Mapping[str, Alarm]:
        with scope(account, region):
            found = {name: _read(name) for name in names}
        return {name: alarm for name, alarm in found.items() if alarm is not None}

    def put_alarm(self, body: Mapping[str, Any], *, account: str, region: str) -> None:
        now = int(time.time())
        with scope(account, region):
            present = cloudwatch._alarms.get(body["AlarmName"]) or {
                "StateValue": "INSUFFICIENT_DATA",
                "StateReason": "Unchecked: Initial alarm creation",
                "StateUpdatedTimestamp": now,
            }
            arn = f"arn:aws:cloudwatch:{region}:{account}:alarm:{body['AlarmName']}"
            cloudwatch.cloudformation_put_metric_alarm(
                {
                    **present,
                    "AlarmArn": arn,
                    "TreatMissingData": "missing",
                    "ActionsEnabled": True,
                    "OKActions": [],
                    "InsufficientDataActions": [],
                    "AlarmConfigurationUpdatedTimestamp": now,
                    **body,
                }
            )

    def delete_alarms(self, names: Sequence[str], *, account: str, region: str) -> None:
        with scope(account, region):
            for name in names:
                cloudwatch.cloudformation_delete_metric_alarm(name)

    def measure(self, metric: Metric, *, account: str, region: str) -> Measured | None:
        since = int(time.time() // _PERIOD) - _MEASURED_PERIODS
        with scope(account, region):
            points = _points(metric)
        values = _statistics(points, metric.statistic, _PERIOD, since=since)
        if not values:
            return None
        return Measured(value=values[max(values)], version=_version(points))


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
    metric = _metric_of(alarm)
    points = _points(metric)
    last = alarm.get("StateUpdatedTimestamp") or 0
    is_due = now - last >= min(_EVALUATED_EVERY, rule.period)
    basis = (rule, _version(points))
    if not is_due and _judged.get(alarm["AlarmArn"], (rule, _version(()))) == basis:
        return
    _judged[alarm["AlarmArn"]] = basis
    oldest = int(now // rule.period) - rule.first_period
    values = _statistics(points, metric.statistic, rule.period, since=oldest)
    state = judge(rule, values, now)
    if state is not None and state != alarm["StateValue"]:
        _change(alarm, state, explain(rule, values, state))


def _metric_of(alarm: Any) -> Metric:
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    return Metric(
        namespace=alarm.get("Namespace") or "",
        name=alarm["MetricName"],
        dimensions=tuple(dimensions.items()),
        statistic=alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average",
        unit=alarm.get("Unit") or "",
    )


def _points(metric: Metric) -> list[Any]:
    key = (metric.namespace, metric.name, cloudwatch._dims_key(dict(metric.dimensions)))
    points = list(cloudwatch._metrics.get(key) or ())
    return [point for point in points if not metric.unit or point["Unit"] == metric.unit]


def _version(points: Sequence[Any]) -> object:
    return (len(points), points[-1]["Timestamp"] if points else 0.0)


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
