"""What a stack has to go back to, kept in the stack itself.

A run changes the stack, rolls out, and puts the stack back where that fails. Killed in between it
cannot, and ECS's circuit breaker goes back without it: the last good revision then runs with the
failed one's health check. The next run finds here what the stack was.

It stands in the template's Metadata, which means nothing to CloudFormation, as a text, so that no
function in it is looked at.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fsd.compile.desired import Json
from fsd.snapshot import DeploymentStatus, ServiceDeployment

_METADATA, _KEY = "Metadata", "fsd:before"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousStack:
    """The stack's template before a rollout, and the service's newest deployment at that time."""

    template: Json
    deployment_arn: str


def with_previous(template: Json, previous: PreviousStack | None) -> Json:
    if previous is None:
        return template
    kept: Json = {"deployment": previous.deployment_arn, "template": json.dumps(previous.template)}
    return {**template, _METADATA: {_KEY: kept}}


def split_previous(template: Json) -> tuple[Json, PreviousStack | None]:
    """The template alone, and the previous stack; None where nothing readable is kept."""
    bare = {key: value for key, value in template.items() if key != _METADATA}
    metadata = template.get(_METADATA)
    kept = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(kept, dict):
        return bare, None
    try:
        before = json.loads(str(kept.get("template")))
    except (ValueError, RecursionError):
        return bare, None
    if not isinstance(before, dict):
        return bare, None
    return bare, PreviousStack(template=before, deployment_arn=str(kept.get("deployment")))


def still_needed(
    previous: PreviousStack | None, deployments: Sequence[ServiceDeployment]
) -> PreviousStack | None:
    """`previous`, unless a deployment succeeded since: then the stack belongs to what runs.

    None too where ECS no longer lists the deployment of that time. `deployments` are the service's.
    """
    since = next((d for d in deployments if previous and d.arn == previous.deployment_arn), None)
    if since is None or any(
        d.status is DeploymentStatus.SUCCESSFUL and d.created_at > since.created_at
        for d in deployments
    ):
        return None
    return previous
