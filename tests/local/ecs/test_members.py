"""Every member of a request to ECS that is listed as refused is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fsd_local.ecs.handlers import OPERATIONS
from fsd_local.members import load, load_input, load_operations
from tests.local import members
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


def test_members__operations__are_those_that_are_served() -> None:
    assert load_operations("ecs") == set(OPERATIONS)


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
    listed = load("ecs")["refused"]
    wanted = {f"{shape}.{name}" for shape, names in listed.items() for name in names}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for action in REQUESTS:
        for member, path in members.paths(load_input("ecs", action)):
            if member in wanted:
                found.setdefault((action, member), path)
    return [(action, member, path) for (action, member), path in found.items()]


REFUSED = _refused()


def test_members__each_that_is_refused__is_sent() -> None:
    listed = load("ecs")["refused"]
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
    members.put(request, load_input("ecs", action), path)

    with pytest.raises(ApiFault):
        cloud.call(action, **request)
