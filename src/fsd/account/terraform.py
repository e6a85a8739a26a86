"""The account's stack as HCL, for those who keep their accounts with Terraform or OpenTofu.

Made from the CloudFormation template, so that both say the same: a property or a type that is not
known here is an error and not left out.
https://registry.terraform.io/providers/hashicorp/aws/latest/docs
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fsd.compile.desired import Json, JsonValue

_HEAD = """\
data "aws_availability_zones" "available" {}
data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
"""
_PSEUDO = {
    "${AWS::AccountId}": "${data.aws_caller_identity.current.account_id}",
    "${AWS::Partition}": "${data.aws_partition.current.partition}",
    "${AWS::Region}": "${data.aws_region.current.region}",
}


@dataclass(frozen=True, slots=True)
class _TerraformKind:
    """`attributes` are CloudFormation's names → Terraform's; `ref` is what Ref means."""

    type: str
    attributes: Mapping[str, str]
    ref: str = "id"
    documents: frozenset[str] = field(default_factory=frozenset)  # policies, as JSON


def _kind(type_: str, names: str, *, ref: str = "id", documents: str = "") -> _TerraformKind:
    pairs = (one.split("=") for one in names.split())
    return _TerraformKind(type_, dict(pairs), ref=ref, documents=frozenset(documents.split()))


_KINDS = {
    "AWS::EC2::EIP": _kind("aws_eip", "Domain=domain"),
    "AWS::EC2::InternetGateway": _kind("aws_internet_gateway", ""),
    "AWS::EC2::NatGateway": _kind(
        "aws_nat_gateway", "AllocationId=allocation_id SubnetId=subnet_id"
    ),
    "AWS::EC2::Route": _kind(
        "aws_route",
        "DestinationCidrBlock=destination_cidr_block GatewayId=gateway_id "
        "NatGatewayId=nat_gateway_id RouteTableId=route_table_id",
    ),
    "AWS::EC2::RouteTable": _kind("aws_route_table", "VpcId=vpc_id"),
    "AWS::EC2::SecurityGroup": _kind(
        "aws_security_group", "GroupDescription=description VpcId=vpc_id"
    ),
    "AWS::EC2::Subnet": _kind(
        "aws_subnet",
        "AvailabilityZone=availability_zone CidrBlock=cidr_block "
        "MapPublicIpOnLaunch=map_public_ip_on_launch VpcId=vpc_id",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": _kind(
        "aws_route_table_association", "RouteTableId=route_table_id SubnetId=subnet_id"
    ),
    "AWS::EC2::VPC": _kind(
        "aws_vpc",
        "CidrBlock=cidr_block EnableDnsHostnames=enable_dns_hostnames "
        "EnableDnsSupport=enable_dns_support",
    ),
    "AWS::EC2::VPCEndpoint": _kind(
        "aws_vpc_endpoint",
        "PrivateDnsEnabled=private_dns_enabled RouteTableIds=route_table_ids "
        "SecurityGroupIds=security_group_ids ServiceName=service_name SubnetIds=subnet_ids "
        "VpcEndpointType=vpc_endpoint_type VpcId=vpc_id",
    ),
    "AWS::EC2::VPCGatewayAttachment": _kind(
        "aws_internet_gateway_attachment", "InternetGatewayId=internet_gateway_id VpcId=vpc_id"
    ),
    "AWS::ECR::Repository": _kind(
        "aws_ecr_repository",
        "ImageTagMutability=image_tag_mutability RepositoryName=name",
        ref="name",
    ),
    "AWS::ECS::Cluster": _kind("aws_ecs_cluster", "ClusterName=name"),
    "AWS::IAM::ManagedPolicy": _kind(
        "aws_iam_policy",
        "Description=description ManagedPolicyName=name PolicyDocument=policy",
        ref="arn",
        documents="PolicyDocument",
    ),
    "AWS::IAM::OIDCProvider": _kind(
        "aws_iam_openid_connect_provider", "ClientIdList=client_id_list Url=url", ref="arn"
    ),
    "AWS::IAM::Role": _kind(
        "aws_iam_role",
        "AssumeRolePolicyDocument=assume_role_policy Description=description "
        "MaxSessionDuration=max_session_duration RoleName=name",
        ref="name",
        documents="AssumeRolePolicyDocument",
    ),
    "AWS::ServiceDiscovery::HttpNamespace": _kind(
        "aws_service_discovery_http_namespace", "Name=name"
    ),
}


def write_terraform(template: Json) -> str:
    """HCL of a template of `fsd.account.stack`. Raises KeyError for what is not known here."""
    resources = template["Resources"]
    assert isinstance(resources, dict)
    writer = _Writer(types={id_: _type(one) for id_, one in resources.items()})
    blocks = [block for id_, one in resources.items() for block in writer.blocks(id_, one)]
    return "\n".join([_HEAD, *blocks])


def _type(resource: JsonValue) -> str:
    return str(resource["Type"]) if isinstance(resource, dict) else ""


@dataclass(frozen=True, slots=True)
class _Writer:
    types: Mapping[str, str]  # logical name → AWS::…

    def blocks(self, id_: str, resource: JsonValue) -> Iterator[str]:
        assert isinstance(resource, dict)
        given = resource.get("Properties")
        properties = dict(given) if isinstance(given, dict) else {}
        kind = _KINDS[_type(resource)]
        lines = list(self._nested(properties))
        after = list(self._beside(id_, properties))
        tags = properties.pop("Tags", None)
        for name, value in properties.items():
            lines.append(f"{kind.attributes[name]} = {self._value(name, value, kind)}")
        if isinstance(tags, list):
            pairs = {str(tag["Key"]): tag["Value"] for tag in tags if isinstance(tag, dict)}
            lines.append(f"tags = {self._expression(pairs)}")
        if "DependsOn" in resource:
            lines.append(f"depends_on = [{self._address(str(resource['DependsOn']))}]")
        if resource.get("DeletionPolicy") == "Retain":
            lines.append("lifecycle {\n  prevent_destroy = true\n}")
        yield _block(f'resource "{kind.type}" "{id_}"', sorted(lines))
        yield from after

    def _nested(self, properties: Json) -> Iterator[str]:
        """What Terraform has as blocks in the resource; taken out of the properties."""
        for one in _list(properties.pop("ImageTagMutabilityExclusionFilters", None)):
            yield _block(
                "image_tag_mutability_exclusion_filter",
                [
                    f"filter      = {_text(one['ImageTagMutabilityExclusionFilterValue'])}",
                    f"filter_type = {_text(one['ImageTagMutabilityExclusionFilterType'])}",
                ],
            ).rstrip()
        scanning = properties.pop("ImageScanningConfiguration", None)
        if isinstance(scanning, dict):
            on_push = json.dumps(scanning["ScanOnPush"])
            block = _block("image_scanning_configuration", [f"scan_on_push = {on_push}"])
            yield block.rstrip()
        defaults = properties.pop("ServiceConnectDefaults", None)
        if isinstance(defaults, dict):
            namespace = self._expression(defaults["Namespace"])
            block = _block("service_connect_defaults", [f"namespace = {namespace}"])
            yield block.rstrip()
        for rule in _list(properties.pop("SecurityGroupIngress", None)):
            yield _block(
                "ingress",
                [
                    f"cidr_blocks = [{_text(rule['CidrIp'])}]",
                    f"description = {_text(rule['Description'])}",
                    f"from_port   = {rule['FromPort']}",
                    f"protocol    = {_text(rule['IpProtocol'])}",
                    f"to_port     = {rule['ToPort']}",
                ],
            ).rstrip()

    def _beside(self, id_: str, properties: Json) -> Iterator[str]:
        """What Terraform has as resources of their own; taken out of the properties."""
        policies = properties.pop("ManagedPolicyArns", None)
        for number, policy in enumerate(policies if isinstance(policies, list) else (), start=1):
            yield _block(
                f'resource "aws_iam_role_policy_attachment" "{id_}{number}"',
                [
                    f"policy_arn = {self._expression(policy)}",
                    f"role       = {self._address(id_)}.name",
                ],
            )
        providers = properties.pop("CapacityProviders", None)
        if isinstance(providers, list):
            yield _block(
                f'resource "aws_ecs_cluster_capacity_providers" "{id_}"',
                [
                    f"capacity_providers = {self._expression(providers)}",
                    f"cluster_name       = {self._address(id_)}.name",
                ],
            )
        lifecycle = properties.pop("LifecyclePolicy", None)
        if isinstance(lifecycle, dict):
            rules = json.loads(str(lifecycle["LifecyclePolicyText"]))
            yield _block(
                f'resource "aws_ecr_lifecycle_policy" "{id_}"',
                [
                    f"policy     = jsonencode({self._expression(rules)})",
                    f"repository = {self._address(id_)}.name",
                ],
            )

    def _value(self, name: str, value: JsonValue, kind: _TerraformKind) -> str:
        expression = self._expression(value)
        return f"jsonencode({expression})" if name in kind.documents else expression

    def _expression(self, value: JsonValue) -> str:
        match value:
            case {"Ref": str(id_)}:
                return f"{self._address(id_)}.{_KINDS[self.types[id_]].ref}"
            case {"Fn::Sub": str(text)}:
                return _text(text)
            case {"Fn::GetAtt": ["NatAddress", "AllocationId"]}:
                return f"{self._address('NatAddress')}.id"
            case {"Fn::GetAtt": [str(id_), "Arn"]}:
                return f"{self._address(id_)}.arn"
            case {"Fn::Select": [int(number), {"Fn::GetAZs": ""}]}:
                return f"data.aws_availability_zones.available.names[{number}]"
            case dict():
                items = (f"{_text(key)} = {self._expression(one)}" for key, one in value.items())
                return _lines("{", items, "}", comma="")
            case list():
                return _lines("[", map(self._expression, value), "]", comma=",")
            case str():
                return _text(value)
            case _:
                return json.dumps(value)

    def _address(self, id_: str) -> str:
        return f"{_KINDS[self.types[id_]].type}.{id_}"


def _list(value: JsonValue) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: JsonValue) -> str:
    """A quoted string, with the account, the Region and the partition as Terraform knows them."""
    text = json.dumps(str(value), ensure_ascii=False)
    for pseudo, expression in _PSEUDO.items():
        text = text.replace(pseudo, expression)
    return text


def _block(head: str, lines: list[str]) -> str:
    return f"{head} {_lines('{', lines, '}', comma='')}\n"


def _lines(start: str, items: Iterable[str], end: str, *, comma: str) -> str:
    inner = "\n".join(f"{item}{comma}" for item in items)
    if not inner:
        return f"{start}{end}"
    return "\n".join([start, *(f"  {line}" for line in inner.split("\n")), end])
