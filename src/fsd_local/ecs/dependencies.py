"""`dependsOn` of the containers of a task definition: what RegisterTaskDefinition refuses. Pure.

Three of the messages are AWS's own: https://github.com/dagster-io/dagster/issues/6926,
https://github.com/boto/boto3/issues/2436, and that about HEALTHY in badmintoncryer/cdk-preflight
(`rules/ecs/pf-ecs-dependson-healthy-without-healthcheck`). That ECS refuses a cycle is what
https://github.com/faiscadev/fakecloud/pull/1211 found; the words are those of a cycle of links
(https://github.com/Shippable/support/issues/4194).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd_local.ecs.faults import client
from fsd_local.ecs.model import Json


def check_dependencies(containers: Sequence[Json]) -> None:
    """Raises ApiError."""
    known = {container["name"]: container for container in containers}
    needs = {
        name: [needed["containerName"] for needed in container.get("dependsOn") or ()]
        for name, container in known.items()
    }
    for container in containers:
        for needed in container.get("dependsOn") or ():
            _check(needed, known)
    if _has_cycle(needs):
        raise client("Container dependencies should not have a cycle")


def _check(needed: Json, known: Mapping[str, Json]) -> None:
    name, condition = needed["containerName"], needed["condition"]
    target = known.get(name)
    if target is None:
        raise client(f"Cannot depend on container + '{name}' because it does not exist")
    if condition in {"SUCCESS", "COMPLETE"} and target.get("essential", True):
        raise client(
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential "
            "container"
        )
    if condition == "HEALTHY" and not target.get("healthCheck"):
        raise client(
            "A dependency container with HEALTHY condition must have health check configured"
        )


def _has_cycle(needs: Mapping[str, Sequence[str]]) -> bool:
    """By taking away, again and again, what needs nothing that is left."""
    left = dict(needs)
    while left:
        free = [name for name, others in left.items() if not set(others) & left.keys()]
        if not free:
            return True
        for name in free:
            del left[name]
    return False
