"""The ARNs in a request: whole, not by their last part.

An ARN of another Region, another account or another cluster never finds what has the same name
here. The words are AWS's: https://github.com/aws/aws-cli/issues/3175 (Region) and
https://github.com/docker-archive/compose-cli/issues/2086 (cluster); for another account it is
IAM's denial, since no ECS resource has a policy of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fsd_local.ecs.arns import last_part, partition
from fsd_local.ecs.faults import ApiError, invalid
from fsd_local.ecs.model import Json

# Parameter → the kind of resource that its ARN names.
_KINDS: Mapping[str, str] = {
    "cluster": "cluster",
    "clusters": "cluster",
    "service": "service",
    "services": "service",
    "serviceName": "service",
    "task": "task",
    "tasks": "task",
    "taskDefinition": "task-definition",
    "taskDefinitions": "task-definition",
    "serviceDeploymentArn": "service-deployment",
    "serviceDeploymentArns": "service-deployment",
    "serviceRevisionArns": "service-revision",
    "resourceArn": "",
}
_IN_A_CLUSTER = {"service", "services", "serviceName", "task", "tasks"}
_FIELDS = 6


def check_identifiers(action: str, parameters: Json, *, account: str, region: str) -> None:
    """Raises ApiError for the first ARN that names what cannot be meant here."""
    for member, arn in _arns(parameters):
        fields = arn.split(":", _FIELDS - 1)
        if len(fields) != _FIELDS or fields[2] != "ecs":
            raise invalid(f"Invalid ARN: {arn}")
        kind = fields[5].partition("/")[0]
        if _KINDS[member] and kind != _KINDS[member]:
            raise invalid(f"Invalid identifier: {arn} is not the ARN of a {_KINDS[member]}.")
        if fields[3] != region or fields[1] != partition(region):
            raise invalid("Invalid Region in ARN")
        if fields[4] != account:
            raise _denied(action, arn, account)
        if member in _IN_A_CLUSTER:
            _check_cluster(fields[5], last_part(parameters.get("cluster") or "default"))


def _arns(parameters: Json) -> Iterator[tuple[str, str]]:
    for member in _KINDS:
        found = parameters.get(member)
        for value in found if isinstance(found, list) else [found]:
            if isinstance(value, str) and value.startswith("arn:"):
                yield member, value


def _check_cluster(resource: str, cluster: str) -> None:
    """`service/<cluster>/<name>`; the short form of old has no cluster."""
    parts = resource.split("/")
    if len(parts) == 3 and parts[1] != cluster:
        raise invalid(
            f"Invalid identifier: Identifier is for cluster {parts[1]}. Your cluster is {cluster}"
        )


def _denied(action: str, arn: str, account: str) -> ApiError:
    return ApiError(
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:root is not authorized to perform: ecs:{action} on "
        f"resource: {arn} because no resource-based policy allows the ecs:{action} action",
    )
