"""Where a service or a task may run: launch type, platform, network. Pure.

The words are AWS's. Both a launch type and a strategy:
https://github.com/terraform-linters/tflint-ruleset-aws/issues/349; placement: `rules/ecs` of
badmintoncryer/cdk-preflight; subnets and security groups: moto's `_validate_network`
(https://github.com/getmoto/moto/blob/master/moto/ecs/models.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fsd_local.ecs.capacity import check_strategy
from fsd_local.ecs.faults import ApiError, invalid, platform_unknown
from fsd_local.ecs.model import Cluster, Json, TaskDefinition
from fsd_local.ecs.surroundings import Around

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
_PLATFORM_VERSIONS = {"LATEST", "1.4.0", "1.3.0"}
_MOST_SUBNETS, _MOST_GROUPS = 16, 5
NO_INSTANCES = "No Container Instances were found in your cluster."


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchChoice:
    launch_type: str = "FARGATE"
    strategy: list[Json] = field(default_factory=list)


def load_launch(cluster: Cluster, parameters: Json) -> LaunchChoice:
    """What is asked for, or the cluster's default; without either EC2, of which there is none."""
    launch_type, strategy = parameters.get("launchType"), parameters.get("capacityProviderStrategy")
    if launch_type and strategy:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if not launch_type:
        strategy = strategy or cluster.default_strategy
    if strategy:
        check_strategy(strategy, cluster.capacity_providers)
        return LaunchChoice(strategy=strategy)
    if launch_type == "MANAGED_INSTANCES":
        raise invalid("The embedded AWS has no managed instances.")
    if launch_type != "FARGATE":
        raise invalid(NO_INSTANCES)
    return LaunchChoice()


def check_platform(parameters: Json) -> None:
    if parameters.get("platformVersion", "LATEST") not in _PLATFORM_VERSIONS:
        raise platform_unknown()
    for member, name in (
        ("placementConstraints", "Placement constraints"),
        ("placementStrategy", "Placement strategies"),
    ):
        if parameters.get(member):
            raise invalid(f"{name} are not supported with FARGATE launch type.")


def check_fargate_runs(definition: TaskDefinition) -> None:
    if "FARGATE" not in definition.definition["compatibilities"]:
        raise invalid("Task definition does not support launch_type FARGATE.")


def load_network(network: Json | None, around: Around) -> Json:
    """With the API's defaults; everything in it exists, and in one VPC."""
    vpc = (network or {}).get("awsvpcConfiguration")
    if not vpc:
        raise invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    subnets, groups = vpc.get("subnets") or (), vpc.get("securityGroups") or ()
    if not subnets:
        raise invalid("subnets can not be empty.")
    if len(subnets) > _MOST_SUBNETS:
        raise invalid(f"subnets can have at most {_MOST_SUBNETS} items.")
    if len(groups) > _MOST_GROUPS:
        raise invalid(f"securityGroups can have at most {_MOST_GROUPS} items.")
    for subnet in subnets:
        if subnet not in around.subnets:
            raise _no_subnet(subnet)
    for group in groups:
        if group not in around.security_groups:
            raise _no_group(group)
    _check_one_vpc(subnets, groups, around)
    return {"awsvpcConfiguration": {"securityGroups": [], "assignPublicIp": "DISABLED"} | vpc}


def _check_one_vpc(subnets: Sequence[str], groups: Sequence[str], around: Around) -> None:
    vpcs = {around.subnets[subnet].vpc for subnet in subnets}
    if len(vpcs) > 1:
        raise invalid("subnets must belong to the same VPC.")
    for group in groups:
        if around.security_groups[group] not in vpcs:
            raise invalid(
                f"Security group {group} does not appear to belong to the same VPC as the input "
                "subnets."
            )


def _no_subnet(subnet: str) -> ApiError:
    return invalid(
        f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not "
        "exist (ErrorCode: InvalidSubnetID.NotFound)"
    )


def _no_group(group: str) -> ApiError:
    return invalid(
        f"Error retrieving security group information for [{group}]: The security group "
        f"'{group}' does not exist (ErrorCode: InvalidGroup.NotFound)"
    )
