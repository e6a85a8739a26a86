from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from fsd_local.autoscaling import ScalingEngine
from fsd_local.members import load_operations
from fsd_local.ports import Alarm, Measured, Metric
from fsd_local.tracking import CapacityChange, Past, Reading, Situation, decide

ACCOUNT, REGION = "000000000000", "us-east-1"
SERVICE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/dev/app-dev",
    "ScalableDimension": "ecs:service:DesiredCount",
}
POLICY: dict[str, Any] = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
        },
    },
}


@dataclass
class Service:
    desired: int
    rollout: str = "COMPLETED"


@dataclass
class Services:
    """An ECS with one service."""

    service: Service = field(default_factory=lambda: Service(1))

    def find_service(self, account: str, region: str, cluster: str, service: str) -> Service | None:
        known = (account, region, cluster, service) == (ACCOUNT, REGION, "dev", "app-dev")
        return self.service if known else None

    def set_desired_count(
        self, account: str, region: str, cluster: str, service: str, count: int
    ) -> None:
        found = self.find_service(account, region, cluster, service)
        assert found is not None
        found.desired = count


@dataclass
class Metrics:
    """A CloudWatch whose alarms are in the state that a test says, by the end of their name."""

    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    ringing: str = ""  # AlarmHigh, AlarmLow
    value: float | None = None
    puts: int = 0
    asked: list[Metric] = field(default_factory=list)

    def put(self, value: float, ringing: str) -> None:
        self.value, self.ringing, self.puts = value, ringing, self.puts + 1

    def put_alarm(self, body: Mapping[str, Any], *, account: str, region: str) -> None:
        assert (account, region) == (ACCOUNT, REGION)
        self.alarms[body["AlarmName"]] = dict(body)

    def delete_alarms(self, names: Sequence[str], *, account: str, region: str) -> None:
        assert (account, region) == (ACCOUNT, REGION)
        for name in names:
            self.alarms.pop(name, None)

    def read(self, names: Sequence[str], *, account: str, region: str) -> Mapping[str, Alarm]:
        del account, region
        return {
            name: Alarm(state="ALARM" if self.ringing and self.ringing in name else "OK")
            for name in names
            if name in self.alarms
        }

    def measure(self, metric: Metric, *, account: str, region: str) -> Measured | None:
        del account, region
        self.asked.append(metric)
        return None if self.value is None else Measured(value=self.value, version=self.puts)


# When the action of these tests is due.
MORNING = datetime(2099, 12, 31, 8, tzinfo=UTC).timestamp()


class Client:
    """Calls by keyword; raises what AWS would have raised."""

    def __init__(self, *, speed: float = 1.0) -> None:
        self.services = Services()
        self.metrics = Metrics()
        self.scaling = ScalingEngine(self.services, self.metrics, speed=speed)

    def __call__(self, action: str, **parameters: Any) -> dict[str, Any]:
        status, body = self.scaling.handle(action, parameters, account=ACCOUNT, region=REGION)
        if status != 200:
            raise RefusedCall(body["__type"], body["message"])
        return body


class RefusedCall(Exception):
    pass


@pytest.fixture
def call() -> Client:
    return Client()


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [(1, 2, 4, 2), (3, 2, 4, 3), (9, 2, 4, 4)],
)
def test_register__count_outside_the_range__is_brought_into_it(
    call: Client, desired: int, minimum: int, maximum: int, expected: int
) -> None:
    call.services.service.desired = desired
    call("RegisterScalableTarget", **SERVICE, MinCapacity=minimum, MaxCapacity=maximum)
    assert call.services.service.desired == expected


