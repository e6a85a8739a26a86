"""A value of a kind that its key does not take is listed as lost, never dropped."""

from __future__ import annotations

import json

import pytest

from fsd.importing.files import read_files
from fsd.importing.reader import ANY_ENVIRONMENT
from fsd.importing.values import Value, listed, mapping

COPILOT = "name: api\ntype: Backend Service\nimage: {location: 'a/b:1', port: 80}\n"
TASK: dict[str, Value] = {"family": "a", "cpu": "256", "memory": "512"}
SIDECAR = "sidecars: {x: {image: 'a/c:1', "


@pytest.mark.parametrize(
    ("more", "where"),
    [
        (f"{SIDECAR}variables: {{B: {{from_cfn: y}}}}}}}}", "sidecars.x.variables.B"),
        (f"{SIDECAR}port: 2000/udp}}}}", "sidecars.x.port"),
        ("variables: {A: [x, y]}", "variables.A"),
        ("storage: [x]", "storage"),
        ("deployment: recreate", "deployment"),
        ("network: private", "network"),
        ("count: 1-3", "count"),
        ("count: {range: many}", "count.range"),
        ("network: {vpc: {placement: somewhere}}", "network.vpc.placement"),
        (
            "count: {range: 1-2, requests: 9, cpu_percentage: {value: 7, cooldown: {in: 9s}}}",
            "count.cpu_percentage.cooldown",
        ),
    ],
)
def test_read_copilot__wrong_kind__is_lost(more: str, where: str) -> None:
    (found,), _ = read_files({"manifest.yml": f"{COPILOT}{more}\n"}, pack="", folder="shop")

    assert where in [loss.where for loss in found.losses]


def test_read_copilot__cooldown_of_the_only_target__is_that_of_the_service() -> None:
    more = "count: {range: 1-4, cpu_percentage: {value: 70, cooldown: {in: 80s, out: 160s}}}\n"
    (found,), _ = read_files({"manifest.yml": COPILOT + more}, pack="", folder="shop")

    around = found.originals[ANY_ENVIRONMENT].around
    scaling = {"scaleInCooldown": 80, "scaleOutCooldown": 160, "targetCPUUtilization": 70}
    assert found.losses == ()
    assert mapping(found.tree["service"])["autoScaling"] == scaling
    assert around["scaling.scale_in_cooldown"] == 80
    assert around["scaling.scale_out_cooldown"] == 160


@pytest.mark.parametrize(
    ("task", "container", "where"),
    [
        ({"runtimePlatform": "ARM64"}, {}, "runtimePlatform"),
        ({"ephemeralStorage": 30}, {}, "ephemeralStorage"),
        ({"taskRoleArn": {"Fn::GetAtt": ["A", "Arn"]}}, {}, "taskRoleArn"),
        ({}, {"environment": {"A": "b"}}, "containerDefinitions[0].environment[0].A"),
        ({}, {"healthCheck": "curl x"}, "containerDefinitions[0].healthCheck"),
        ({}, {"image": {"Fn::Sub": "x"}}, "containerDefinitions[0].image"),
        (
            {},
            {"environment": [{"name": "A", "value": {"Ref": "X"}}]},
            "containerDefinitions[0].environment[0].value",
        ),
    ],
)
def test_read_task_definition__wrong_kind__is_lost(
    task: dict[str, Value], container: dict[str, Value], where: str
) -> None:
    containers: list[Value] = [{"name": "a", "image": "a/b:1", **container}]
    text = json.dumps({**TASK, **task, "containerDefinitions": containers})
    (found,), _ = read_files({"task.json": text}, pack="", folder="shop")

    assert [loss.where for loss in found.losses] == [where]
    assert "environment" not in mapping(found.tree["service"])


def test_read_task_definition__of_a_template__names_of_labels_and_functions_stay() -> None:
    labels = {"Team": "Offers"}
    container = {"Name": "a", "Image": {"Ref": "Image"}, "DockerLabels": labels}
    text = json.dumps({"Family": "a", "ContainerDefinitions": [container]})
    (found,), _ = read_files({"task.json": text}, pack="", folder="shop")

    assert [loss.value for loss in found.losses] == ['{"Ref": "Image"}']
    (original,) = listed(found.originals[ANY_ENVIRONMENT].definition["containerDefinitions"])
    assert mapping(original)["dockerLabels"] == labels
    assert mapping(found.tree["service"])["dockerLabels"] == labels
