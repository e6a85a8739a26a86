"""CreateService, UpdateService and RunTask take what Fargate does, and refuse the rest as AWS does.

Where the words are from is said in `fsd_local.ecs.launch`, `.discovery` and `.identifiers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal

Json = dict[str, Any]
SUBNETS = ["subnet-00000001", "subnet-00000002"]
NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": ["sg-00000001"]}}
INVALID, CLIENT = "InvalidParameterException", "ClientException"
GHOST_REGISTRY = "arn:aws:servicediscovery:us-east-1:{account}:service/srv-none"


class Site:
    """A cluster, task definitions and target groups of every kind, in an account of its own."""

    def __init__(self, aws: Clients, account: str) -> None:
        self.account = account
        self.ecs, self.elbv2, self.ec2 = aws("ecs"), aws("elbv2"), aws("ec2")
        self.ecs.create_cluster(clusterName="dev", capacityProviders=["FARGATE"])
        self.register("app")

    def register(self, family: str, **changes: Any) -> None:
        whole = {
            "family": family,
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [
                {"name": "app", "image": "app:1", "memory": 64, "portMappings": [PORT]}
            ],
            **changes,
        }
        self.ecs.register_task_definition(**{k: v for k, v in whole.items() if v is not None})

    def make_group(self, kind: str) -> str:
        (group,) = self.elbv2.create_target_group(
            Name=kind, Protocol="HTTP", Port=80, VpcId="vpc-00000001", TargetType=kind
        )["TargetGroups"]
        (balancer,) = self.elbv2.create_load_balancer(Name=kind, Subnets=SUBNETS)["LoadBalancers"]
        self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )
        return str(group["TargetGroupArn"])

    def request(self, changes: Json) -> Json:
        """The definitions that cannot run on Fargate are registered when a change names one."""
        family = changes.get("taskDefinition")
        if family:
            self.register(family, memory=None, cpu=None, **NETWORK_MODES[family])
        whole = {
            "cluster": "dev",
            "serviceName": "app",
            "taskDefinition": "app",
            "desiredCount": 0,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}


NETWORK_MODES: dict[str, Json] = {"bridge": {"networkMode": "bridge"}, "small": {}}
PORT = {"containerPort": 8000, "name": "web"}


@pytest.fixture
def site(aws: Clients, account: str) -> Site:
    return Site(aws, account)


def network(subnets: list[str], groups: list[str] | None = None) -> Json:
    vpc = {"subnets": subnets, "securityGroups": groups or []}
    return {"networkConfiguration": {"awsvpcConfiguration": vpc}}


def strategy(*entries: tuple[str, int, int], launch_type: str | None = None) -> Json:
    return {
        "launchType": launch_type,
        "capacityProviderStrategy": [
            {"capacityProvider": name, "weight": weight, "base": base}
            for name, weight, base in entries
        ],
    }


def percents(lower: int, upper: int) -> Json:
    return {"deploymentConfiguration": {"minimumHealthyPercent": lower, "maximumPercent": upper}}


PLACES: dict[str, tuple[Json, str, str]] = {
    # Where it runs.
    "no launch type": ({"launchType": None}, INVALID, "No Container Instances were found"),
    "EC2": ({"launchType": "EC2"}, INVALID, "No Container Instances were found in your cluster."),
    "EXTERNAL": ({"launchType": "EXTERNAL"}, INVALID, "No Container Instances were found"),
    "launch type and strategy": (
        strategy(("FARGATE", 1, 0), launch_type="FARGATE"),
        INVALID,
        "Specifying both a launch type and capacity provider strategy is not supported.",
    ),
    "unknown provider": (strategy(("mine", 1, 0)), INVALID, "'mine' was not found"),
    "provider of another cluster": (
        strategy(("FARGATE_SPOT", 1, 0)),
        INVALID,
        "cannot contain a capacity provider that is not associated with the cluster.",
    ),
    "no weight": (strategy(("FARGATE", 0, 0)), INVALID, "with a weight value greater than zero"),
    "bridge definition": (
        {"taskDefinition": "bridge"},
        INVALID,
        "Task definition does not support launch_type FARGATE.",
    ),
    "definition without a size": (
        {"taskDefinition": "small"},
        INVALID,
        "Task definition does not support launch_type FARGATE.",
    ),
    "platform version": (
        {"platformVersion": "9.9.9"},
        "PlatformUnknownException",
        "The specified platform version doesn't exist.",
    ),
    "placement strategy": (
        {"placementStrategy": [{"type": "spread", "field": "host"}]},
        INVALID,
        "Placement strategies are not supported with FARGATE launch type.",
    ),
    "placement constraint": (
        {"placementConstraints": [{"type": "distinctInstance"}]},
        INVALID,
        "Placement constraints are not supported with FARGATE launch type.",
    ),
    # Its network.
    "no network": ({"networkConfiguration": None}, INVALID, "must be provided when networkMode"),
    "no subnet": (network([]), INVALID, "subnets can not be empty."),
    "ghost subnet": (
        network(["subnet-0123"]),
        INVALID,
        "Error retrieving subnet information for [subnet-0123]: The subnet ID 'subnet-0123' does "
        "not exist (ErrorCode: InvalidSubnetID.NotFound)",
    ),
    "one ghost of two": (network([*SUBNETS, "subnet-0123"]), INVALID, "[subnet-0123]"),
    "17 subnets": (
        network([f"subnet-{number}" for number in range(17)]),
        INVALID,
        "subnets can have at most 16 items.",
    ),
    "ghost security group": (
        network(SUBNETS, ["sg-0123"]),
        INVALID,
        "Error retrieving security group information for [sg-0123]: The security group 'sg-0123' "
        "does not exist (ErrorCode: InvalidGroup.NotFound)",
    ),
    "six security groups": (
        network(SUBNETS, [f"sg-{number}" for number in range(6)]),
        INVALID,
        "securityGroups can have at most 5 items.",
    ),
    # What it names.
    "unknown cluster": ({"cluster": "prod"}, "ClusterNotFoundException", "Cluster not found."),
}
SERVICES: dict[str, tuple[Json, str, str]] = {
    "100 and 100 percent": (
        percents(100, 100),
        INVALID,
        "Both maximumPercent and minimumHealthyPercent cannot be 100",
    ),
    "101 percent at least": (percents(101, 200), INVALID, "must be at most 100"),
    "99 percent at most": (percents(50, 99), INVALID, "maximumPercent must be at least 100"),
    "grace without a balancer": (
        {"healthCheckGracePeriodSeconds": 60},
        INVALID,
        "Health check grace period is only valid for services configured to use load balancers",
    ),
    "lifecycle hooks": (
        {
            "deploymentConfiguration": {
                "lifecycleHooks": [
                    {
                        "hookTargetArn": "arn:aws:lambda:us-east-1:1:function:none",
                        "roleArn": "arn:aws:iam::1:role/none",
                        "lifecycleStages": ["PRE_SCALE_UP"],
                    }
                ]
            }
        },
        "UnsupportedFeatureException",
        "The embedded AWS runs lifecycleHooks only with the strategies",
    ),
    "role of old": (
        {"role": "ecsServiceRole"},
        INVALID,
        "You cannot specify an IAM role for services that require a service linked role.",
    ),
    "volume of nothing": (
        {"volumeConfigurations": [{"name": "data"}]},
        INVALID,
        "The volume name 'data' in your request does not have a matching volume",
    ),
    "ghost registry": (
        {"serviceRegistries": [{"registryArn": GHOST_REGISTRY}]},
        INVALID,
        "does not exist",
    ),
    "two registries": (
        {"serviceRegistries": [{"registryArn": GHOST_REGISTRY}] * 2},
        INVALID,
        "service registries can have at most 1 items.",
    ),
    "ghost namespace": (
        {"serviceConnectConfiguration": {"enabled": True, "namespace": "ghost"}},
        "NamespaceNotFoundException",
        "The specified namespace wasn't found.",
    ),
    "no namespace": (
        {"serviceConnectConfiguration": {"enabled": True}},
        INVALID,
        "Namespace is missing",
    ),
    "classic load balancer": (
        {"loadBalancers": [{"loadBalancerName": "old"}]},
        INVALID,
        "Classic Load Balancers are not supported with Fargate.",
    ),
}


REFUSED: dict[str, tuple[Json, str, str]] = PLACES | SERVICES


@pytest.mark.parametrize("name", REFUSED)
def test_create_service__what_aws_refuses__refused_and_nothing_is_made(
    site: Site, name: str
) -> None:
    changes, code, text = REFUSED[name]

    found = refusal(site.ecs.create_service, **site.request(changes))

    assert (found[0], text in found[1]) == (code, True), found
    assert site.ecs.list_services(cluster="dev")["serviceArns"] == []


@pytest.mark.parametrize("name", PLACES)
def test_run_task__what_aws_refuses__refused_and_nothing_runs(site: Site, name: str) -> None:
    changes, code, text = PLACES[name]
    request = site.request(changes)

    found = refusal(
        site.ecs.run_task,
        **{k: v for k, v in request.items() if k not in {"serviceName", "desiredCount"}},
    )

    assert (found[0], text in found[1]) == (code, True), found
    assert site.ecs.list_tasks(cluster="dev")["taskArns"] == []


# What UpdateService does not have, or keeps when it is left out.
NOT_FOR_UPDATES = {
    "no launch type",
    "EC2",
    "EXTERNAL",
    "launch type and strategy",
    "no network",
    "unknown cluster",
    "role of old",
}
FOR_UPDATES = {name: row for name, row in REFUSED.items() if name not in NOT_FOR_UPDATES}


@pytest.mark.parametrize("name", FOR_UPDATES)
def test_update_service__what_aws_refuses__refused_and_nothing_changes(
    site: Site, name: str
) -> None:
    changes, code, text = FOR_UPDATES[name]
    site.ecs.create_service(**site.request({}))
    before = described(site)
    site.request(changes)
    given = {k: v for k, v in changes.items() if v is not None}

    found = refusal(site.ecs.update_service, cluster="dev", service="app", **given)

    assert (found[0], text in found[1]) == (code, True), found
    assert described(site) == before


def described(site: Site) -> Json:
    (service,) = site.ecs.describe_services(cluster="dev", services=["app"])["services"]
    return {name: value for name, value in service.items() if name not in {"events", "deployments"}}


@pytest.mark.parametrize("kind", ["instance"])
def test_create_service__target_group_of_instances__incompatible(site: Site, kind: str) -> None:
    arn = site.make_group(kind)
    balancers = [{"targetGroupArn": arn, "containerName": "app", "containerPort": 8000}]

    code, message = refusal(site.ecs.create_service, **site.request({"loadBalancers": balancers}))

    assert code == INVALID
    assert message == (
        f"The provided target group {arn} has target type {kind}, which is incompatible with the "
        "awsvpc network mode specified in the task definition."
    )


def test_create_service__target_group_of_another_account__does_not_exist(site: Site) -> None:
    arn = site.make_group("ip").replace(site.account, "999999999999")
    balancers = [{"targetGroupArn": arn, "containerName": "app", "containerPort": 8000}]

    code, message = refusal(site.ecs.create_service, **site.request({"loadBalancers": balancers}))

    assert (code, "does not exist" in message) == (INVALID, True)


def test_create_service__networks_of_two_vpcs__refused(site: Site) -> None:
    vpc = site.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    far = site.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]

    two = refusal(site.ecs.create_service, **site.request(network([SUBNETS[0], far])))
    group = refusal(site.ecs.create_service, **site.request(network([far], ["sg-00000001"])))

    assert two == (INVALID, "subnets must belong to the same VPC.")
    assert group == (
        INVALID,
        "Security group sg-00000001 does not appear to belong to the same VPC as the input "
        "subnets.",
    )


@pytest.mark.parametrize("changes", [percents(0, 100), percents(100, 101), percents(50, 100)])
def test_create_service__room_to_move__taken(site: Site, changes: Json) -> None:
    assert site.ecs.create_service(**site.request(changes))["service"]["status"] == "ACTIVE"


# ---- capacity providers


def test_cluster__unknown_or_unassociated_provider__refused(site: Site) -> None:
    ecs = site.ecs
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]

    unknown = refusal(ecs.create_cluster, clusterName="x", capacityProviders=["mine"])
    unassociated = refusal(
        ecs.create_cluster,
        clusterName="x",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=spot,
    )
    put = refusal(
        ecs.put_cluster_capacity_providers,
        cluster="dev",
        capacityProviders=[],
        defaultCapacityProviderStrategy=spot,
    )

    assert "'mine' was not found" in unknown[1]
    assert "not associated with the cluster" in unassociated[1]
    assert put == unassociated
    assert ecs.describe_clusters(clusters=["x"])["failures"][0]["reason"] == "MISSING"


def test_describe_capacity_providers__default__are_fargates(site: Site) -> None:
    found = site.ecs.describe_capacity_providers()["capacityProviders"]
    ghost = site.ecs.describe_capacity_providers(capacityProviders=["mine"])

    assert [provider["name"] for provider in found] == ["FARGATE", "FARGATE_SPOT"]
    assert {provider["status"] for provider in found} == {"ACTIVE"}
    assert ghost["failures"] == [{"arn": "mine", "reason": "MISSING"}]


@pytest.fixture
def spot(site: Site) -> Iterator[Site]:
    """The cluster's default: one on FARGATE, then three of four on FARGATE_SPOT."""
    site.ecs.put_cluster_capacity_providers(
        cluster="dev",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 3},
        ],
    )
    yield site
    for arn in site.ecs.list_tasks(cluster="dev")["taskArns"]:
        site.ecs.stop_task(cluster="dev", task=arn)


def test_run_task__clusters_default_strategy__is_spread_and_shown(spot: Site) -> None:
    tasks = spot.ecs.run_task(
        cluster="dev", taskDefinition="app", count=5, networkConfiguration=NETWORK
    )["tasks"]

    names = [task["capacityProviderName"] for task in tasks]
    assert (names.count("FARGATE"), names.count("FARGATE_SPOT")) == (2, 3)
    assert {task["launchType"] for task in tasks} == {"FARGATE"}


def test_put_cluster_capacity_providers__one_that_a_service_uses__must_stay(spot: Site) -> None:
    spot.ecs.create_service(**spot.request({"launchType": None}))

    code, _ = refusal(
        spot.ecs.put_cluster_capacity_providers,
        cluster="dev",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[],
    )

    assert code == "ResourceInUseException"