def test_register__count_was_changed__is_an_activity(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    (activity,) = call("DescribeScalingActivities", **SERVICE)["ScalingActivities"]
    assert (activity["Description"], activity["Cause"]) == (
        "Setting desired count to 2.",
        "minimum capacity was set to 2",
    )


def test_register__again_with_one_bound__keeps_the_other_and_the_arn(call: Client) -> None:
    first = call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    second = call("RegisterScalableTarget", **SERVICE, MaxCapacity=6)
    (target,) = call("DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]
    assert first == second
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MinCapacity": 5}, "cannot be less"),
        ({"ResourceId": "service/dev/other"}, "ECS service doesn't exist: service/dev/other"),
        ({"ResourceId": "app-dev"}, "Unsupported"),
        ({"ServiceNamespace": "dynamodb"}, "only ecs"),
    ],
)
def test_register__what_cannot_be__is_a_validation_error(
    call: Client, change: dict[str, Any], message: str
) -> None:
    request = {**SERVICE, "MinCapacity": 1, "MaxCapacity": 4, **change}
    with pytest.raises(RefusedCall, match=f"ValidationException.*{message}"):
        call("RegisterScalableTarget", **request)


def test_register__without_bounds__is_a_validation_error(call: Client) -> None:
    with pytest.raises(RefusedCall, match="Both MinCapacity and MaxCapacity"):
        call("RegisterScalableTarget", **SERVICE)


def test_policies__put_twice__is_one_with_the_same_arn(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    first = call("PutScalingPolicy", **SERVICE, **POLICY)
    changed = {**POLICY["TargetTrackingScalingPolicyConfiguration"], "TargetValue": 50.0}
    second = call(
        "PutScalingPolicy",
        **SERVICE,
        **{**POLICY, "TargetTrackingScalingPolicyConfiguration": changed},
    )
    (policy,) = call("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"]
    assert first["PolicyARN"] == second["PolicyARN"] == policy["PolicyARN"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0


# Target tracking.


def tracking(**changes: Any) -> dict[str, Any]:
    configuration = {**POLICY["TargetTrackingScalingPolicyConfiguration"], **changes}
    if "CustomizedMetricSpecification" in changes:
        del configuration["PredefinedMetricSpecification"]
    return {**POLICY, "TargetTrackingScalingPolicyConfiguration": configuration}


def tracked(*, count: int = 2, minimum: int = 1, maximum: int = 10, **changes: Any) -> Client:
    """A service with a policy of 70 %."""
    call = Client()
    call.services.service.desired = count
    call("RegisterScalableTarget", **SERVICE, MinCapacity=minimum, MaxCapacity=maximum)
    call("PutScalingPolicy", **SERVICE, **tracking(**changes))
    return call


def test_put_policy__target_tracking__keeps_the_two_alarms_of_aws() -> None:
    call = tracked()
    (policy,) = call("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"]
    high, low = call.metrics.alarms.values()

    assert [high["AlarmName"], low["AlarmName"]] == [a["AlarmName"] for a in policy["Alarms"]]
    assert high["AlarmName"].startswith("TargetTracking-service/dev/app-dev-AlarmHigh-")
    assert (high["Namespace"], high["MetricName"]) == ("AWS/ECS", "CPUUtilization")
    assert high["Dimensions"] == [
        {"Name": "ClusterName", "Value": "dev"},
        {"Name": "ServiceName", "Value": "app-dev"},
    ]
    assert (high["Threshold"], high["EvaluationPeriods"]) == (70.0, 3)
    assert (low["Threshold"], low["EvaluationPeriods"]) == (63.0, 15)


def test_put_policy__customized_metric__is_what_is_measured() -> None:
    call = tracked(
        CustomizedMetricSpecification={
            "Namespace": "App",
            "MetricName": "Backlog",
            "Dimensions": [{"Name": "Queue", "Value": "jobs"}],
            "Statistic": "Maximum",
        }
    )
    call.scaling.tick(0)

    assert call.metrics.asked == [
        Metric(
            namespace="App",
            name="Backlog",
            dimensions=(("Queue", "jobs"),),
            statistic="Maximum",
        )
    ]


def test_put_policy__requests_per_target__is_measured_at_the_load_balancer() -> None:
    call = tracked(
        PredefinedMetricSpecification={
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": "app/web/50dc/targetgroup/web/6d0e",
        }
    )
    call.scaling.tick(0)

    (metric,) = call.metrics.asked
    assert (metric.name, metric.statistic) == ("RequestCountPerTarget", "Sum")
    assert metric.dimensions == (
        ("LoadBalancer", "app/web/50dc"),
        ("TargetGroup", "targetgroup/web/6d0e"),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "Weather"}},
            "does not track Weather",
        ),
        ({"CustomizedMetricSpecification": {"Metrics": []}}, "no metric math"),
    ],
)
def test_put_policy__metric_that_is_not_known__is_a_validation_error(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusedCall, match=message):
        tracked(**changes)


