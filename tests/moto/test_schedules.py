"""Rules and schedules that another tool made: found by ARN, and switched without a loss."""

from __future__ import annotations

import json

from fsd.aws.schedules import EventBridgeScheduler
from fsd.plan.observed import OldSchedule
from moto import mock_aws
from tests.fakes.aws import FakeClock
from tests.moto.conftest import TestClients

PLACE = "us-east-1:123456789012"
RULE = f"arn:aws:events:{PLACE}:rule/nightly"
SCHEDULE = f"arn:aws:scheduler:{PLACE}:schedule/jobs/nightly"


def adapter(clients: TestClients) -> EventBridgeScheduler:
    return EventBridgeScheduler(clients=clients, clock=FakeClock())


@mock_aws
def test_switch_old__rule__off_and_on_again(clients: TestClients) -> None:
    events = clients.client("events")
    events.put_rule(Name="nightly", ScheduleExpression="cron(0 3 * * ? *)")
    events.put_targets(
        Rule="nightly", Targets=[{"Id": each, "Arn": f"arn:aws:sqs:{PLACE}:q"} for each in "ab"]
    )
    found = OldSchedule(arn=RULE, is_enabled=True, expression="cron(0 3 * * ? *)", targets=2)

    schedules = adapter(clients)
    before = schedules.find_old(RULE)
    schedules.switch_old(RULE, is_on=False)
    state = events.describe_rule(Name="nightly")["State"]
    schedules.switch_old(RULE, is_on=True)

    assert (before, state, schedules.find_old(RULE)) == (found, "DISABLED", found)


@mock_aws
def test_switch_old__schedule__only_its_state_changes(clients: TestClients) -> None:
    scheduler = clients.client("scheduler")
    scheduler.create_schedule_group(Name="jobs")
    scheduler.create_schedule(
        Name="nightly",
        GroupName="jobs",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Description="of the report",
        Target={
            "Arn": f"arn:aws:sqs:{PLACE}:q",
            "RoleArn": "arn:aws:iam::123456789012:role/nightly",
            "Input": json.dumps({"days": 7}),
        },
    )

    def read() -> dict[str, object]:
        found = scheduler.get_schedule(Name="nightly", GroupName="jobs")
        skipped = {"ResponseMetadata", "LastModificationDate"}
        return {key: value for key, value in found.items() if key not in skipped}

    before = read()
    schedules = adapter(clients)
    schedules.switch_old(SCHEDULE, is_on=False)

    assert read() == {**before, "State": "DISABLED"}
    old = schedules.find_old(SCHEDULE)
    assert old is not None
    assert (old.is_enabled, old.time_zone, old.window) == (False, "Europe/Berlin", 15)


@mock_aws
def test_find_old__missing_or_of_another_region__none(clients: TestClients) -> None:
    clients.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")

    schedules = adapter(clients)

    assert schedules.find_old(RULE.replace("nightly", "hourly")) is None
    assert schedules.find_old(SCHEDULE) is None
    assert schedules.find_old(RULE.replace("us-east-1", "eu-west-1")) is None
