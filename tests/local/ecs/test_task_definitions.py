"""Task definitions: what is refused, what is filled in, how revisions live and go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.ecs.cloud import DIGEST, ROLE, ApiFault, Cloud
from tests.waiting import eventually

Json = dict[str, Any]


def definition(**changes: Any) -> Json:
    return {
        "family": "app",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [container()],
        **changes,
    }


def container(**changes: Any) -> Json:
    return {"name": "app", "image": "app:v1", "portMappings": [{"containerPort": 8000}], **changes}


LOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/app",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "app",
    },
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"family": "a b"}, "Family contains invalid characters"),
        ({"containerDefinitions": []}, "Container list cannot be empty."),
        ({"containerDefinitions": [container(), container()]}, "must be unique"),
        ({"containerDefinitions": [container(name="a b")]}, "Container.name contains invalid"),
        ({"containerDefinitions": [container(image=" ")]}, "should not be null or empty"),
        ({"containerDefinitions": [container(image="a b")]}, "Container.image contains invalid"),
        ({"containerDefinitions": [container(essential=False)]}, "any essential container"),
        ({"cpu": "1024", "memory": "1000"}, "No Fargate configuration exists for given values"),
        ({"cpu": "300", "memory": "512"}, "No Fargate configuration exists for given values"),
        ({"cpu": ""}, "Fargate requires that 'cpu' be defined at the task level."),
        ({"memory": "lots"}, "Invalid 'memory' setting for task."),
        ({"networkMode": "bridge"}, "Fargate only supports network mode"),
        ({"containerDefinitions": [container(memory=4096)]}, "is greater than for the task"),
        (
            {"executionRoleArn": None, "containerDefinitions": [container(logConfiguration=LOGS)]},
            "execution role ARN to support log driver awslogs",
        ),
        (
            {
                "executionRoleArn": None,
                "containerDefinitions": [container(secrets=[{"name": "A", "valueFrom": "x"}])],
            },
            "When you are specifying container secrets",
        ),
        (
            {
                "executionRoleArn": None,
                "containerDefinitions": [
                    container(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1")
                ],
            },
            "execution role ARN to support ECR images",
        ),
        (
            {
                "containerDefinitions": [
                    container(
                        environment=[{"name": "A", "value": "1"}],
                        secrets=[{"name": "A", "valueFrom": "x"}],
                    )
                ]
            },
            "The secret name must be unique",
        ),
        (
            {"containerDefinitions": [container(healthCheck={"command": ["curl"]})]},
            "must begin with CMD",
        ),
        (
            {"containerDefinitions": [container(healthCheck={"command": ["CMD"], "interval": 1})]},
            "Health check interval must be greater than or equal to the minimum",
        ),
        ({"containerDefinitions": [container(portMappings=[{"containerPort": 0}])]}, "Invalid con"),
        (
            {
                "containerDefinitions": [
                    container(portMappings=[{"containerPort": 1, "hostPort": 2}])
                ]
            },
            "must match",
        ),
        ({"containerDefinitions": [container(stopTimeout=121)]}, "between 0 and 120"),
        ({"containerDefinitions": [container(logConfiguration={"logDriver": "awslogs"})]}, "requ"),
        (
            {
                "containerDefinitions": [
                    container(dependsOn=[{"containerName": "x", "condition": "START"}])
                ]
            },
            "Cannot depend on container + 'x' because it does not exist",
        ),
    ],
)
def test_register__invalid__client_exception_and_no_revision(
    cloud: Cloud, changes: Json, text: str
) -> None:
    with pytest.raises(ApiFault) as caught:
        cloud.call("RegisterTaskDefinition", **definition(**changes))

    assert caught.value.code == "ClientException"
    assert text in caught.value.message
    assert cloud.call("ListTaskDefinitions")["taskDefinitionArns"] == []


def test_register__minimal__is_described_with_the_apis_defaults(cloud: Cloud) -> None:
    answer = cloud.call("RegisterTaskDefinition", **definition(tags=[{"key": "a", "value": "b"}]))

    found = answer["taskDefinition"]
    assert found["containerDefinitions"] == [
        {
            "name": "app",
            "image": "app:v1",
            "cpu": 0,
            "essential": True,
            "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
        }
    ]
    assert (found["revision"], found["status"]) == (1, "ACTIVE")
    assert found["compatibilities"] == ["EC2", "FARGATE"]
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    described = cloud.call("DescribeTaskDefinition", taskDefinition="app", include=["TAGS"])
    assert described == answer


def test_register__units__become_numbers(cloud: Cloud) -> None:
    answer = cloud.call("RegisterTaskDefinition", **definition(cpu="1 vCPU", memory="2 GB"))

    found = answer["taskDefinition"]
    assert (found["cpu"], found["memory"]) == ("1024", "2048")


def test_describe__unknown__client_exception(cloud: Cloud) -> None:
    with pytest.raises(ApiFault, match=r"ClientException: Unable to describe task definition\."):
        cloud.call("DescribeTaskDefinition", taskDefinition="gone")


def test_describe__family__is_its_latest_active_revision(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.register()
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:3")

    found = cloud.call("DescribeTaskDefinition", taskDefinition="app")["taskDefinition"]
    inactive = cloud.call("DescribeTaskDefinition", taskDefinition="app:3")["taskDefinition"]

    assert (found["revision"], inactive["status"]) == (2, "INACTIVE")
    assert inactive["deregisteredAt"] > 0


def test_list__family_prefix__is_the_whole_name_of_one_family(cloud: Cloud) -> None:
    for family in ("app", "app-two", "app"):
        cloud.register(family=family)

    def listed(**filters: Any) -> list[str]:
        arns = cloud.call("ListTaskDefinitions", **filters)["taskDefinitionArns"]
        return [arn.rsplit("/", 1)[1] for arn in arns]

    assert listed() == ["app:1", "app:2", "app-two:1"]
    assert listed(familyPrefix="app", sort="DESC") == ["app:2", "app:1"]
    assert listed(familyPrefix="ap") == []
    assert listed(status="INACTIVE") == []
    assert cloud.call("ListTaskDefinitionFamilies", familyPrefix="app-")["families"] == ["app-two"]


def test_list__more_than_a_page__goes_on_at_the_token(cloud: Cloud) -> None:
    for _ in range(5):
        cloud.register()

    first = cloud.call("ListTaskDefinitions", maxResults=3)
    rest = cloud.call("ListTaskDefinitions", maxResults=3, nextToken=first["nextToken"])

    arns = first["taskDefinitionArns"] + rest["taskDefinitionArns"]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1", "2", "3", "4", "5"]
    assert "nextToken" not in rest


def test_delete__active__fails_and_stays(cloud: Cloud) -> None:
    cloud.register()

    answer = cloud.call("DeleteTaskDefinitions", taskDefinitions=["app:1"])

    assert answer["taskDefinitions"] == []
    assert "still in ACTIVE status" in answer["failures"][0]["reason"]


def test_delete__inactive__is_gone_and_its_number_is_not_used_again(cloud: Cloud) -> None:
    cloud.register()
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:1")

    answer = cloud.call("DeleteTaskDefinitions", taskDefinitions=["app:1"])

    assert answer["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
    with pytest.raises(ApiFault):
        cloud.call("DescribeTaskDefinition", taskDefinition="app:1")
    assert cloud.register().endswith("app:2")


def test_delete__in_use__stays_until_the_service_is_gone(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:1")
    cloud.call("DeleteTaskDefinitions", taskDefinitions=["app:1"])

    def status() -> str:
        found = cloud.call("DescribeTaskDefinition", taskDefinition="app:1")["taskDefinition"]
        return str(found["status"])

    assert status() == "DELETE_IN_PROGRESS"
    cloud.call("DeleteService", cluster="dev", service="app", force=True)
    eventually(lambda: cloud.service()["status"] == "INACTIVE")
    with pytest.raises(ApiFault):
        status()


def test_deregister__twice_or_without_revision__refused(cloud: Cloud) -> None:
    cloud.register(f"app@{DIGEST}")
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:1")

    for wanted in ("app:1", "app", "gone:1"):
        with pytest.raises(ApiFault) as caught:
            cloud.call("DeregisterTaskDefinition", taskDefinition=wanted)
        assert caught.value.code == "ClientException"
        assert (caught.value.message == "Revision is missing.") == (wanted == "app")
