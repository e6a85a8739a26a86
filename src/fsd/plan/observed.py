"""What AWS looks like before a release: one frozen value, so that planning makes no call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fsd.compile.desired import Json, Scaling
from fsd.snapshot import ServiceDeployment, ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStack:
    status: str
    template: Json
    tags: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRevision:
    arn: str
    definition: Json
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    account: str
    region: str
    cluster_exists: bool
    stack: ObservedStack | None
    service: ServiceState | None
    running: ObservedRevision | None  # the service's task definition
    latest: ObservedRevision | None  # the family's newest ACTIVE revision
    scaling: Scaling | None
    in_flight: ServiceDeployment | None  # the newest deployment, where it is not final
    last_deployment: ServiceDeployment | None  # the newest one in any status
    last_successful: ServiceDeployment | None
    known_deployments: frozenset[str] = frozenset()  # the ARNs of all that ECS lists
    used_revisions: frozenset[str] = frozenset()  # task definitions that they rolled out
