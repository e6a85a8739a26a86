"""When a CloudWatch metric alarm goes off: its datapoints → its state. Pure.

MiniStack's own rule adds up the datapoints of every dimension and period, and knows no missing
data, so an alarm there says something else than on AWS.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# CloudWatch looks at a few more periods than it judges, for data that comes late. It says that it
# does, and not how many.
_MORE_PERIODS = 2

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """What of PutMetricAlarm decides its state."""

    period: int  # seconds
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: str
    treat_missing_data: str  # missing ignore breaching notBreaching

    @property
    def first_period(self) -> int:
        """The oldest period that counts, from the newest back."""
        return self.evaluation_periods + _MORE_PERIODS


def load_rule(alarm: Mapping[str, Any]) -> AlarmRule | None:
    """None for an alarm of a kind that is not judged here: metric math, anomaly detection."""
    comparison = alarm.get("ComparisonOperator") or ""
    if not alarm.get("MetricName") or comparison not in _COMPARISONS:
        return None
    periods = int(alarm.get("EvaluationPeriods") or 1)
    return AlarmRule(
        period=int(alarm.get("Period") or 60),
        evaluation_periods=periods,
        datapoints_to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        threshold=float(alarm.get("Threshold") or 0),
        comparison=comparison,
        treat_missing_data=alarm.get("TreatMissingData") or "missing",
    )


def judge(rule: AlarmRule, values: Mapping[int, float], now: float) -> str | None:
    """The state; None where the alarm keeps the one that it has.

    `values`: the metric's statistic by period, a period being the instant it begins at divided by
    its length. The period that runs counts as soon as it has data.
    """
    current = int(now // rule.period)
    newest = current if current in values else current - 1
    breaches = _COMPARISONS[rule.comparison]
    found = [
        (age, breaches(values[newest - age], rule.threshold))
        for age in range(rule.first_period)
        if newest - age in values
    ][: rule.evaluation_periods]
    missing = rule.evaluation_periods - len(found)
    breaching = sum(is_breaching for _, is_breaching in found)
    if rule.treat_missing_data == "breaching":
        breaching += missing
    if breaching >= rule.datapoints_to_alarm:
        return "ALARM"
    if not missing or rule.treat_missing_data in {"breaching", "notBreaching"}:
        return "OK"
    return _judge_gaps(rule, found)


def explain(rule: AlarmRule, values: Mapping[int, float], state: str) -> str:
    """StateReason, in CloudWatch's words."""
    periods = sorted(values)[-rule.datapoints_to_alarm :]
    if state == "INSUFFICIENT_DATA" or not periods:
        missing = rule.evaluation_periods
        return f"Insufficient Data: {_count(missing)} {_verb(missing)} unknown."
    shown = ", ".join(f"{values[p]} ({_instant(p * rule.period)})" for p in periods)
    verb = _verb(len(periods)) + ("" if state == "ALARM" else " not")
    return (
        f"Threshold Crossed: {_count(len(periods))} [{shown}] {verb} "
        f"{_WORDS[rule.comparison]} the threshold ({rule.threshold})."
    )


def _count(number: int) -> str:
    return f"{number} datapoint" + ("" if number == 1 else "s")


def _verb(number: int) -> str:
    return "was" if number == 1 else "were"


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%m/%y %H:%M:%S}"


def _judge_gaps(rule: AlarmRule, found: list[tuple[int, bool]]) -> str | None:
    """Too few breach, and the gaps count for nothing."""
    keeps = rule.treat_missing_data == "ignore"
    if not found:
        return None if keeps else "INSUFFICIENT_DATA"
    if not all(is_breaching for _, is_breaching in found):
        return "OK"
    oldest = found[-1][0]
    return "ALARM" if not keeps and oldest + 1 >= rule.datapoints_to_alarm else None
