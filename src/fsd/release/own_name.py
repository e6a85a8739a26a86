"""The name of a service on ECS: derived, or what another tool gave it before FSD took it over.

A service keeps its name for life, so FSD's stack says it where it is not the derived one.
"""

from __future__ import annotations

from fsd.compile.desired import OUTPUT_SERVICE
from fsd.manifest import names
from fsd.release.ports import Aws


def find_own_name(aws: Aws, *, cluster: str, service: str, environment: str) -> str:
    """The derived name where there is such a service, or none at all. Raises CallFailedError."""
    derived = names.service_name(service, environment)
    if aws.ecs.find_service(cluster, derived) is not None:
        return derived
    stack = aws.stacks.find(names.stack(service, environment))
    return stack.outputs.get(OUTPUT_SERVICE, derived) if stack is not None else derived
