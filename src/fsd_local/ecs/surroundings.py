"""What stands around a service or a task: network, service registries, namespaces.

Looked at before the state is locked, since the other services have locks of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fsd_local.ecs.model import Json
from fsd_local.ports import Subnet, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Of what a request names, what exists."""

    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    security_groups: Mapping[str, str] = field(default_factory=dict)  # id → VPC
    registries: frozenset[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=dict)  # as asked for → ARN


def look_around(parameters: Json, port: Surroundings, *, account: str, region: str) -> Around:
    where = {"account": account, "region": region}
    vpc = (parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    registries = [found.get("registryArn", "") for found in parameters.get("serviceRegistries", ())]
    return Around(
        subnets=port.subnets(vpc.get("subnets") or (), **where),
        security_groups=port.security_groups(vpc.get("securityGroups") or (), **where),
        registries=frozenset(arn for arn in registries if port.has_registry(arn, **where)),
        namespaces=_known_namespaces(parameters, port, account=account, region=region),
    )


def _known_namespaces(
    parameters: Json, port: Surroundings, *, account: str, region: str
) -> dict[str, str]:
    found = {
        name: port.namespace(name, account=account, region=region)
        for name in _namespaces(parameters)
    }
    return {name: arn for name, arn in found.items() if arn}


def _namespaces(parameters: Json) -> Iterator[str]:
    for member in ("serviceConnectConfiguration", "serviceConnectDefaults"):
        name = (parameters.get(member) or {}).get("namespace")
        if name:
            yield name
