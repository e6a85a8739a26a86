"""An ARN is read whole: its Region, account and cluster count, not only its last part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal

OTHER_ACCOUNT = "999999999999"
# Whatever is asked by ARN, in the parameter where it is asked.
CALLS: dict[str, Callable[[Any, Callable[[str], str]], Any]] = {
    "describe a cluster": lambda ecs, arn: ecs.describe_clusters(clusters=[arn("cluster/dev")]),
    "delete a cluster": lambda ecs, arn: ecs.delete_cluster(cluster=arn("cluster/dev")),
    "list its tasks": lambda ecs, arn: ecs.list_tasks(cluster=arn("cluster/dev")),
    "describe a service": lambda ecs, arn: ecs.describe_services(
        cluster="dev", services=[arn("service/dev/app")]
    ),
    "update a service": lambda ecs, arn: ecs.update_service(
        cluster="dev", service=arn("service/dev/app"), desiredCount=2
    ),
    "delete a service": lambda ecs, arn: ecs.delete_service(
        cluster="dev", service=arn("service/dev/app"), force=True
    ),
    "stop a task": lambda ecs, arn: ecs.stop_task(cluster="dev", task=arn("task/dev/1")),
    "describe a task": lambda ecs, arn: ecs.describe_tasks(
        cluster="dev", tasks=[arn("task/dev/1")]
    ),
    "describe a task definition": lambda ecs, arn: ecs.describe_task_definition(
        taskDefinition=arn("task-definition/app:1")
    ),
    "deregister a task definition": lambda ecs, arn: ecs.deregister_task_definition(
        taskDefinition=arn("task-definition/app:1")
    ),
    "run a task": lambda ecs, arn: ecs.run_task(
        cluster="dev", taskDefinition=arn("task-definition/app:1"), launchType="FARGATE"
    ),
    "describe a deployment": lambda ecs, arn: ecs.describe_service_deployments(
        serviceDeploymentArns=[arn("service-deployment/dev/app/1")]
    ),
    "stop a deployment": lambda ecs, arn: ecs.stop_service_deployment(
        serviceDeploymentArn=arn("service-deployment/dev/app/1")
    ),
    "describe a revision": lambda ecs, arn: ecs.describe_service_revisions(
        serviceRevisionArns=[arn("service-revision/dev/app/1")]
    ),
    "tag a cluster": lambda ecs, arn: ecs.tag_resource(
        resourceArn=arn("cluster/dev"), tags=[{"key": "a", "value": "b"}]
    ),
    "list a cluster's tags": lambda ecs, arn: ecs.list_tags_for_resource(
        resourceArn=arn("cluster/dev")
    ),
}


@pytest.fixture
def ecs(aws: Clients) -> Any:
    client = aws("ecs")
    client.create_cluster(clusterName="dev")
    client.create_cluster(clusterName="prod")
    return client


@pytest.mark.parametrize("name", CALLS)
def test_call__arn_of_another_region__refused(ecs: Any, account: str, name: str) -> None:
    code, message = refusal(
        lambda: CALLS[name](ecs, lambda resource: f"arn:aws:ecs:eu-west-1:{account}:{resource}")
    )

    assert (code, message) == ("InvalidParameterException", "Invalid Region in ARN")


@pytest.mark.parametrize("name", CALLS)
def test_call__arn_of_another_account__denied(ecs: Any, name: str) -> None:
    code, message = refusal(
        lambda: CALLS[name](
            ecs, lambda resource: f"arn:aws:ecs:us-east-1:{OTHER_ACCOUNT}:{resource}"
        )
    )

    assert code == "AccessDeniedException"
    assert "is not authorized to perform: ecs:" in message
    assert OTHER_ACCOUNT in message
    assert ecs.describe_clusters(clusters=["dev"])["clusters"][0]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "call",
    [
        lambda ecs, arn: ecs.describe_services(cluster="dev", services=[f"{arn}:service/prod/app"]),
        lambda ecs, arn: ecs.delete_service(cluster="dev", service=f"{arn}:service/prod/app"),
        lambda ecs, arn: ecs.describe_tasks(cluster="dev", tasks=[f"{arn}:task/prod/1"]),
        lambda ecs, arn: ecs.stop_task(cluster=f"{arn}:cluster/dev", task=f"{arn}:task/prod/1"),
    ],
)
def test_call__arn_of_another_cluster__refused(
    ecs: Any, account: str, call: Callable[[Any, str], Any]
) -> None:
    code, message = refusal(lambda: call(ecs, f"arn:aws:ecs:us-east-1:{account}"))

    assert code == "InvalidParameterException"
    assert message == ("Invalid identifier: Identifier is for cluster prod. Your cluster is dev")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:ecs:us-east-1:{account}:service/dev/app",
        "arn:aws:s3:::dev",
        "arn:aws:ecs:us-east-1",
    ],
)
def test_describe_clusters__arn_of_something_else__refused(
    ecs: Any, account: str, arn: str
) -> None:
    code, _ = refusal(ecs.describe_clusters, clusters=[arn.format(account=account)])

    assert code == "InvalidParameterException"


def test_describe_clusters__its_own_arn__is_found(ecs: Any, account: str) -> None:
    arn = f"arn:aws:ecs:us-east-1:{account}:cluster/dev"

    assert ecs.describe_clusters(clusters=[arn])["clusters"][0]["clusterName"] == "dev"
