from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from fsd.account.facts import BalancingQuota, KeyFact, QuotaFact, SecretFact, TrustFact
from fsd.account.questions import Simulation
from fsd.aws.preflight import AwsPreflight
from fsd.errors import CallFailedError
from tests.moto.conftest import TestClients


@pytest.fixture
def preflight(clients: TestClients) -> AwsPreflight:
    return AwsPreflight(clients=clients)


@pytest.mark.usefixtures("in_moto")
def test_subnets__each_way_out__by_its_own_table_or_the_main_one(
    preflight: AwsPreflight, clients: TestClients
) -> None:
    ec2 = clients.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ids = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"]
        for n in range(3)
    ]
    nat = ec2.create_nat_gateway(SubnetId=ids[0], ConnectivityType="private")["NatGateway"]
    ways: tuple[dict[str, Any], ...] = (
        {"GatewayId": gateway},
        {"NatGatewayId": nat["NatGatewayId"]},
    )
    for subnet, way in zip(ids, ways, strict=False):
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    found = {one.id: one for one in preflight.subnets(ids)}

    assert [found[id_].way_out for id_ in ids] == ["internet", "nat", "none"]
    assert found[ids[2]].free_addresses == 251


@pytest.mark.usefixtures("in_moto")
def test_endpoints__of_this_vpc_only(preflight: AwsPreflight, clients: TestClients) -> None:
    ec2 = clients.client("ec2")
    ours, other = (ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(2))
    for vpc, name in ((ours, "ecr.api"), (ours, "s3"), (other, "logs")):
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.us-east-1.{name}")

    assert preflight.endpoints(ours) == {"ecr.api", "s3"}


@pytest.mark.usefixtures("in_moto")
def test_secret__value__is_read_only_when_asked(
    preflight: AwsPreflight, clients: TestClients
) -> None:
    manager = clients.client("secretsmanager")
    arn = manager.create_secret(Name="db", SecretString=json.dumps({"user": "x"}))["ARN"]

    unread = preflight.secret("DB", f"{arn}:password::", read_value=False)
    read = preflight.secret("DB", f"{arn}:password::", read_value=True)
    absent = preflight.secret("DB", f"{arn[:-6]}zzzzzz", read_value=True)

    assert unread == SecretFact(variable="DB", where=arn, exists=True, json_key="password")
    assert read.keys is not None
    assert sorted(read.keys) == ["user"]
    assert not absent.exists


@pytest.mark.usefixtures("in_moto")
def test_secret__parameter__by_name_and_by_arn(
    preflight: AwsPreflight, clients: TestClients
) -> None:
    clients.client("ssm").put_parameter(Name="/a/b", Value="x", Type="SecureString")
    arn = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b"

    assert [preflight.secret("DB", name, read_value=False).exists for name in ("/a/b", arn)] == [
        True,
        True,
    ]
    assert not preflight.secret("DB", "/a/c", read_value=False).exists


@pytest.mark.usefixtures("in_moto")
@pytest.mark.parametrize(
    "type_",
    [
        "aws_dynamodb_table",
        "aws_s3_bucket",
        "aws_sqs_queue",
        "aws_kinesis_stream",
        "aws_cloudwatch_event_bus",
        "aws_kms_key",
        "aws_sns_topic",
        "aws_secretsmanager_secret",
    ],
)
def test_has_dependency__absent__is_no_error(preflight: AwsPreflight, type_: str) -> None:
    assert preflight.has_dependency(type_, "absent-1") is False
    assert preflight.has_dependency("aws_bedrock_model", "x") is None


