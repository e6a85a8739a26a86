"""The state of a CloudWatch alarm: the rule alone, then through the embedded AWS."""

from __future__ import annotations

import time
from typing import Any

import pytest

from fsd.local.alarms import Rule, judge, load_rule
from tests.local.server.conftest import Clients

PERIOD = 60
NOW = 100 * PERIOD + 30.0  # the hundredth period runs


def rule(
    *, of: int = 3, needs: int = 3, missing: str = "missing", above: str = "GreaterThan"
) -> Rule:
    return Rule(
        period=PERIOD,
        evaluation_periods=of,
        datapoints_to_alarm=needs,
        threshold=5.0,
        comparison=f"{above}Threshold",
        treat_missing_data=missing,
    )


def values(text: str) -> dict[int, float]:
    """Periods, the newest last: `X` breaches, `0` does not, `-` has no data."""
    numbers = range(100 - len(text) + 1, 101)
    return {n: 9.0 if c == "X" else 1.0 for n, c in zip(numbers, text, strict=True) if c != "-"}


# The documentation's two tables, less the rows that repeat another.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
@pytest.mark.parametrize(
    ("data", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0-X-X", "OK", "OK", "OK", "OK"),
        ("----0", "OK", "OK", "OK", "OK"),
        ("-----", "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("--X--", "ALARM", None, "ALARM", "OK"),
    ],
)
def test_judge__missing_data__is_treated_as_documented(
    data: str, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    # The fifth of five periods is the one before the current, which has no data yet.
    shifted = {number - 1: value for number, value in values(data).items()}
    found = [
        judge(rule(missing=treatment), shifted, NOW)
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]

    assert found == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize(
    ("data", "expected"),
    [("X0X", "ALARM"), ("00X", "OK"), ("XX0", "ALARM"), ("XX000", "OK")],
)
def test_judge__two_of_three__counts_those_that_breach(data: str, expected: str) -> None:
    assert judge(rule(needs=2), values(data), NOW) == expected


def test_judge__one_young_datapoint_that_breaches__is_not_enough_for_three() -> None:
    assert judge(rule(), values("----X"), NOW) is None


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("GreaterThan", "OK"),
        ("GreaterThanOrEqualTo", "ALARM"),
        ("LessThan", "OK"),
        ("LessThanOrEqualTo", "ALARM"),
    ],
)
def test_judge__value_at_the_threshold__the_operator_decides(operator: str, expected: str) -> None:
    assert judge(rule(of=1, needs=1, above=operator), {100: 5.0}, NOW) == expected


def test_load_rule__metric_math__is_not_judged() -> None:
    assert load_rule({"Metrics": [{}], "ComparisonOperator": "GreaterThanThreshold"}) is None


# The seam.

ALARM = {
    "AlarmName": "5xx",
    "Namespace": "App",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "Service", "Value": "web"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def cloudwatch(aws: Clients) -> Any:
    found = aws("cloudwatch")
    found.put_metric_alarm(**ALARM)
    return found


def state(cloudwatch: Any) -> str:
    (found,) = cloudwatch.describe_alarms(AlarmNames=["5xx"])["MetricAlarms"]
    return str(found["StateValue"])


def put(cloudwatch: Any, value: float, *, service: str = "web", ago: float = 0.0) -> None:
    cloudwatch.put_metric_data(
        Namespace="App",
        MetricData=[
            {
                "MetricName": "Errors",
                "Dimensions": [{"Name": "Service", "Value": service}],
                "Timestamp": time.time() - ago,
                "Value": value,
            }
        ],
    )


def test_put_metric_data__above_the_threshold__alarm(cloudwatch: Any) -> None:
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    put(cloudwatch, 4.0)
    before = state(cloudwatch)
    put(cloudwatch, 9.0)

    assert (before, state(cloudwatch)) == ("OK", "ALARM")


def test_put_metric_data__of_another_dimension_or_long_ago__changes_nothing(
    cloudwatch: Any,
) -> None:
    put(cloudwatch, 9.0, service="other")
    put(cloudwatch, 9.0, ago=3600)

    assert state(cloudwatch) == "INSUFFICIENT_DATA"


def test_set_alarm_state__holds_until_its_metric_has_new_data(cloudwatch: Any) -> None:
    put(cloudwatch, 9.0)
    cloudwatch.set_alarm_state(AlarmName="5xx", StateValue="OK", StateReason="by hand")
    put(cloudwatch, 9.0, service="other")
    held = state(cloudwatch)
    put(cloudwatch, 9.0)

    assert (held, state(cloudwatch)) == ("OK", "ALARM")
