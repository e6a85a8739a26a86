"""The state of a CloudWatch alarm: the rule alone, then through the embedded AWS."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from fsd_local.alarms import AlarmRule, explain, judge, load_rule
from fsd_local.patches.cloudwatch import evaluate
from fsd_local.patches.scope import scope
from tests.local.server.conftest import Clients

PERIOD = 60
NOW = 100 * PERIOD + 30.0  # the hundredth period runs


def rule(
    *, of: int = 3, needs: int = 3, missing: str = "missing", above: str = "GreaterThan"
) -> AlarmRule:
    return AlarmRule(
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


def test_explain__not_crossed__says_not() -> None:
    assert explain(rule(of=2, needs=2), {1: 3.0, 2: 4.0}, "OK") == (
        "Threshold Crossed: 2 datapoints [3.0 (01/01/70 00:01:00), 4.0 (01/01/70 00:02:00)] were "
        "not greater than the threshold (5.0)."
    )


def test_explain__no_data__is_unknown() -> None:
    assert explain(rule(), {}, "INSUFFICIENT_DATA") == (
        "Insufficient Data: 3 datapoints were unknown."
    )


# The patch.

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
    put(cloudwatch, 9.0, ago=0.001)

    (found,) = cloudwatch.describe_alarms(AlarmNames=["5xx"])["MetricAlarms"]
    assert (before, found["StateValue"]) == ("OK", "ALARM")
    assert re.fullmatch(
        r"Threshold Crossed: 1 datapoint \[\d+\.0 \(\d\d/\d\d/\d\d \d\d:\d\d:00\)\] was greater "
        r"than the threshold \(5\.0\)\.",
        found["StateReason"],
    )


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


def alarm_of(account: str, *, changed: float) -> Any:
    """An alarm of MiniStack's, in this process, that changed its state so many seconds ago."""
    return {
        **ALARM,
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:{account}:alarm:5xx",
        "StateValue": "ALARM",
        "StateReason": "by hand",
        "StateUpdatedTimestamp": int(time.time() - changed),
    }


@pytest.mark.parametrize(("changed", "expected"), [(1, "ALARM"), (61, "INSUFFICIENT_DATA")])
def test_evaluate__nothing_put__time_alone_ends_a_state_after_a_minute(
    account: str, changed: float, expected: str
) -> None:
    alarm = alarm_of(account, changed=changed)

    with scope(account, "us-east-1"):
        evaluate(alarm)

    assert alarm["StateValue"] == expected


def test_scaling_policy__metric_put_into_cloudwatch__its_alarm_goes_off(
    aws: Clients, cloudwatch: Any
) -> None:
    """Three minutes above the target, as one puts them: with their times."""
    ecs, scaling = aws("ecs"), aws("application-autoscaling")
    subnet = aws("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    run_service(ecs, subnet=subnet)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/dev/app",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=4)
    policy = scaling.put_scaling_policy(
        **target,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
            },
        },
    )
    now = time.time()
    cloudwatch.put_metric_data(
        Namespace="AWS/ECS",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": [
                    {"Name": "ClusterName", "Value": "dev"},
                    {"Name": "ServiceName", "Value": "app"},
                ],
                "Timestamp": now - minute * 60,
                "Value": 95.0,
            }
            for minute in range(3)
        ],
    )

    high = policy["Alarms"][0]["AlarmName"]
    (found,) = cloudwatch.describe_alarms(AlarmNames=[high])["MetricAlarms"]
    assert found["StateValue"] == "ALARM"
    assert found["AlarmDescription"].startswith("DO NOT EDIT OR DELETE.")
    scaling.deregister_scalable_target(**target)
    assert cloudwatch.describe_alarms(AlarmNames=[high])["MetricAlarms"] == []


def run_service(ecs: Any, *, subnet: str) -> None:
    """One with no task: what is scaled needs only to be there."""
    ecs.create_cluster(clusterName="dev")
    ecs.register_task_definition(
        family="app",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "app:1"}],
    )
    ecs.create_service(
        cluster="dev",
        serviceName="app",
        taskDefinition="app",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )
