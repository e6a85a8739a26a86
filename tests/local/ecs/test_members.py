"""Every member of every request acts, is refused, or is listed as inert."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fsd_local.ecs.contract import load_model
from tests.local.ecs import members
from tests.local.ecs.cloud import DIGEST, NETWORK, ROLE, ApiFault, Cloud

# Requests that are accepted, and so to be refused only for the member that is added.
REQUESTS: dict[str, dict[str, Any]] = {
    "RegisterTaskDefinition": {
        "family": "other",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [{"name": "app", "image": f"app@{DIGEST}"}],
        "volumes": [{"name": "data"}],
    },
    "CreateService": {
        "cluster": "dev",
        "serviceName": "other",
        "taskDefinition": "app",
        "desiredCount": 0,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
    },
    "UpdateService": {"cluster": "dev", "service": "app"},
    "RunTask": {
        "cluster": "dev",
        "taskDefinition": "app",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "overrides": {"containerOverrides": [{"name": "app"}]},
    },
}


def test_members__every_shape_of_botocore__is_classified_once() -> None:
    classes = members.load()
    expected = {name: sorted(shape.members) for name, shape in members.shapes().items()}
    found: dict[str, list[str]] = {}
    for by_shape in classes.values():
        for shape, names in by_shape.items():
            found.setdefault(shape, []).extend(names)

    assert set(classes) == set(members.CLASSES)
    assert {shape: sorted(names) for shape, names in found.items()} == expected


@pytest.fixture(scope="module")
def cloud() -> Any:
    made = Cloud()
    made.cluster().create(made.register(), desired=0)
    yield made
    made.close()


@pytest.mark.parametrize("action", REQUESTS)
def test_members__request_without_them__is_accepted(cloud: Cloud, action: str) -> None:
    cloud.call(action, **_request(action, "plain"))


def _request(action: str, name: str) -> dict[str, Any]:
    request = copy.deepcopy(REQUESTS[action])
    return request | ({"serviceName": name} if action == "CreateService" else {})


def _refused() -> list[tuple[str, str, tuple[str, ...]]]:
    """(action, shape.member, path), for the first path to it in each action."""
    listed = members.load()["refused"]
    wanted = {f"{shape}.{name}" for shape, names in listed.items() for name in names}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for action in REQUESTS:
        for member, path in members.paths(load_model().operation_model(action).input_shape):
            if member in wanted:
                found.setdefault((action, member), path)
    return [(action, member, path) for (action, member), path in found.items()]


REFUSED = _refused()


def test_members__each_that_is_refused__is_sent() -> None:
    listed = members.load()["refused"]
    assert {member for _, member, _ in REFUSED} == {
        f"{shape}.{name}" for shape, names in listed.items() for name in names
    }


@pytest.mark.parametrize(
    ("action", "member", "path"), REFUSED, ids=[f"{a}-{'.'.join(p)}" for a, _, p in REFUSED]
)
def test_members__refused__is_answered_with_an_error(
    cloud: Cloud, action: str, member: str, path: tuple[str, ...]
) -> None:
    request = _request(action, member.replace(".", "-"))
    members.put(request, load_model().operation_model(action).input_shape, path)

    with pytest.raises(ApiFault):
        cloud.call(action, **request)