def test_quota__latest_use_of_the_account(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    stub("service-quotas").add_response(
        "get_service_quota",
        {"Quota": {"Value": 6.0}},
        {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"},
    )
    points = [
        {"Timestamp": datetime(2026, 1, 1, 12, minute, tzinfo=UTC), "Maximum": used}
        for minute, used in ((5, 3.0), (0, 9.0))
    ]
    keys = ("Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics")
    stub("cloudwatch").add_response(
        "get_metric_statistics", {"Datapoints": points}, dict.fromkeys(keys, ANY)
    )

    assert preflight.quota() == QuotaFact(limit=6, used=3)


def test_denied__simulated_with_the_keys_of_the_request(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    role = "arn:aws:iam::123456789012:role/deploy"
    results = [
        {
            "EvalActionName": name,
            "EvalResourceName": "*",
            "EvalDecision": decision,
            # https://github.com/aws-containers/amazon-ecs-exec-checker/issues/70
            "OrganizationsDecisionDetail": {"AllowedByOrganizations": decision == "allowed"},
        }
        for name, decision in (("ecs:RunTask", "implicitDeny"), ("ecs:ListTasks", "allowed"))
    ]
    stub("iam").add_response(
        "simulate_principal_policy",
        {"EvaluationResults": results, "IsTruncated": False},
        {
            "PolicySourceArn": role,
            "ActionNames": ["ecs:ListTasks", "ecs:RunTask"],
            "ResourceArns": ["*"],
            "ContextEntries": [
                {
                    "ContextKeyName": "ecs:cluster",
                    "ContextKeyValues": ["c"],
                    "ContextKeyType": "string",
                }
            ],
            "MaxItems": 1000,
        },
    )

    why = {("ecs:RunTask", "*"): "run", ("ecs:ListTasks", "*"): "look"}
    found = preflight.denied(role, Simulation(why=why, context={"ecs:cluster": "c"}))

    assert found == {("ecs:RunTask", "*"): True}


ROLE = "arn:aws:iam::123456789012:role/deploy"


def test_denied__several_resources__by_the_decision_on_each(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    """As AWS answers: one result for each action, which is of no resource but of a pattern."""
    decisions = {"arn:aws:ecs:::one": "allowed", "arn:aws:ecs:::two": "implicitDeny"}
    of_each = [
        {"EvalResourceName": name, "EvalResourceDecision": decision}
        for name, decision in decisions.items()
    ]
    results = [
        {
            "EvalActionName": "ecs:runtask",
            "EvalResourceName": "arn:aws:ecs:${Region}:${Account}:task-definition/${Name}",
            "EvalDecision": "allowed",
            "ResourceSpecificResults": of_each,
        },
        {"EvalActionName": "ecs:ListTasks", "EvalDecision": "implicitDeny"},
    ]
    answer = {"EvaluationResults": results, "IsTruncated": False}
    stub("iam").add_response("simulate_principal_policy", answer)

    why = {
        (action, name): "why" for action in ("ecs:RunTask", "ecs:ListTasks") for name in decisions
    }
    found = preflight.denied(ROLE, Simulation(why=why, context={}))

    assert {*found} == {*why} - {("ecs:RunTask", "arn:aws:ecs:::one")}


@pytest.mark.parametrize(
    ("code", "message", "groups"),
    [
        (
            "InvalidInput",
            "Invalid Input Actions: [a:A] and [b:B] require different authorization information.",
            (("a:A",), ("b:B",)),
        ),
        ("InvalidInput", "Invalid Entity Arn", None),
        ("AccessDenied", "not authorized", None),
    ],
    ids=["mixed", "another", "denied"],
)
def test_denied__refused__says_which_actions_go_together(
    preflight: AwsPreflight, stub: Callable[[str], Stubber], code: str, message: str, groups: object
) -> None:
    stub("iam").add_client_error("simulate_principal_policy", code, message)

    with pytest.raises(CallFailedError, match=code) as caught:
        preflight.denied(ROLE, Simulation(why={("a:A", "*"): "w"}, context={}))

    assert getattr(caught.value, "groups", None) == groups


@pytest.mark.usefixtures("in_moto")
def test_trust__role__with_its_policy_or_none(
    preflight: AwsPreflight, clients: TestClients
) -> None:
    trust: Any = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    arn = clients.client("iam").create_role(
        RoleName="deploy", Path="/a/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    gone = arn.replace("deploy", "gone")

    assert preflight.trust(arn) == TrustFact(role=arn, exists=True, policy=trust)
    assert preflight.trust(gone) == TrustFact(role=gone, exists=False)


def test_balancing__limits_beside_what_is_there(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    elb = stub("elbv2")
    limits = [
        {"Name": "target-groups", "Max": "3000"},
        {"Name": "application-load-balancers", "Max": "50"},
        {"Name": "network-load-balancers", "Max": "2"},
    ]
    balancers = [{"Type": "application"}, {"Type": "network"}, {"Type": "application"}]
    elb.add_response("describe_account_limits", {"Limits": limits}, {})
    elb.add_response("describe_load_balancers", {"LoadBalancers": balancers}, {})
    elb.add_response("describe_target_groups", {"TargetGroups": [{}, {}, {}]}, {})

    assert preflight.balancing("application") == (
        BalancingQuota(name="application-load-balancers", limit=50, used=2),
        BalancingQuota(name="target-groups", limit=3000, used=3),
    )


BALANCER = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/fsd-main-dev/0123456789abcdef"


def test_rules__of_each_listener_without_its_default(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    elb = stub("elbv2")
    balancers = {"LoadBalancers": [{"LoadBalancerArn": BALANCER}]}
    limits = [{"Name": "rules-per-application-load-balancer", "Max": "100"}]
    listeners = [{"ListenerArn": f"{BALANCER}/{number}"} for number in (1, 2)]
    elb.add_response("describe_load_balancers", balancers, {"Names": ["fsd-main-dev"]})
    elb.add_response("describe_account_limits", {"Limits": limits}, {})
    elb.add_response("describe_listeners", {"Listeners": listeners}, {"LoadBalancerArn": BALANCER})
    for listener, count in zip(listeners, (3, 1), strict=True):
        rules = [{"IsDefault": number == 0} for number in range(count)]
        elb.add_response("describe_rules", {"Rules": rules}, listener)

    assert preflight.rules("fsd-main-dev") == (
        BalancingQuota(name="rules-per-application-load-balancer", limit=100, used=2),
    )


def test_rules__load_balancer_that_is_not_made_yet__none(
    preflight: AwsPreflight, stub: Callable[[str], Stubber]
) -> None:
    elb = stub("elbv2")
    elb.add_client_error("describe_load_balancers", "LoadBalancerNotFound")
    elb.add_response("describe_account_limits", {"Limits": []}, {})

    assert preflight.rules("fsd-main-dev") == ()


@pytest.mark.usefixtures("in_moto")
def test_key__usable_or_not__its_state(preflight: AwsPreflight, clients: TestClients) -> None:
    kms = clients.client("kms")
    id_ = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/offers", TargetKeyId=id_)

    assert preflight.key("alias/offers").state == "Enabled"
    assert "Statement" in preflight.key(id_).policy
    kms.schedule_key_deletion(KeyId=id_)
    assert preflight.key(id_) == KeyFact(id=id_, state="PendingDeletion")
    assert preflight.key("12345678-1234-1234-1234-123456789012").state == ""


@pytest.mark.usefixtures("in_moto")
def test_policy__dependency_with_one_and_without(
    preflight: AwsPreflight, clients: TestClients
) -> None:
    deny = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
    s3, sqs = clients.client("s3"), clients.client("sqs")
    for bucket in ("offers", "plain"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket="offers", Policy=json.dumps(deny))
    sqs.create_queue(QueueName="jobs", Attributes={"Policy": json.dumps(deny)})
    sqs.create_queue(QueueName="free")

    assert preflight.policy("aws_s3_bucket", "offers") == deny
    assert preflight.policy("aws_sqs_queue", "jobs")["Statement"][0]["Effect"] == "Deny"
    dynamodb, kinesis, sns = (clients.client(one) for one in ("dynamodb", "kinesis", "sns"))
    for table in ("sold", "bought"):
        made = dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]["TableArn"]
    dynamodb.put_resource_policy(ResourceArn=made, Policy=json.dumps(deny))
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    kinesis.put_resource_policy(ResourceARN=stream["StreamARN"], Policy=json.dumps(deny))
    sns.create_topic(Name="news-old")
    sns.create_topic(Name="news", Attributes={"Policy": json.dumps(deny)})
    key = clients.client("kms").create_key(Policy=json.dumps(deny))["KeyMetadata"]["KeyId"]

    assert preflight.policy("aws_dynamodb_table", "bought") == deny
    assert preflight.policy("aws_kinesis_stream", "clicks") == deny
    assert preflight.policy("aws_sns_topic", "news") == deny
    assert preflight.policy("aws_kms_key", key) == deny
    assert preflight.has_dependency("aws_sns_topic", "news") is True
    assert preflight.has_dependency("aws_sns_topic", "ews") is False
    for type_, name in (
        ("aws_dynamodb_table", "sold"),
        ("aws_s3_bucket", "plain"),
        ("aws_sqs_queue", "free"),
        ("other", "x"),
    ):
        assert preflight.policy(type_, name) == {}
