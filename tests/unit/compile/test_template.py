from __future__ import annotations

import json

import pytest

from fsd.compile.desired import Json, Target
from fsd.compile.template import compile_template
from fsd.errors import ManifestError
from fsd.manifest.models import Manifest
from tests.builders import make_image, make_manifest, make_target
from tests.unit.compile.manifests import MANIFESTS, api, every_feature, worker
from tests.unit.compile.shapes import lint_template


def compiled(manifest: Manifest, target: Target | None = None) -> Json:
    image = make_image(manifest.metadata.name)
    return compile_template(manifest, target=target or make_target(), image=image)


def resource(template: Json, name: str) -> Json:
    resources = template["Resources"]
    assert isinstance(resources, dict)
    found = resources[name]
    assert isinstance(found, dict)
    properties = found["Properties"]
    assert isinstance(properties, dict)
    return properties


def names(template: Json) -> set[str]:
    resources = template["Resources"]
    assert isinstance(resources, dict)
    return set(resources)


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:123456789012:*"},
            },
        }
    ],
}


def test_compile_template__internal_api__is_the_whole_stack() -> None:
    assert compiled(api()) == {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "offer-api-dev, made by fsd",
        "Resources": {
            "TaskRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "offer-api-dev-task",
                    "Path": "/fsd/",
                    "AssumeRolePolicyDocument": TRUST,
                    "Policies": [
                        {
                            "PolicyName": "dependencies",
                            "PolicyDocument": {
                                "Version": "2012-10-17",
                                "Statement": [
                                    {
                                        "Effect": "Allow",
                                        "Action": ["dynamodb:GetItem"],
                                        "Resource": [
                                            "arn:aws:dynamodb:us-east-1:123456789012"
                                            ":table/dev-offers"
                                        ],
                                    }
                                ],
                            },
                        }
                    ],
                },
            },
            "ExecutionRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "offer-api-dev-execution",
                    "Path": "/fsd/",
                    "AssumeRolePolicyDocument": TRUST,
                    "Policies": [
                        {
                            "PolicyName": "execution",
                            "PolicyDocument": {
                                "Version": "2012-10-17",
                                "Statement": [
                                    {
                                        "Effect": "Allow",
                                        "Action": ["ecr:GetAuthorizationToken"],
                                        "Resource": ["*"],
                                    },
                                    {
                                        "Effect": "Allow",
                                        "Action": [
                                            "ecr:BatchCheckLayerAvailability",
                                            "ecr:BatchGetImage",
                                            "ecr:GetDownloadUrlForLayer",
                                        ],
                                        "Resource": [
                                            "arn:aws:ecr:us-east-1:123456789012"
                                            ":repository/offer-api"
                                        ],
                                    },
                                    {
                                        "Effect": "Allow",
                                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                                        "Resource": [
                                            "arn:aws:logs:us-east-1:123456789012"
                                            ":log-group:/ecs/offer-api-dev:log-stream:*"
                                        ],
                                    },
                                ],
                            },
                        }
                    ],
                },
            },
            "LogGroup": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": "/ecs/offer-api-dev", "RetentionInDays": 30},
            },
            "TaskSecurityGroup": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {
                    "GroupDescription": "Tasks of offer-api-dev",
                    "VpcId": "vpc-0a1b2c3d",
                    "SecurityGroupIngress": [
                        {
                            "IpProtocol": "tcp",
                            "FromPort": 8000,
                            "ToPort": 8000,
                            "SourceSecurityGroupId": {
                                "Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]
                            },
                            "Description": "from the load balancer",
                        }
                    ],
                    "SecurityGroupEgress": [
                        {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "anywhere"}
                    ],
                },
            },
            "LoadBalancerSecurityGroup": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {
                    "GroupDescription": "Load balancer of offer-api-dev",
                    "VpcId": "vpc-0a1b2c3d",
                    "SecurityGroupIngress": [
                        {
                            "IpProtocol": "tcp",
                            "FromPort": 80,
                            "ToPort": 80,
                            "CidrIp": "10.0.0.0/16",
                            "Description": "clients",
                        }
                    ],
                    "SecurityGroupEgress": [
                        {
                            "IpProtocol": "tcp",
                            "FromPort": 8000,
                            "ToPort": 8000,
                            "CidrIp": "10.0.0.0/16",
                            "Description": "tasks",
                        }
                    ],
                },
            },
            "LoadBalancer": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {
                    "Name": "offer-api-dev",
                    "Type": "application",
                    "Scheme": "internal",
                    "IpAddressType": "ipv4",
                    "Subnets": ["subnet-0a0a0a0a", "subnet-0b0b0b0b"],
                    "SecurityGroups": [{"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}],
                    "LoadBalancerAttributes": [
                        {"Key": "access_logs.s3.enabled", "Value": "false"},
                        {"Key": "deletion_protection.enabled", "Value": "false"},
                        {
                            "Key": "routing.http.drop_invalid_header_fields.enabled",
                            "Value": "true",
                        },
                    ],
                },
            },
            "TargetGroup": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {
                    "TargetType": "ip",
                    "Protocol": "HTTP",
                    "Port": 80,
                    "VpcId": "vpc-0a1b2c3d",
                    "HealthCheckEnabled": True,
                    "HealthCheckProtocol": "HTTP",
                    "HealthCheckPort": "traffic-port",
                    "HealthCheckPath": "/health",
                    "HealthCheckIntervalSeconds": 30,
                    "HealthCheckTimeoutSeconds": 5,
                    "HealthyThresholdCount": 2,
                    "UnhealthyThresholdCount": 3,
                    "Matcher": {"HttpCode": "200-299"},
                    "TargetGroupAttributes": [
                        {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
                    ],
                },
            },
            "HttpListener": {
                "Type": "AWS::ElasticLoadBalancingV2::Listener",
                "Properties": {
                    "LoadBalancerArn": {"Ref": "LoadBalancer"},
                    "Protocol": "HTTP",
                    "Port": 80,
                    "DefaultActions": [
                        {"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}
                    ],
                },
            },
        },
        "Outputs": {
            "TaskSecurityGroupId": {"Value": {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}},
            "TargetGroupArn": {"Value": {"Ref": "TargetGroup"}},
            "LoadBalancerArn": {"Value": {"Ref": "LoadBalancer"}},
            "ServiceUrl": {
                "Value": {
                    "Fn::Join": ["", ["http://", {"Fn::GetAtt": ["LoadBalancer", "DNSName"]}]]
                }
            },
        },
    }


