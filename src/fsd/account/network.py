"""A network for an account that has none: a VPC in two zones, and the way out of it.

`nat` lets tasks call the internet; `endpoints` lets them reach AWS's services and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from fsd.compile.desired import Json, JsonValue

NAT, ENDPOINTS = "nat", "endpoints"
_CIDR = "10.0.0.0/16"
_PRIVATE = ("10.0.64.0/18", "10.0.128.0/18")  # 16,379 tasks each
_PUBLIC = ("10.0.0.0/22", "10.0.4.0/22")
# What a task on Fargate calls: its image, its log, its secrets, and `fsd exec`.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages")
_HOURS = 730  # of a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """List prices of us-east-1 in US dollars; other Regions differ.

    https://aws.amazon.com/vpc/pricing/
    https://aws.amazon.com/privatelink/pricing/
    """

    per_hour: float
    per_gigabyte: float

    @property
    def per_month(self) -> int:
        return round(self.per_hour * _HOURS)


# One gateway and its public address; each endpoint in each of two zones.
PRICES = {
    NAT: Price(per_hour=0.045 + 0.005, per_gigabyte=0.045),
    ENDPOINTS: Price(per_hour=0.01 * len(_SERVICES) * len(_PRIVATE), per_gigabyte=0.01),
}


def network_resources(kind: str, *, environment: str) -> Json:
    """CloudFormation resources by logical name; {} for no network."""
    if not kind:
        return {}
    resources: Json = {
        "Vpc": _resource(
            "AWS::EC2::VPC",
            {
                "CidrBlock": _CIDR,
                "EnableDnsHostnames": True,
                "EnableDnsSupport": True,
                "Tags": _tags(environment, "fsd:environment", environment),
            },
        ),
        "PrivateRoutes": _routes(environment, "private"),
        **_subnets(environment, "private", _PRIVATE),
        "S3Endpoint": _endpoint(
            "s3", VpcEndpointType="Gateway", RouteTableIds=[{"Ref": "PrivateRoutes"}]
        ),
    }
    return resources | (_nat(environment) if kind == NAT else _endpoints(environment))


def _nat(environment: str) -> Json:
    """One gateway: a zone that fails takes the way out of both with it, and costs half."""
    return {
        "InternetGateway": _resource(
            "AWS::EC2::InternetGateway", {"Tags": _tags(environment, "Name", environment)}
        ),
        "InternetAttachment": _resource(
            "AWS::EC2::VPCGatewayAttachment",
            {"InternetGatewayId": {"Ref": "InternetGateway"}, "VpcId": {"Ref": "Vpc"}},
        ),
        "PublicRoutes": _routes(environment, "public"),
        **_subnets(environment, "public", _PUBLIC),
        "PublicRoute": _default_route(
            "PublicRoutes", "GatewayId", "InternetGateway", after="InternetAttachment"
        ),
        "NatAddress": _resource(
            "AWS::EC2::EIP",
            {"Domain": "vpc", "Tags": _tags(environment, "Name", environment)},
            after="InternetAttachment",
        ),
        "NatGateway": _resource(
            "AWS::EC2::NatGateway",
            {
                "AllocationId": {"Fn::GetAtt": ["NatAddress", "AllocationId"]},
                "SubnetId": {"Ref": "PublicSubnet1"},
                "Tags": _tags(environment, "Name", environment),
            },
        ),
        "PrivateRoute": _default_route("PrivateRoutes", "NatGatewayId", "NatGateway"),
    }


def _endpoints(environment: str) -> Json:
    group = _resource(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "HTTPS from the VPC to its endpoints",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [
                {
                    "CidrIp": _CIDR,
                    "Description": "tasks",
                    "FromPort": 443,
                    "IpProtocol": "tcp",
                    "ToPort": 443,
                }
            ],
            "Tags": _tags(environment, "Name", f"{environment}-endpoints"),
        },
    )
    found: Json = {"EndpointGroup": group}
    for service in _SERVICES:
        found[f"{_logical(service)}Endpoint"] = _endpoint(
            service,
            VpcEndpointType="Interface",
            PrivateDnsEnabled=True,
            SecurityGroupIds=[{"Ref": "EndpointGroup"}],
            SubnetIds=[{"Ref": "PrivateSubnet1"}, {"Ref": "PrivateSubnet2"}],
        )
    return found


def _subnets(environment: str, kind: str, blocks: tuple[str, ...]) -> Json:
    """One a zone, each with the routes of its kind."""
    name = kind.capitalize()
    found: Json = {}
    for number, block in enumerate(blocks, start=1):
        id_ = f"{name}Subnet{number}"
        found[id_] = _resource(
            "AWS::EC2::Subnet",
            {
                "AvailabilityZone": {"Fn::Select": [number - 1, {"Fn::GetAZs": ""}]},
                "CidrBlock": block,
                "MapPublicIpOnLaunch": False,
                "Tags": _tags(f"{environment}-{kind}-{number}", "fsd:subnet", kind),
                "VpcId": {"Ref": "Vpc"},
            },
        )
        found[f"{id_}Routes"] = _resource(
            "AWS::EC2::SubnetRouteTableAssociation",
            {"RouteTableId": {"Ref": f"{name}Routes"}, "SubnetId": {"Ref": id_}},
        )
    return found


def _routes(environment: str, kind: str) -> Json:
    tags = _tags(f"{environment}-{kind}", "fsd:subnet", kind)
    return _resource("AWS::EC2::RouteTable", {"Tags": tags, "VpcId": {"Ref": "Vpc"}})


def _default_route(table: str, key: str, target: str, *, after: str = "") -> Json:
    properties: Json = {
        "DestinationCidrBlock": "0.0.0.0/0",
        "RouteTableId": {"Ref": table},
        key: {"Ref": target},
    }
    return _resource("AWS::EC2::Route", properties, after=after)


def _endpoint(service: str, **more: JsonValue) -> Json:
    name = f"com.amazonaws.${{AWS::Region}}.{service}"
    return _resource(
        "AWS::EC2::VPCEndpoint", {"ServiceName": name, "VpcId": {"Ref": "Vpc"}, **more}
    )


def _resource(type_: str, properties: Json, *, after: str = "") -> Json:
    found: Json = {"Type": type_, "Properties": properties}
    return found | ({"DependsOn": after} if after else {})


def _tags(name: str, key: str, value: str) -> list[JsonValue]:
    pairs = {"Name": name, key: value}
    return [{"Key": tag, "Value": pairs[tag]} for tag in pairs]


def _logical(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("."))