def test_tick__metric_above_the_target__scales_out_and_says_why() -> None:
    call = tracked()
    call.metrics.put(140.0, "AlarmHigh")
    call.scaling.tick(1000)

    assert call.services.service.desired == 4
    (activity,) = call("DescribeScalingActivities", **SERVICE)["ScalingActivities"]
    (high, _) = call.metrics.alarms
    assert activity["Cause"] == f"monitor alarm {high} in state ALARM triggered policy cpu"
    assert activity["Description"] == "Setting desired count to 4."
    assert activity["StatusCode"] == "Successful"


def test_tick__far_above__stays_within_the_maximum() -> None:
    call = tracked(maximum=5)
    call.metrics.put(7000.0, "AlarmHigh")
    call.scaling.tick(1000)

    assert call.services.service.desired == 5


def test_tick__far_below__stays_within_the_minimum() -> None:
    call = tracked(count=8, minimum=3)
    call.metrics.put(1.0, "AlarmLow")
    call.scaling.tick(1000)

    assert call.services.service.desired == 3


@pytest.mark.parametrize(("value", "ringing"), [(None, "AlarmHigh"), (None, "AlarmLow"), (140, "")])
def test_tick__no_data_or_no_alarm__leaves_the_count(value: float | None, ringing: str) -> None:
    call = tracked()
    call.metrics.value, call.metrics.ringing = value, ringing
    call.scaling.tick(1000)

    assert call.services.service.desired == 2


def test_tick__same_data_again_after_the_cooldown__is_acted_on_once() -> None:
    call = tracked()
    call.metrics.put(140.0, "AlarmHigh")
    call.scaling.tick(1000)
    call.scaling.tick(2000)

    assert call.services.service.desired == 4


def test_tick__in_the_scale_out_cooldown__only_a_larger_step_goes_on() -> None:
    call = tracked()
    counts = []
    for second, value in [(1000, 140.0), (1010, 140.0), (1020, 210.0), (1400, 140.0)]:
        call.metrics.put(value, "AlarmHigh")
        call.scaling.tick(second)
        counts.append(call.services.service.desired)

    # The first three are from two tasks; the last, after the cooldown, from six.
    assert counts == [4, 4, 6, 10]


def test_tick__in_the_scale_in_cooldown__waits() -> None:
    call = tracked(count=8, ScaleInCooldown=60)
    counts = []
    for second in (1000, 1030, 1061):
        call.metrics.put(35.0, "AlarmLow")
        call.scaling.tick(second)
        counts.append(call.services.service.desired)

    assert counts == [4, 4, 2]


def test_tick__cooldown_at_speed_20__is_a_twentieth() -> None:
    call = Client(speed=20)
    call.services.service.desired = 8
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=10)
    call("PutScalingPolicy", **SERVICE, **tracking(ScaleInCooldown=60))
    for second in (1000, 1004):
        call.metrics.put(35.0, "AlarmLow")
        call.scaling.tick(second)

    assert call.services.service.desired == 2


def test_tick__during_a_deployment__scales_out_but_not_in() -> None:
    call = tracked(count=4)
    call.services.service.rollout = "IN_PROGRESS"
    call.metrics.put(10.0, "AlarmLow")
    call.scaling.tick(1000)
    after_low = call.services.service.desired
    call.metrics.put(140.0, "AlarmHigh")
    call.scaling.tick(1001)

    assert (after_low, call.services.service.desired) == (4, 8)


