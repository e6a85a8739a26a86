"""Parts of CloudFormation resources that every load balancer of FSD has."""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue, Target
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest import names
from fsd.manifest.models import LoadBalancer

# CloudFormation's own default still takes TLS 1.0; this is the console's.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
ANYWHERE = "0.0.0.0/0"
LOAD_BALANCER_SECURITY_GROUP = "LoadBalancerSecurityGroup"
CERTIFICATE = "Certificate"


def shared_stack(balancer: LoadBalancer, environment: str) -> str:
    return names.shared_stack(str(balancer.shared), environment, is_internal=balancer.internal)


def shared_value(balancer: LoadBalancer, target: Target, output: str) -> Json:
    """What the shared load balancer's stack exports."""
    return {"Fn::ImportValue": f"{shared_stack(balancer, target.environment)}-{output}"}


def require_zones(target: Target) -> None:
    """Raises ManifestError where a load balancer has too few subnets."""
    if len(target.load_balancer_subnets) < 2:
        raise ManifestError(
            f"a load balancer needs subnets in two zones, and {target.environment} has "
            f"{len(target.load_balancer_subnets)}",
            where=f"{target.vpc_id} · {target.region}",
            fix="name two in .fsd/environments.yml: vpc.privateSubnets, or vpc.publicSubnets for "
            "`internal: false`",
            code=ErrorCode.LOAD_BALANCER_SUBNETS,
        )


def security_group(
    description: str, *, ingress: list[JsonValue], egress: list[JsonValue], target: Target
) -> Json:
    properties: Json = {
        "GroupDescription": description[:255],
        "VpcId": target.vpc_id,
        "SecurityGroupEgress": egress,
    }
    if ingress:
        properties["SecurityGroupIngress"] = ingress
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def rule(protocol: str, cidr: str, description: str, *, port: int | None = None) -> Json:
    found: Json = {"IpProtocol": protocol, "CidrIp": cidr, "Description": description}
    if port is not None:
        found |= {"FromPort": port, "ToPort": port}
    return found


def application_balancer(
    name: str, settings: dict[str, str], *, is_internal: bool, target: Target
) -> Json:
    """`settings` are the attributes that differ from one load balancer of FSD's to another."""
    subnets: list[JsonValue] = [*sorted(target.load_balancer_subnets)]
    return {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {
            "Name": name,
            "Type": "application",
            "Scheme": "internal" if is_internal else "internet-facing",
            "IpAddressType": "ipv4",
            "Subnets": subnets,
            "SecurityGroups": [{"Fn::GetAtt": [LOAD_BALANCER_SECURITY_GROUP, "GroupId"]}],
            "LoadBalancerAttributes": attributes(
                {
                    **settings,
                    "deletion_protection.enabled": "true" if target.protected else "false",
                    "routing.http.drop_invalid_header_fields.enabled": "true",
                }
            ),
        },
    }


def idle_timeout(seconds: int | None) -> dict[str, str]:
    return {"idle_timeout.timeout_seconds": str(seconds)} if seconds is not None else {}


def to_https() -> Json:
    return {
        "Type": "redirect",
        "RedirectConfig": {
            "Protocol": "HTTPS",
            "Port": "443",
            "Host": "#{host}",
            "Path": "/#{path}",
            "Query": "#{query}",
            "StatusCode": "HTTP_301",
        },
    }


def log_attributes(bucket: str, prefix: str) -> dict[str, str]:
    """Said also where there are none: CloudFormation leaves an attribute that is not named."""
    if not bucket:
        return {"access_logs.s3.enabled": "false"}
    return {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": bucket,
        **({"access_logs.s3.prefix": prefix} if prefix else {}),
    }


def attributes(values: dict[str, str]) -> list[JsonValue]:
    return [{"Key": key, "Value": value} for key, value in sorted(values.items())]
