"""Target tracking: how many tasks a service should have, by what its policies measure. Pure.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from fsd_local.ports import Measured, Metric

DEFAULT_COOLDOWN = 300.0  # seconds, of ECS services
_PERIOD = 60
# How AWS sets up the two alarms of a policy: three minutes above the target, fifteen below 90 %.
_HIGH_PERIODS, _LOW_PERIODS, _LOW_SHARE = 3, 15, 0.9
_ECS_METRICS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}
_PER_TASK = re.compile(r"(?P<shared>\w+) */ *FILL\(\w+, *1\)")
_REQUESTS = "ALBRequestCountPerTarget"


class UnknownMetricError(Exception):
    """A policy that tracks what cannot be measured here; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A policy with what it measures now."""

    policy: str
    target: float
    high_alarm: str
    low_alarm: str
    is_high: bool
    is_low: bool
    measured: Measured | None
    is_shared: bool = False  # see `Metric`
    scales_in: bool = True
    out_cooldown: float = DEFAULT_COOLDOWN
    in_cooldown: float = DEFAULT_COOLDOWN

    def wanted(self, count: int) -> int:
        """Tasks that bring the metric to its target, were it to be spread over them evenly."""
        if self.is_shared and self.measured is not None:
            return ceil(round(self.measured.value / self.target, 6))
        value = self.measured.value if self.measured is not None else self.target
        return ceil(round(count * value / self.target, 6))


@dataclass(slots=True, kw_only=True)
class Past:
    """What one service's policies did before."""

    out_at: float = -inf
    before_out: int = 0
    in_at: float = -inf
    acted_on: dict[str, object] = field(default_factory=dict)  # policy → version of its data

    def is_new(self, reading: Reading) -> bool:
        """One datapoint moves the count once: nobody else measures here until more is put."""
        found = reading.measured
        return found is not None and self.acted_on.get(reading.policy) != found.version

    def record(
        self, change: CapacityChange, readings: Sequence[Reading], *, before: int, now: float
    ) -> None:
        if change.is_out:
            self.out_at, self.before_out = now, before
        else:
            self.in_at = now
        self.acted_on = {r.policy: r.measured.version for r in readings if r.measured is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityChange:
    count: int
    policy: str
    alarm: str
    is_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The scalable target now."""

    count: int
    minimum: int
    maximum: int
    may_go_out: bool
    may_go_in: bool  # not while a deployment is in progress


def decide(
    readings: Sequence[Reading], past: Past, situation: Situation, now: float
) -> CapacityChange | None:
    """Out where any policy wants to; in only where all that scale in want to."""
    change = _scale_out(readings, past, situation, now) if situation.may_go_out else None
    if change is None and situation.may_go_in:
        change = _scale_in(readings, past, situation, now)
    return change


def _scale_out(
    readings: Sequence[Reading], past: Past, situation: Situation, now: float
) -> CapacityChange | None:
    """In the cooldown, what the last scale-out added counts as there: only a larger one goes on."""
    changes = []
    for reading in readings:
        if not reading.is_high or not past.is_new(reading):
            continue
        cools = now < past.out_at + reading.out_cooldown
        base = past.before_out if cools else situation.count
        count = min(reading.wanted(base), situation.maximum)
        if count > situation.count:
            alarm = reading.high_alarm
            changes.append(
                CapacityChange(count=count, policy=reading.policy, alarm=alarm, is_out=True)
            )
    return max(changes, key=lambda change: change.count, default=None)


def _scale_in(
    readings: Sequence[Reading], past: Past, situation: Situation, now: float
) -> CapacityChange | None:
    scaling = [reading for reading in readings if reading.scales_in]
    ready = scaling and all(r.is_low and r.measured is not None for r in scaling)
    if not ready or not any(past.is_new(reading) for reading in scaling):
        return None
    last = max(scaling, key=lambda reading: reading.wanted(situation.count))
    count = max(last.wanted(situation.count), situation.minimum)
    if count >= situation.count or now < past.in_at + last.in_cooldown:
        return None
    return CapacityChange(count=count, policy=last.policy, alarm=last.low_alarm, is_out=False)


def load_metric(configuration: Mapping[str, Any], resource: str) -> Metric:
    """What a TargetTrackingScalingPolicyConfiguration measures. Raises UnknownMetricError."""
    predefined = configuration.get("PredefinedMetricSpecification")
    if predefined is not None:
        return _predefined(predefined, resource)
    given = configuration["CustomizedMetricSpecification"]
    if given.get("Metrics"):
        return _shared(given["Metrics"])
    if not given.get("MetricName") or not given.get("Namespace"):
        raise UnknownMetricError("the embedded AWS tracks one named metric, no metric math")
    return Metric(
        namespace=given["Namespace"],
        name=given["MetricName"],
        dimensions=tuple((d["Name"], d["Value"]) for d in given.get("Dimensions") or ()),
        statistic=given.get("Statistic") or "Average",
        unit=given.get("Unit") or "",
    )


def _shared(queries: Sequence[Mapping[str, Any]]) -> Metric:
    """`messages / FILL(tasks, 1)`: something that the tasks share, for each of them. The tasks are
    counted here, so only what they share is measured."""
    by_id = {query["Id"]: query for query in queries}
    expressions = [query["Expression"] for query in queries if query.get("Expression")]
    found = _PER_TASK.fullmatch(expressions[0]) if len(expressions) == 1 else None
    shared = by_id.get(found["shared"], {}).get("MetricStat") if found else None
    if shared is None:
        raise UnknownMetricError("the embedded AWS knows no metric math but `a / FILL(tasks, 1)`")
    metric = shared["Metric"]
    return Metric(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=tuple((d["Name"], d["Value"]) for d in metric.get("Dimensions") or ()),
        statistic=shared["Stat"],
        is_shared=True,
    )


def _predefined(given: Mapping[str, Any], resource: str) -> Metric:
    kind, label = given.get("PredefinedMetricType"), given.get("ResourceLabel") or ""
    if kind in _ECS_METRICS:
        _, cluster, service = resource.split("/")
        return Metric(
            namespace="AWS/ECS",
            name=_ECS_METRICS[kind],
            dimensions=(("ClusterName", cluster), ("ServiceName", service)),
        )
    balancer, found, group = label.partition("/targetgroup/")
    if kind == _REQUESTS and found:
        return Metric(
            namespace="AWS/ApplicationELB",
            name="RequestCountPerTarget",
            dimensions=(("LoadBalancer", balancer), ("TargetGroup", f"targetgroup/{group}")),
            statistic="Sum",
        )
    raise UnknownMetricError(f"the embedded AWS does not track {kind} {label}".rstrip())


def alarm_bodies(policy: Mapping[str, Any], metric: Metric) -> list[dict[str, Any]]:
    """The two alarms that AWS keeps for a policy, as PutMetricAlarm takes them."""
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    target = float(configuration["TargetValue"])
    high, low = (alarm["AlarmName"] for alarm in policy["Alarms"])
    shared = {
        "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "
        f"{policy['PolicyARN']}.",
        "AlarmActions": [policy["PolicyARN"]],
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        "Statistic": metric.statistic,
        "Unit": metric.unit or None,
        "Period": _PERIOD,
    }
    return [
        shared
        | {
            "AlarmName": high,
            "EvaluationPeriods": _HIGH_PERIODS,
            "Threshold": target,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        shared
        | {
            "AlarmName": low,
            "EvaluationPeriods": _LOW_PERIODS,
            "Threshold": target * _LOW_SHARE,
            "ComparisonOperator": "LessThanThreshold",
        },
    ]