@pytest.mark.parametrize(
    ("suspended", "ringing", "value"),
    [("In", "AlarmLow", 10.0), ("Out", "AlarmHigh", 140.0)],
)
def test_tick__suspended__leaves_the_count(suspended: str, ringing: str, value: float) -> None:
    call = tracked(count=4)
    state = {f"DynamicScaling{suspended}Suspended": True}
    call("RegisterScalableTarget", **SERVICE, SuspendedState=state)
    call.metrics.put(value, ringing)
    call.scaling.tick(1000)

    assert call.services.service.desired == 4


def test_tick__scale_in_disabled__leaves_the_count() -> None:
    call = tracked(count=4, DisableScaleIn=True)
    call.metrics.put(10.0, "AlarmLow")
    call.scaling.tick(1000)

    assert call.services.service.desired == 4


def reading(policy: str, value: float, *, is_high: bool = False, is_low: bool = False) -> Reading:
    return Reading(
        policy=policy,
        target=70.0,
        high_alarm=f"{policy}-high",
        low_alarm=f"{policy}-low",
        is_high=is_high,
        is_low=is_low,
        measured=Measured(value=value, version=1),
    )


SITUATION = Situation(count=4, minimum=1, maximum=20, may_go_out=True, may_go_in=True)


def test_decide__one_wants_out_and_one_in__out() -> None:
    cpu, memory = reading("cpu", 10.0, is_low=True), reading("memory", 105.0, is_high=True)

    assert decide([cpu, memory], Past(), SITUATION, 0) == CapacityChange(
        count=6, policy="memory", alarm="memory-high", is_out=True
    )


def test_decide__only_one_wants_in__stays() -> None:
    assert (
        decide([reading("cpu", 10.0, is_low=True), reading("memory", 65.0)], Past(), SITUATION, 0)
        is None
    )


def test_decide__all_want_in__to_what_the_busier_needs() -> None:
    cpu, memory = reading("cpu", 10.0, is_low=True), reading("memory", 35.0, is_low=True)

    assert decide([cpu, memory], Past(), SITUATION, 0) == CapacityChange(
        count=2, policy="memory", alarm="memory-low", is_out=False
    )


