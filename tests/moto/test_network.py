from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.network import VpcNetworks
from fsd.errors import CallFailedError
from tests.moto.conftest import TestClients


@pytest.fixture
def networks(clients: TestClients) -> VpcNetworks:
    return VpcNetworks(clients=clients)


class Ec2:
    """moto's EC2, with verbs."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def vpc(self, cidr: str = "10.0.0.0/16", **tags: str) -> str:
        vpc = self.client.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        self.tag(vpc, tags)
        return str(vpc)

    def subnet(self, vpc: str, cidr: str, zone: str, tags: dict[str, str] | None = None) -> str:
        subnet = self.client.create_subnet(
            VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{zone}"
        )["Subnet"]["SubnetId"]
        self.tag(subnet, tags or {})
        return str(subnet)

    def tag(self, resource: str, tags: dict[str, str]) -> None:
        if tags:
            pairs = [{"Key": k.replace("__", ":"), "Value": v} for k, v in tags.items()]
            self.client.create_tags(Resources=[resource], Tags=pairs)

    def route_to_the_internet(self, vpc: str, *subnets: str) -> None:
        gateway = self.client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = self.client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.client.create_route(
            RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
        )
        for subnet in subnets:
            self.client.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def main_route_to_the_internet(self, vpc: str) -> None:
        gateway = self.client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        tables = self.client.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"]
        self.client.create_route(
            RouteTableId=tables[0]["RouteTableId"],
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=gateway,
        )


@pytest.fixture
def ec2(clients: TestClients, in_moto: None) -> Ec2:
    del in_moto
    return Ec2(clients.client("ec2"))


def test_find__tag_of_the_environment__subnets_by_their_routes(
    networks: VpcNetworks, ec2: Ec2
) -> None:
    vpc = ec2.vpc(fsd__environment="dev")
    public = ec2.subnet(vpc, "10.0.1.0/24", "a")
    private = ec2.subnet(vpc, "10.0.2.0/24", "a")
    ec2.route_to_the_internet(vpc, public)

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert (found.vpc_id, found.vpc_cidr) == (vpc, "10.0.0.0/16")
    assert (found.private_subnets, found.public_subnets) == ((private,), (public,))
    assert (found.how, found.is_default) == ("tag fsd:environment=dev", False)


def test_find__main_table_goes_to_the_internet__public(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc(fsd__environment="dev")
    subnet = ec2.subnet(vpc, "10.0.1.0/24", "a")
    ec2.main_route_to_the_internet(vpc)

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert (found.private_subnets, found.public_subnets) == ((), (subnet,))


def test_find__maps_public_addresses__public(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc(fsd__environment="dev")
    subnet = ec2.subnet(vpc, "10.0.1.0/24", "a")
    ec2.client.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert found.public_subnets == (subnet,)


def test_find__tagged_subnets__tags_win_over_routes(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc(fsd__environment="dev")
    routed = ec2.subnet(vpc, "10.0.1.0/24", "a", {"fsd:subnet": "private"})
    unrouted = ec2.subnet(vpc, "10.0.2.0/24", "a", {"fsd:subnet": "public"})
    ec2.route_to_the_internet(vpc, routed)

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert (found.private_subnets, found.public_subnets) == ((routed,), (unrouted,))


def test_find__several_subnets_a_zone__the_widest_of_each(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc(fsd__environment="dev")
    ec2.subnet(vpc, "10.0.0.0/28", "a")
    in_b = ec2.subnet(vpc, "10.0.4.0/24", "b")
    in_a = ec2.subnet(vpc, "10.0.8.0/22", "a")

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert found.private_subnets == (in_a, in_b)


def test_find__no_tag_but_its_name__found_by_name(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc(Name="dev")

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert (found.vpc_id, found.how) == (vpc, "tag Name=dev")


@pytest.mark.usefixtures("ec2")
def test_find__nothing_but_the_default_vpc__its_subnets_are_both(networks: VpcNetworks) -> None:
    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert (found.how, found.is_default) == ("default VPC", True)
    assert found.private_subnets == found.public_subnets
    assert len(found.public_subnets) >= 2


def test_find__no_vpc_at_all__none(networks: VpcNetworks, stub: Callable[[str], Stubber]) -> None:
    aws = stub("ec2")
    aws.add_response("describe_vpcs", {"Vpcs": []}, {})  # one call, whatever is looked for

    assert networks.find("dev", vpc_id=None) is None


def test_find__two_vpcs_with_the_tag__ambiguous(networks: VpcNetworks, ec2: Ec2) -> None:
    ids = sorted([ec2.vpc(fsd__environment="dev"), ec2.vpc(fsd__environment="dev")])

    with pytest.raises(CallFailedError) as caught:
        networks.find("dev", vpc_id=None)

    assert caught.value.code == "vpc-ambiguous"
    assert ", ".join(ids) in caught.value.what


def test_find__by_id__that_one(networks: VpcNetworks, ec2: Ec2) -> None:
    vpc = ec2.vpc()
    ec2.vpc(fsd__environment="dev")

    found = networks.find("dev", vpc_id=vpc)

    assert found is not None
    assert (found.vpc_id, found.how) == (vpc, f"vpc.id {vpc}")


@pytest.mark.usefixtures("ec2")
def test_find__by_an_id_that_is_not_there__says_where_it_is_set(networks: VpcNetworks) -> None:
    with pytest.raises(CallFailedError) as caught:
        networks.find("dev", vpc_id="vpc-0123456789abcdef0")

    assert caught.value.code == "vpc-not-found"
    assert ".fsd/environments.yml" in caught.value.fix


@pytest.mark.parametrize("is_default", [True, False])
def test_find__subnets_are_named__one_call(
    networks: VpcNetworks, stub: Callable[[str], Stubber], is_default: bool
) -> None:
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": is_default}
    stub("ec2").add_response("describe_vpcs", {"Vpcs": [vpc]}, {"VpcIds": ["vpc-1"]})

    found = networks.find("dev", vpc_id="vpc-1", with_subnets=False)

    assert found is not None
    assert (found.vpc_cidr, found.private_subnets, found.public_subnets) == ("10.0.0.0/16", (), ())


def test_find__default_vpc__its_route_tables_are_not_asked_for(
    networks: VpcNetworks, stub: Callable[[str], Stubber]
) -> None:
    ec2 = stub("ec2")
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": True}
    subnet = {"SubnetId": "subnet-1", "AvailabilityZone": "a", "CidrBlock": "10.0.1.0/24"}
    ec2.add_response("describe_vpcs", {"Vpcs": [vpc]})
    ec2.add_response("describe_subnets", {"Subnets": [subnet]})

    found = networks.find("dev", vpc_id=None)

    assert found is not None
    assert found.public_subnets == ("subnet-1",)
