"""An alarm of CloudWatch that is in the state that somebody says."""

from __future__ import annotations

from typing import Any


def set_alarm(cloudwatch: Any, name: str, state: str) -> None:
    """Made where it is missing. Without data the state stays."""
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Planted",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="somebody says so")