def test_deregister__target__takes_its_policies_along(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    call("PutScalingPolicy", **SERVICE, **POLICY)
    call("DeregisterScalableTarget", **SERVICE)
    assert call("DescribeScalingPolicies", ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert call.scaling.count() == 0
    assert call.metrics.alarms == {}


def test_delete_policy__its_alarms__go_with_it() -> None:
    call = tracked()
    call("DeleteScalingPolicy", **SERVICE, PolicyName="cpu")

    assert call.metrics.alarms == {}


@pytest.mark.parametrize(
    ("action", "extra"),
    [
        ("DeregisterScalableTarget", {}),
        ("PutScalingPolicy", POLICY),
        ("DeleteScalingPolicy", {"PolicyName": "cpu"}),
    ],
)
def test_actions__nothing_registered__are_object_not_found(
    call: Client, action: str, extra: dict[str, Any]
) -> None:
    with pytest.raises(RefusedCall, match="ObjectNotFoundException"):
        call(action, **SERVICE, **extra)


def test_tags__put_and_removed__are_listed(call: Client) -> None:
    arn = call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4, Tags={"a": "1"})[
        "ScalableTargetARN"
    ]
    call("TagResource", ResourceARN=arn, Tags={"b": "2"})
    call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    assert call("ListTagsForResource", ResourceARN=arn) == {"Tags": {"b": "2"}}


def test_handle__another_account__sees_nothing(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=4)
    _, body = call.scaling.handle(
        "DescribeScalableTargets", {"ServiceNamespace": "ecs"}, account="1" * 12, region=REGION
    )
    assert body == {"ScalableTargets": []}


def test_answers__every_member__is_in_the_service_model(call: Client) -> None:
    model = botocore.session.get_session().get_service_model("application-autoscaling")
    call("RegisterScalableTarget", **SERVICE, MinCapacity=2, MaxCapacity=4)
    call("PutScalingPolicy", **SERVICE, **POLICY)
    call.metrics.put(140.0, "AlarmHigh")
    call.scaling.tick(1000)
    answers = {
        "PutScalingPolicy": call("PutScalingPolicy", **SERVICE, **POLICY),
        "DescribeScalableTargets": call("DescribeScalableTargets", ServiceNamespace="ecs"),
        "DescribeScalingPolicies": call("DescribeScalingPolicies", ServiceNamespace="ecs"),
        "DescribeScalingActivities": call("DescribeScalingActivities", ServiceNamespace="ecs"),
    }
    for action, body in answers.items():
        assert unknown(body, model.operation_model(action).output_shape) == []


def unknown(value: Any, shape: Any, path: str = "") -> list[str]:
    """Where a value has a member that its shape does not know, or lacks one that it requires."""
    if shape.type_name == "list":
        return [
            e for i, item in enumerate(value) for e in unknown(item, shape.member, f"{path}[{i}]")
        ]
    if shape.type_name != "structure":
        return []
    problems = [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
    for name, member in value.items():
        if name not in shape.members:
            problems.append(f"{path}.{name} is not in the model")
        else:
            problems += unknown(member, shape.members[name], f"{path}.{name}")
    return problems


def test_scheduled_action__its_time_comes__the_bounds_and_the_count_follow(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=3)
    call(
        "PutScheduledAction",
        **SERVICE,
        ScheduledActionName="morning",
        Schedule="cron(0 8 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 5, "MaxCapacity": 9},
    )
    now = time.time()

    call.scaling.tick(now)
    before = call.services.service.desired
    call.scaling.tick(now + 86_400)

    assert (before, call.services.service.desired) == (1, 5)
    (target,) = call("DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 9)
    (action,) = call("DescribeScheduledActions", **SERVICE)["ScheduledActions"]
    assert action["Timezone"] == "Europe/Berlin"
    call("DeleteScheduledAction", **SERVICE, ScheduledActionName="morning")
    assert call("DescribeScheduledActions", **SERVICE)["ScheduledActions"] == []


def test_scheduled_action__wrong_expression__refused(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=3)

    with pytest.raises(RefusedCall, match="ValidationException"):
        call("PutScheduledAction", **SERVICE, ScheduledActionName="a", Schedule="cron(0 8 * * *)")


def test_scaling__operations__are_those_that_are_listed(call: Client) -> None:
    model = botocore.session.get_session().get_service_model("application-autoscaling")

    def is_served(operation: str) -> bool:
        _, body = call.scaling.handle(operation, {}, account=ACCOUNT, region=REGION)
        return body.get("__type") != "UnknownOperationException"

    served = {operation for operation in model.operation_names if is_served(operation)}
    assert served == load_operations("application-autoscaling")


@pytest.mark.parametrize(
    ("bounds", "minimum"),
    [
        ({}, 3),
        ({"StartTime": MORNING - 60, "EndTime": MORNING + 60}, 3),
        ({"StartTime": "2099-12-31T07:00:00Z"}, 3),
        ({"StartTime": MORNING + 60}, 1),
        ({"EndTime": MORNING - 60}, 1),
    ],
    ids=["always", "within", "text", "too-early", "too-late"],
)
def test_scheduled_action__only_between_its_times(
    call: Client, bounds: dict[str, Any], minimum: int
) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=6)
    call(
        "PutScheduledAction",
        **SERVICE,
        ScheduledActionName="morning",
        Schedule="at(2099-12-31T08:00:00)",
        ScalableTargetAction={"MinCapacity": 3},
        **bounds,
    )

    call.scaling.tick(MORNING + 1)

    (target,) = call("DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]
    assert target["MinCapacity"] == minimum


def test_put_scaling_policy__prediction__is_refused(call: Client) -> None:
    call("RegisterScalableTarget", **SERVICE, MinCapacity=1, MaxCapacity=6)
    with pytest.raises(RefusedCall, match="does not predict the load"):
        call("PutScalingPolicy", **SERVICE, PolicyName="p", PolicyType="PredictiveScaling")
