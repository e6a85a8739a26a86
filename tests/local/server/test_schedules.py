"""EventBridge Scheduler: when a schedule is due, what it starts, and what AWS refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError, WaiterError

from fsd_files.timetable import ExpressionError, check, load_cron
from fsd_local.schedules import FoundSchedule, ScheduleEngine, run_task
from tests.local.server.conftest import Clients

Json = dict[str, Any]
ACCOUNT, REGION = "000000000000", "us-east-1"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/dev"
REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/report-dev:3"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/report"
START = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: float = START.timestamp()

    def time(self) -> float:
        return self.now


@dataclass
class Store:
    records: list[Json]
    refused: str = ""

    def all(self) -> Iterable[FoundSchedule]:
        return [FoundSchedule(account=ACCOUNT, region=REGION, record=one) for one in self.records]

    def refusal(self, found: FoundSchedule, task_definition: str) -> str:
        assert (found.account, task_definition) == (ACCOUNT, REVISION)
        return self.refused

    def remove(self, found: FoundSchedule) -> None:
        self.records.remove(found.record)


@dataclass
class Ecs:
    status: int = 200
    started: list[Json] = field(default_factory=list)

    def handle(
        self, action: str, parameters: Json, *, account: str, region: str
    ) -> tuple[int, Json]:
        assert (action, account, region) == ("RunTask", ACCOUNT, REGION)
        self.started.append(parameters)
        if self.status != 200:
            return self.status, {"__type": "ClientException", "message": "no"}
        return 200, {"tasks": [{"taskArn": f"task/{len(self.started)}"}]}


def schedule(expression: str, **more: Any) -> Json:
    return {
        "Name": "report-dev",
        "GroupName": "default",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "CreationDate": START.timestamp(),
        "Target": {
            "Arn": CLUSTER,
            "RoleArn": ROLE,
            "RetryPolicy": {"MaximumRetryAttempts": 1},
            "EcsParameters": {
                "TaskDefinitionArn": REVISION,
                "TaskCount": 1,
                "LaunchType": "FARGATE",
                "PropagateTags": "TASK_DEFINITION",
                "EnableECSManagedTags": True,
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {"Subnets": ["s"], "AssignPublicIp": "DISABLED"}
                },
            },
        },
        **more,
    }


@dataclass
class Watch:
    """An engine, looked at when a test says so."""

    store: Store
    ecs: Ecs = field(default_factory=Ecs)
    clock: Clock = field(default_factory=Clock)
    speed: float = 1.0

    def __post_init__(self) -> None:
        self.engine = ScheduleEngine(
            store=self.store, ecs=self.ecs, clock=self.clock, speed=self.speed
        )

    def after(self, seconds: float) -> int:
        """How many starts there were, once so much time has passed."""
        self.clock.now += seconds
        self.engine.tick()
        return len(self.ecs.started)


def test_run_task__ecs_parameters__in_ecs_s_spelling() -> None:
    assert run_task(schedule("rate(1 hour)")) == {
        "cluster": CLUSTER,
        "taskDefinition": REVISION,
        "count": 1,
        "startedBy": "chronos-schedule/report-dev",
        "launchType": "FARGATE",
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["s"], "assignPublicIp": "DISABLED"}
        },
    }


def test_tick__rate__each_interval_divided_by_the_speed() -> None:
    watch = Watch(Store([schedule("rate(1 hour)")]), speed=60)

    assert [watch.after(59), watch.after(1), watch.after(59), watch.after(1)] == [0, 1, 1, 2]


def test_tick__cron__once_when_it_is_due() -> None:
    watch = Watch(
        Store([schedule("cron(0 6 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")])
    )

    # 06:00 in Berlin is 05:00 UTC, which is now: the next is tomorrow's.
    assert [watch.after(0), watch.after(23 * 3600), watch.after(3600), watch.after(60)] == [
        0,
        0,
        1,
        1,
    ]


def test_tick__disabled__nothing_and_no_arrears_later() -> None:
    record = schedule("rate(1 minute)", State="DISABLED")
    watch = Watch(Store([record]))

    assert watch.after(600) == 0
    record["State"] = "ENABLED"
    assert [watch.after(1), watch.after(60)] == [0, 1]


def test_tick__another_expression__counts_from_then_on() -> None:
    record = schedule("rate(1 hour)")
    watch = Watch(Store([record]))

    watch.after(3500)
    record["ScheduleExpression"] = "rate(2 hours)"
    assert [watch.after(200), watch.after(7200)] == [0, 1]


def test_tick__start_fails__again_as_often_as_the_policy_says() -> None:
    watch = Watch(Store([schedule("rate(1 hour)")]), Ecs(status=400))

    assert [watch.after(3600), watch.after(1), watch.after(5), watch.after(5)] == [1, 2, 2, 2]


def test_tick__role_may_not__nothing_is_started() -> None:
    watch = Watch(Store([schedule("rate(1 hour)")], refused="not authorized"))

    assert watch.after(3600) == 0


def test_tick__at__once_and_gone_where_it_says_so() -> None:
    watch = Watch(Store([schedule("at(2026-11-23T06:00:00)", ActionAfterCompletion="DELETE")]))

    assert [watch.after(3599), watch.after(1)] == [0, 1]
    assert watch.store.records == []


def test_fire__now__due_or_not() -> None:
    watch = Watch(Store([schedule("rate(1 day)", State="DISABLED")]))

    assert watch.engine.fire("report-dev", account=ACCOUNT, region=REGION) == ["task/1"]
    with pytest.raises(ValueError, match="there is no schedule other"):
        watch.engine.fire("other", account=ACCOUNT, region=REGION)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("cron(0/20 8 * * ? *)", "UTC", "2026-11-23T08:20", "2026-11-23T08:40"),
        ("cron(0 9 ? * MON-FRI *)", "UTC", "2026-11-27T09:00", "2026-11-30T09:00"),
        ("cron(0 9 L * ? *)", "UTC", "2026-02-01T00:00", "2026-02-28T09:00"),
        ("cron(0 9 L-2 * ? *)", "UTC", "2026-02-01T00:00", "2026-02-26T09:00"),
        ("cron(0 9 15W * ? *)", "UTC", "2026-08-01T00:00", "2026-08-14T09:00"),
        ("cron(0 9 1W * ? *)", "UTC", "2026-08-01T00:00", "2026-08-03T09:00"),
        ("cron(0 9 ? * 2#1 *)", "UTC", "2026-11-23T00:00", "2026-12-07T09:00"),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-11-01T00:00", "2026-11-27T09:00"),
        ("cron(0 9 29 FEB ? *)", "UTC", "2026-01-01T00:00", "2028-02-29T09:00"),
        # The clocks go forward from 02:00 to 03:00: that day's run is left out.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
        # They go back from 03:00 to 02:00: it runs once.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_next_after__cron__when_aws_says(expression: str, zone: str, after: str, due: str) -> None:
    instant = datetime.fromisoformat(after).replace(tzinfo=UTC)

    found = load_cron(expression).next_after(instant, ZoneInfo(zone))

    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_next_after__years_that_are_over__none() -> None:
    assert load_cron("cron(0 9 * * ? 2020)").next_after(START, ZoneInfo("UTC")) is None


@pytest.mark.parametrize(
    "expression",
    ["cron(0 6 * * *)", "cron(0 6 * * * *)", "cron(61 6 * * ? *)", "rate(0 hours)", "daily"],
)
def test_check__what_aws_refuses__raises(expression: str) -> None:
    with pytest.raises(ExpressionError):
        check(expression, "UTC")


# --- the API, and CloudFormation


def make_role(aws: Clients, name: str = "report", service: str = "scheduler.amazonaws.com") -> str:
    principal = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [principal]}
    made = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return str(made["Role"]["Arn"])


def asked(role: str, **changes: Any) -> Json:
    found = schedule("rate(1 hour)", **changes)
    found["Target"] = {**found["Target"], "RoleArn": role}
    del found["CreationDate"]
    return {**found, "FlexibleTimeWindow": {"Mode": "OFF"}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ScheduleExpression": "cron(0 6 * * *)"}, "Invalid Schedule Expression cron"),
        ({"ScheduleExpressionTimezone": "Europe/Berlim"}, "Timezone Europe/Berlim"),
    ],
)
def test_create_schedule__what_aws_refuses__a_validation_exception(
    aws: Clients, changes: Json, message: str
) -> None:
    with pytest.raises(ClientError, match=message) as error:
        aws("scheduler").create_schedule(**asked(make_role(aws), **changes))

    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_create_schedule__role_of_another_service__refused(aws: Clients) -> None:
    role = make_role(aws, service="ecs-tasks.amazonaws.com")

    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume"):
        aws("scheduler").create_schedule(**asked(role))


def test_stack__schedule__is_made_changed_and_gone(aws: Clients) -> None:
    role, client, stacks = make_role(aws), aws("scheduler"), aws("cloudformation")

    def template(expression: str) -> str:
        properties = asked(role, ScheduleExpression=expression)
        resource = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}
        return json.dumps({"Resources": {"Schedule": resource}})

    stacks.create_stack(StackName="s", TemplateBody=template("rate(1 hour)"))
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0})
    first = client.get_schedule(Name="report-dev")
    stacks.update_stack(StackName="s", TemplateBody=template("cron(0 6 * * ? *)"))
    stacks.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 0})
    second = client.get_schedule(Name="report-dev")
    stacks.delete_stack(StackName="s")
    stacks.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0})

    assert first["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 1}
    assert second["ScheduleExpression"] == "cron(0 6 * * ? *)"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_schedule(Name="report-dev")


def test_stack__wrong_expression__fails_in_aws_s_words(aws: Clients) -> None:
    stacks = aws("cloudformation")
    properties = asked(make_role(aws), ScheduleExpression="cron(0 6 * * *)")
    resource = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}
    body = json.dumps({"Resources": {"Schedule": resource}})

    stacks.create_stack(StackName="s", TemplateBody=body, OnFailure="DO_NOTHING")
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0})

    reasons = [
        event.get("ResourceStatusReason", "")
        for event in stacks.describe_stack_events(StackName="s")["StackEvents"]
    ]
    assert any("Invalid Schedule Expression" in reason for reason in reasons)
