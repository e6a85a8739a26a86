"""What a running service, a schedule or a rule is, for `fsd import`."""

from __future__ import annotations

from typing import Any

import pytest

from fsd.aws.running_service import AwsRunning
from fsd.errors import CallFailedError
from fsd.importing.running_service import read_running
from moto import mock_aws
from tests.moto.conftest import TestClients

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
    assert "`aws events disable-rule --name nightly-report`" in note


@mock_aws
def test_read__rule_that_starts_tasks_elsewhere__is_none_of_this_cluster(
    clients: TestClients,
) -> None:
    make_rule(clients, cluster=f"{CLUSTER}-other")

    with pytest.raises(CallFailedError, match="there is no service `nightly-report`"):
        AwsRunning(clients=clients).read("demo", "nightly-report")
