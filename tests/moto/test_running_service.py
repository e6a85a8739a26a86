"""What a running service, a schedule or a rule is, for `fsd import`."""

from __future__ import annotations

from typing import Any

import pytest

from fsd.aws.running_service import AwsRunning
from fsd.errors import CallFailedError
from fsd.importing.running_service import read_running
from moto import mock_aws
from tests.moto.conftest import TestClients

RULE = "arn:aws:events:us-east-1:123456789012:rule/nightly-report"
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/demo"


def make_rule(clients: TestClients, *, cluster: str = CLUSTER) -> None:
    ecs, events = clients.client("ecs"), clients.client("events")
    ecs.create_cluster(clusterName="demo")
    definition = ecs.register_task_definition(
        family="report",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "report", "image": "ghcr.io/org/report:v1"}],
    )["taskDefinition"]["taskDefinitionArn"]
    events.put_rule(Name="nightly-report", ScheduleExpression="cron(0 3 * * ? *)")
    target: dict[str, Any] = {
        "Id": "report",
        "Arn": cluster,
        "RoleArn": "arn:aws:iam::123456789012:role/ecsEventsRole",
        "EcsParameters": {
            "TaskDefinitionArn": definition,
            "TaskCount": 1,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "awsvpcConfiguration": {
                    "Subnets": ["subnet-0a1b2c3d"],
                    "SecurityGroups": ["sg-0a1b2c3d"],
                    "AssignPublicIp": "DISABLED",
                }
            },
        },
    }
    events.put_targets(Rule="nightly-report", Targets=[target])


@mock_aws
def test_read__rule_of_eventbridge__a_job_and_how_to_disable_the_rule(
    clients: TestClients,
) -> None:
    make_rule(clients)

    answer = AwsRunning(clients=clients).read("demo", "nightly-report")
    imported = read_running(answer, source="demo/nightly-report", pack="")

    service: Any = imported.tree["service"]
    assert (imported.name, imported.tree["kind"]) == ("nightly-report", "Job")
    assert service["schedule"] == "cron(0 3 * * ? *)"
    assert service["image"] == "ghcr.io/org/report:v1"
    assert service["networking"]["subnets"] == ["subnet-0a1b2c3d"]
    assert [each.where for each in imported.losses if each.where] == []
    (note,) = imported.notes
    assert service["existingSchedule"] == {"arn": RULE}
    assert note == (
        "the first deployment disables the rule nightly-report when FSD's own schedule begins, "
        "and needs --adopt"
    )


@mock_aws
def test_read__rule_with_another_target__the_note_says_how_to_take_this_one_out(
    clients: TestClients,
) -> None:
    make_rule(clients)
    other = {"Id": "other", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    clients.client("events").put_targets(Rule="nightly-report", Targets=[other])

    answer = AwsRunning(clients=clients).read("demo", "nightly-report")
    imported = read_running(answer, source="demo/nightly-report", pack="", environment="prod")

    assert "existingSchedule" not in str(imported.tree)
    (note,) = imported.notes
    assert "`aws events remove-targets --rule nightly-report --ids report`" in note


@mock_aws
def test_read__of_an_environment__what_is_disabled_there_is_said_there(
    clients: TestClients,
) -> None:
    make_rule(clients)

    answer = AwsRunning(clients=clients).read("demo", "nightly-report")
    imported = read_running(answer, source="demo/nightly-report", pack="", environment="prod")

    environments: Any = imported.tree["environments"]
    assert environments["prod"]["existingSchedule"] == {"arn": RULE}


@mock_aws
def test_read__schedule_has_the_name_of_fsds_own__updated_and_not_named(
    clients: TestClients,
) -> None:
    make_rule(clients)
    (target,) = clients.client("events").list_targets_by_rule(Rule="nightly-report")["Targets"]
    del target["Id"]
    clients.client("scheduler").create_schedule(
        Name="report-prod",
        ScheduleExpression="cron(0 3 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )

    answer = AwsRunning(clients=clients).read("demo", "report-prod")
    imported = read_running(answer, source="demo/report-prod", pack="", environment="prod")

    assert "existingSchedule" not in str(imported.tree)
    assert imported.notes == (
        "the first deployment updates this schedule as FSD's own, and needs --adopt",
    )


@mock_aws
def test_read__rule_that_starts_tasks_elsewhere__is_none_of_this_cluster(
    clients: TestClients,
) -> None:
    make_rule(clients, cluster=f"{CLUSTER}-other")

    with pytest.raises(CallFailedError, match="there is no service `nightly-report`"):
        AwsRunning(clients=clients).read("demo", "nightly-report")