def test_compile_template__worker_without_logs__has_roles_and_a_closed_security_group() -> None:
    template = compiled(worker())

    assert names(template) == {"TaskRole", "ExecutionRole", "TaskSecurityGroup"}
    assert template["Outputs"] == {
        "TaskSecurityGroupId": {"Value": {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}}
    }
    assert "SecurityGroupIngress" not in resource(template, "TaskSecurityGroup")
    assert "Policies" not in resource(template, "TaskRole")
    assert "logs:" not in json.dumps(template)


def test_compile_template__load_balancer_without_port__has_none() -> None:
    manifest = make_manifest(port=None, networking={"load_balancer": {}})

    assert "LoadBalancer" not in names(compiled(manifest))


def test_compile_template__public_with_certificate__is_https_and_redirects() -> None:
    template = compiled(every_feature())

    balancer = resource(template, "PublicLoadBalancer")
    assert (balancer["Scheme"], balancer["Name"]) == (
        "internet-facing",
        "category-service-dev-public",
    )
    ingress = resource(template, "LoadBalancerSecurityGroup")["SecurityGroupIngress"]
    assert isinstance(ingress, list)
    assert [(r["FromPort"], r["CidrIp"]) for r in ingress if isinstance(r, dict)] == [
        (80, "0.0.0.0/0"),
        (443, "0.0.0.0/0"),
    ]
    assert resource(template, "PublicHttpListener")["DefaultActions"] == [
        {
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
    ]
    https = resource(template, "PublicHttpsListener")
    assert https["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    assert https["DefaultActions"] == [
        {"Type": "forward", "TargetGroupArn": {"Ref": "PublicTargetGroup"}}
    ]


def test_compile_template__new_scheme__may_stand_beside_the_old_one() -> None:
    """A load balancer's name is taken and its target group bound until the old one is deleted."""
    public = compiled(make_manifest(networking={"load_balancer": {"internal": False}}))
    internal = compiled(api())

    ids = {"LoadBalancer", "TargetGroup", "HttpListener"}
    assert names(public) ^ names(internal) == ids | {f"Public{id_}" for id_ in ids}
    balancers = resource(public, "PublicLoadBalancer"), resource(internal, "LoadBalancer")
    assert balancers[0]["Name"] != balancers[1]["Name"]
    assert "Name" not in resource(internal, "TargetGroup")


def test_compile_template__new_port__the_same_target_group() -> None:
    """Its port can't change: a new group would be empty until the rollout."""
    balanced: dict[str, object] = {"load_balancer": {}}
    one = compiled(make_manifest(port=8000, networking=balanced))
    other = compiled(make_manifest(port=9000, networking=balanced))

    assert one != other
    assert resource(one, "TargetGroup") == resource(other, "TargetGroup")


def test_compile_template__metrics__opens_their_port_to_the_vpc() -> None:
    template = compiled(make_manifest(observability={"metrics": {"port": 9100}}))

    assert resource(template, "TaskSecurityGroup")["SecurityGroupIngress"] == [
        {
            "IpProtocol": "tcp",
            "FromPort": 9100,
            "ToPort": 9100,
            "CidrIp": "10.0.0.0/16",
            "Description": "metrics",
        }
    ]


def test_compile_template__metrics_off__opens_nothing() -> None:
    template = compiled(make_manifest(observability={"metrics": {"enabled": False}}))

    assert "SecurityGroupIngress" not in resource(template, "TaskSecurityGroup")


def test_compile_template__protected_environment__protects_the_load_balancer() -> None:
    template = compiled(api(), make_target(protected=True))

    attributes = resource(template, "LoadBalancer")["LoadBalancerAttributes"]
    assert isinstance(attributes, list)
    assert {"Key": "deletion_protection.enabled", "Value": "true"} in attributes


def test_compile_template__collector__may_send_traces() -> None:
    policies = resource(compiled(make_manifest(observability={"traces": {}})), "TaskRole")

    assert "xray:PutTraceSegments" in json.dumps(policies)


def test_compile_template__traces_with_endpoint__need_no_permission() -> None:
    traces = {"otlp_endpoint": "http://collector:4317"}
    role = resource(compiled(make_manifest(observability={"traces": traces})), "TaskRole")

    assert "Policies" not in role


def test_compile_template__one_subnet__says_what_is_missing() -> None:
    target = make_target(load_balancer_subnets=("subnet-0a0a0a0a",))

    with pytest.raises(ManifestError) as error:
        compiled(api(), target)

    assert error.value.code == "load-balancer-subnets"
    assert error.value.what == "a load balancer needs subnets in two zones, and dev has 1"


def test_compile_template__new_release__changes_nothing() -> None:
    """A stack whose template did not change costs one call."""
    first = make_image(digest="sha256:" + "1" * 64)
    second = make_image(digest="sha256:" + "2" * 64, tag="other")

    assert compile_template(api(), target=make_target(), image=first) == compile_template(
        api(), target=make_target(), image=second
    )


@pytest.mark.template_scan
@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize("name", MANIFESTS)
def test_compile_template__any_manifest__passes_cfn_lint(name: str, protected: bool) -> None:
    template = compiled(MANIFESTS[name], make_target(protected=protected))

    assert lint_template(template) == []


@pytest.mark.template_scan
def test_lint_template__retention_that_cloudwatch_does_not_know__is_found() -> None:
    """The judge of the test above can say no."""
    template = compiled(make_manifest(observability={"logs": {"retention": 13}}))

    assert "13 is not one of" in lint_template(template)[0]


def test_compile_template__any_manifest__uses_types_that_the_embedded_aws_has() -> None:
    found = {
        item["Type"]
        for manifest in MANIFESTS.values()
        for item in json.loads(json.dumps(compiled(manifest)))["Resources"].values()
    }

    assert found == {
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
        "AWS::EC2::SecurityGroup",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::ElasticLoadBalancingV2::Listener",
    }


def test_compile_template__check_on_a_port_of_its_own__the_load_balancer_reaches_it() -> None:
    health_check = {"port": 8081, "protocol": "https", "matcher": "200,204"}
    template = compiled(make_manifest(health_check=health_check, networking={"load_balancer": {}}))

    group = resource(template, "TargetGroup")
    assert (group["HealthCheckPort"], group["HealthCheckProtocol"]) == ("8081", "HTTPS")
    assert group["Matcher"] == {"HttpCode": "200,204"}
    rules = [
        resource(template, "TaskSecurityGroup")["SecurityGroupIngress"],
        resource(template, "LoadBalancerSecurityGroup")["SecurityGroupEgress"],
    ]
    for found in rules:
        assert isinstance(found, list)
        assert [rule["FromPort"] for rule in found if isinstance(rule, dict)] == [8000, 8081]


@pytest.mark.parametrize("port", [None, 8000])
def test_compile_template__check_on_the_services_port__as_without_it(port: int | None) -> None:
    """Each target's own port: old tasks keep theirs when the service's port changes."""
    checked = make_manifest(health_check={"port": port}, networking={"load_balancer": {}})

    template = compiled(checked)

    assert template == compiled(make_manifest(networking={"load_balancer": {}}))
    assert resource(template, "TargetGroup")["HealthCheckPort"] == "traffic-port"
