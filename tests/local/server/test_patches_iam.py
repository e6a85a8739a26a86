"""IAM where it is enforced: what a role may do, on what, and what a refusal says."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings
from tests.local.server import stacks
from tests.local.server.enforced import EVERYTHING, REGION, Account, all_but, allow, opened
from tests.waiting import eventually


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("enforcing") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        started = local.ensure(Settings(runtime="process", speed=50, enforce_iam=True))
    yield started
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        local.down()


@pytest.fixture
def cloud(enforcing: Instance, account: str) -> Iterator[Account]:
    with opened(enforcing.endpoint, account, enforcing.secret) as found:
        yield found


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """(code, message)"""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def ecs_arn(cloud: Account, resource: str) -> str:
    return f"arn:aws:ecs:{REGION}:{cloud.id}:{resource}"


def denial(cloud: Account, action: str, resource: str, *, explicit: bool = False) -> str:
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return (
        f"User: arn:aws:sts::{cloud.id}:assumed-role/tester/tester is not authorized to perform: "
        f"{action} on resource: {resource} {why}"
    )


def test_root__any_call__is_allowed(cloud: Account) -> None:
    assert cloud.client("ecs").list_clusters()["clusterArns"] == []


def test_role__wrong_secret__is_refused(cloud: Account) -> None:
    role = cloud.role("tester", EVERYTHING)
    keys = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="tester")["Credentials"]
    ecs = cloud.client(
        "ecs",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key="guessed",
        aws_session_token=keys["SessionToken"],
    )
    assert refused(ecs.list_clusters)[0] == "InvalidSignatureException"


def test_ecs__without_credentials__is_refused(cloud: Account) -> None:
    ecs = cloud.client("ecs", config=Config(signature_version=UNSIGNED))
    assert refused(ecs.list_clusters)[0] == "MissingAuthenticationTokenException"


def test_ecs__action_that_no_policy_allows__is_aws_refusal(cloud: Account) -> None:
    ecs = cloud.role_clients(all_but("ecs:UpdateService"))("ecs")
    ecs.create_cluster(clusterName="c")

    code, message = refused(ecs.update_service, cluster="c", service="web", desiredCount=2)

    assert code == "AccessDeniedException"
    assert message == denial(cloud, "ecs:UpdateService", ecs_arn(cloud, "service/c/web"))


def test_ecs__resource_of_the_policy__is_compared(cloud: Account) -> None:
    ecs = cloud.role_clients(allow("ecs:Describe*", on=ecs_arn(cloud, "service/c/web-*")))("ecs")
    cloud.client("ecs").create_cluster(clusterName="c")

    allowed = ecs.describe_services(cluster="c", services=["web-1"])
    code, message = refused(ecs.describe_services, cluster="c", services=["web-1", "db"])

    assert allowed["failures"][0]["reason"] == "MISSING"
    assert code == "AccessDeniedException"
    assert message == denial(cloud, "ecs:DescribeServices", ecs_arn(cloud, "service/c/db"))


def test_ecs__explicit_deny__wins_and_is_named(cloud: Account) -> None:
    deny = {"Effect": "Deny", "Action": "ecs:Delete*", "Resource": "*"}
    ecs = cloud.role_clients(EVERYTHING, deny)("ecs")
    cluster = ecs_arn(cloud, "cluster/c")

    assert refused(ecs.delete_cluster, cluster="c") == (
        "AccessDeniedException",
        denial(cloud, "ecs:DeleteCluster", cluster, explicit=True),
    )


def test_ecs__condition_on_the_cluster__is_compared(cloud: Account) -> None:
    mine = {"ArnEquals": {"ecs:cluster": ecs_arn(cloud, "cluster/mine")}}
    ecs = cloud.role_clients(allow("ecs:ListTasks", condition=mine))("ecs")
    for name in ("mine", "theirs"):
        cloud.client("ecs").create_cluster(clusterName=name)

    assert ecs.list_tasks(cluster="mine")["taskArns"] == []
    code, message = refused(ecs.list_tasks, cluster="theirs")
    assert code == "AccessDeniedException"
    assert "container-instance/theirs/*" in message


def test_ecs__condition_on_a_resource_tag__is_compared(cloud: Account) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    ecs = cloud.role_clients(allow("ecs:DescribeClusters", condition=condition))("ecs")
    for name in ("a", "b"):
        cloud.client("ecs").create_cluster(clusterName=name, tags=[{"key": "team", "value": name}])

    assert len(ecs.describe_clusters(clusters=["a"])["clusters"]) == 1
    assert refused(ecs.describe_clusters, clusters=["b"])[0] == "AccessDeniedException"


def test_register_task_definition__role_that_may_not_be_passed__is_refused(
    cloud: Account,
) -> None:
    other = f"arn:aws:iam::{cloud.id}:role/other"
    ecs = cloud.role_clients(
        allow("ecs:RegisterTaskDefinition"),
        allow(
            "iam:PassRole",
            on=f"arn:aws:iam::{cloud.id}:role/mine",
            condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    )("ecs")
    definition = {
        "family": "web",
        "containerDefinitions": [{"name": "web", "image": "x", "memory": 64}],
    }

    ecs.register_task_definition(**definition, taskRoleArn=f"arn:aws:iam::{cloud.id}:role/mine")
    code, message = refused(ecs.register_task_definition, **definition, executionRoleArn=other)

    assert (code, message) == ("AccessDeniedException", denial(cloud, "iam:PassRole", other))


def test_application_auto_scaling__not_allowed__is_refused_on_the_scalable_target(
    cloud: Account,
) -> None:
    scaling = cloud.role_clients(allow("application-autoscaling:Describe*"))(
        "application-autoscaling"
    )
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }

    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    code, message = refused(scaling.register_scalable_target, **target, MinCapacity=1)

    arn = f"arn:aws:application-autoscaling:{REGION}:{cloud.id}:scalable-target/service/c/web"
    action = "application-autoscaling:RegisterScalableTarget"
    assert (code, message) == ("AccessDeniedException", denial(cloud, action, arn))


def test_target_health__has_no_resource_level(cloud: Account) -> None:
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{cloud.id}:targetgroup/x/1"
    action = "elasticloadbalancing:DescribeTargetHealth"
    elb = cloud.role_clients(allow(action, on=arn))("elbv2")

    code, message = refused(elb.describe_target_health, TargetGroupArn=arn)

    assert (code, message) == ("AccessDenied", denial(cloud, action, "*"))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "action", "resource"),
    [
        (
            "ecr",
            "describe_images",
            {"repositoryName": "app"},
            "AccessDeniedException",
            "ecr:DescribeImages",
            "arn:aws:ecr:{region}:{account}:repository/app",
        ),
        (
            "cloudformation",
            "describe_stacks",
            {"StackName": "s"},
            "AccessDenied",
            "cloudformation:DescribeStacks",
            "arn:aws:cloudformation:{region}:{account}:stack/s/*",
        ),
        (
            "logs",
            "get_log_events",
            {"logGroupName": "g", "logStreamName": "a/b"},
            "AccessDeniedException",
            "logs:GetLogEvents",
            "arn:aws:logs:{region}:{account}:log-group:g:log-stream:a/b",
        ),
        (
            "s3",
            "put_object",
            {"Bucket": "a-bucket", "Key": "k", "Body": b""},
            "AccessDenied",
            "s3:PutObject",
            '"arn:aws:s3:::a-bucket/k"',
        ),
        (
            "dynamodb",
            "get_item",
            {"TableName": "t", "Key": {"id": {"S": "1"}}},
            "AccessDeniedException",
            "dynamodb:GetItem",
            "arn:aws:dynamodb:{region}:{account}:table/t",
        ),
        (
            "sqs",
            "get_queue_url",
            {"QueueName": "q"},
            "AccessDenied",
            "sqs:getqueueurl",
            "arn:aws:sqs:{region}:{account}:q",
        ),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", "ec2:DescribeVpcs", "*"),
    ],
)
def test_ministacks_services__not_allowed__name_the_resource(
    cloud: Account,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    code: str,
    action: str,
    resource: str,
) -> None:
    client = cloud.role_clients(allow("sts:*"))(service)
    if service == "s3":  # a bucket that is not there is said before any policy
        cloud.client("s3").create_bucket(Bucket=parameters["Bucket"])

    found = refused(getattr(client, operation), **parameters)

    where = resource.format(region=REGION, account=cloud.id)
    assert found == (code, denial(cloud, action, where))


def test_iam__role_with_a_path__is_named_with_it(cloud: Account) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="task", Path="/fsd/", AssumeRolePolicyDocument="{}")
    caller = cloud.role_clients(allow("iam:GetRole", on=f"arn:aws:iam::{cloud.id}:role/fsd/*"))

    assert caller("iam").get_role(RoleName="task")["Role"]["Path"] == "/fsd/"


# ---- the registry


def registry(cloud: Account, method: str, path: str, token: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection(cloud.endpoint.removeprefix("http://"))
    headers = {"Authorization": f"Basic {token}"} if token else {}
    connection.request(method, f"/v2/{cloud.id}/{REGION}/{path}", headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def log_in(client: Any) -> str:
    (entry,) = client.get_authorization_token()["authorizationData"]
    return str(entry["authorizationToken"])


def test_registry__nobody_logged_in__is_told_to(cloud: Account) -> None:
    cloud.client("ecr").create_repository(repositoryName="app")
    assert registry(cloud, "GET", "app/manifests/v1")[0] == 401
    assert registry(cloud, "GET", "app/manifests/v1", "QVdTOmd1ZXNzZWQ=")[0] == 401


def test_registry__role_that_may_pull_only__cannot_push(cloud: Account) -> None:
    cloud.client("ecr").create_repository(repositoryName="app")
    repository = f"arn:aws:ecr:{REGION}:{cloud.id}:repository/app"
    ecr = cloud.role_clients(
        allow("ecr:GetAuthorizationToken"), allow("ecr:BatchGetImage", on=repository)
    )("ecr")
    token = log_in(ecr)

    pulled, _ = registry(cloud, "GET", "app/manifests/v1", token)
    pushed, said = registry(cloud, "POST", "app/blobs/uploads/", token)

    assert (pulled, pushed) == (404, 403)
    assert json.loads(said)["errors"][0] == {
        "code": "DENIED",
        "message": denial(cloud, "ecr:InitiateLayerUpload", repository),
        "detail": {},
    }


def test_registry__another_account__needs_the_repositorys_policy(
    cloud: Account, enforcing: Instance
) -> None:
    owner = cloud.client("ecr")
    owner.create_repository(repositoryName="app")
    with opened(enforcing.endpoint, f"9{cloud.id[1:]}", enforcing.secret) as stranger:
        token = log_in(stranger.role_clients(EVERYTHING)("ecr"))
        before, _ = registry(cloud, "GET", "app/manifests/v1", token)
        shared = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{stranger.id}:root"},
            "Action": ["ecr:BatchGetImage"],
        }
        owner.set_repository_policy(
            repositoryName="app", policyText=json.dumps({"Statement": [shared]})
        )
        after, _ = registry(cloud, "GET", "app/manifests/v1", token)
        pushing, _ = registry(cloud, "POST", "app/blobs/uploads/", token)
    assert (before, after, pushing) == (403, 404, 403)


# ---- a task's credentials


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("POST", 403)])
def test_credentials__number_that_no_task_has__is_not_found(
    enforcing: Instance, method: str, status: int
) -> None:
    connection = http.client.HTTPConnection(enforcing.endpoint.removeprefix("http://"))
    connection.request(method, "/_fsd/credentials/00000000-0000-0000-0000-000000000000")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == status


# ---- what CloudFormation does for somebody


def first_failure(formation: Any, name: str = "app") -> str:
    (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
    events = formation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    return str(failed[-1]["ResourceStatusReason"])


def test_stack__caller_without_a_resources_permission__fails_and_rolls_back(
    cloud: Account,
) -> None:
    mine = cloud.role_clients(all_but("iam:CreateRole"))("cloudformation")

    assert stacks.apply(mine, stacks.make_template()) == "ROLLBACK_COMPLETE"

    role = f"arn:aws:iam::{cloud.id}:role/fsd/app-dev-task"
    said = first_failure(mine)
    assert said.startswith(
        f'Resource handler returned message: "{denial(cloud, "iam:CreateRole", role)} (Service: Iam'
    )
    assert said.endswith("HandlerErrorCode: AccessDenied)")
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []


def test_stack__update_without_the_permission__is_rolled_back_whole(cloud: Account) -> None:
    root = cloud.client("cloudformation")
    stacks.apply(root, stacks.make_template())
    mine = cloud.role_clients(all_but("elasticloadbalancing:ModifyTargetGroup"))("cloudformation")

    changed = stacks.make_template(health_path="/other", retention=7)
    assert stacks.apply(mine, changed, kind="UPDATE") == "UPDATE_ROLLBACK_COMPLETE"
    (group,) = cloud.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    only_logs = stacks.make_template(retention=7)
    assert stacks.apply(mine, only_logs, kind="UPDATE") == "UPDATE_COMPLETE"


def test_stack__service_role__is_whose_permissions_count(cloud: Account) -> None:
    formation = {"Service": "cloudformation.amazonaws.com"}
    service_role = cloud.role("service", EVERYTHING, trusts=formation)
    other = cloud.role("untrusting", EVERYTHING)
    condition = {"StringEquals": {"cloudformation:RoleArn": service_role}}
    mine = cloud.role_clients(
        allow("cloudformation:CreateChangeSet", condition=condition),
        allow("cloudformation:ExecuteChangeSet", "cloudformation:Describe*"),
        allow("iam:PassRole", on=f"arn:aws:iam::{cloud.id}:role/service"),
    )("cloudformation")
    change = {
        "StackName": "app",
        "ChangeSetName": "first",
        "ChangeSetType": "CREATE",
        "TemplateBody": json.dumps(stacks.make_template()),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }

    code, said = refused(mine.create_change_set, **change)
    assert (code, "cloudformation:CreateChangeSet" in said) == ("AccessDenied", True)
    root = cloud.client("cloudformation")
    assert refused(root.create_change_set, **change, RoleARN=other)[0] == "ValidationError"
    mine.create_change_set(**change, RoleARN=service_role)
    eventually(
        lambda: (
            mine.describe_change_set(StackName="app", ChangeSetName="first")["Status"]
            == "CREATE_COMPLETE"
        )
    )
    mine.execute_change_set(StackName="app", ChangeSetName="first")
    eventually(lambda: stacks.status(mine) == "CREATE_COMPLETE")


def test_stack__ecs_resources__ask_for_what_their_handlers_call(cloud: Account) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": stacks.TRUST}}
    definition = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": "web",
            "ContainerDefinitions": [{"Name": "web", "Image": "x", "Memory": 64}],
            "TaskRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
    template = {"Resources": {"Role": role, "Definition": definition}}
    refused_by = {}
    for action in ("ecs:RegisterTaskDefinition", "iam:PassRole"):
        name = action.partition(":")[2]
        mine = cloud.assume(cloud.role(name, all_but(action)))("cloudformation")
        assert stacks.apply(mine, template, name=name) == "ROLLBACK_COMPLETE"
        refused_by[action] = first_failure(mine, name)

    assert all(f"is not authorized to perform: {key}" in said for key, said in refused_by.items())
    assert all(said.endswith("HandlerErrorCode: AccessDenied)") for said in refused_by.values())
    root = cloud.client("cloudformation")
    assert stacks.apply(root, template, name="root") == "CREATE_COMPLETE"


# Without which read drift detection fails, and on which resources of the stack.
COMPARED = {
    "ec2:DescribeSecurityGroups": "BalancerGroup, TaskGroup",
    "elasticloadbalancing:DescribeCapacityReservation": "Balancer",
    "elasticloadbalancing:DescribeListenerAttributes": "Listener",
    "elasticloadbalancing:DescribeListeners": "Listener",
    "elasticloadbalancing:DescribeLoadBalancerAttributes": "Balancer",
    "elasticloadbalancing:DescribeLoadBalancers": "Balancer",
    "elasticloadbalancing:DescribeTags": "Balancer, Targets",
    "elasticloadbalancing:DescribeTargetGroupAttributes": "Targets",
    "elasticloadbalancing:DescribeTargetGroups": "Targets",
    "elasticloadbalancing:DescribeTargetHealth": "Targets",
    "iam:GetRole": "Role",
    "iam:GetRolePolicy": "Role",
    "iam:ListAttachedRolePolicies": "Role",
    "iam:ListRolePolicies": "Role",
    "logs:DescribeLogGroups": "Logs",
    "logs:GetDataProtectionPolicy": "Logs",
    "logs:ListTagsForResource": "Logs",
}


def detection(formation: Any) -> tuple[str, str]:
    """(status, reason)"""
    started = formation.detect_stack_drift(StackName="app")
    found = formation.describe_stack_drift_detection_status(
        StackDriftDetectionId=started["StackDriftDetectionId"]
    )
    return found["DetectionStatus"], found.get("DetectionStatusReason", "")


def test_drift__caller_may_not_read_a_resource__detection_fails_and_names_it(
    cloud: Account,
) -> None:
    stacks.apply(cloud.client("cloudformation"), stacks.make_template())
    mine = cloud.role_clients(EVERYTHING)("cloudformation")
    assert detection(mine) == ("DETECTION_COMPLETE", "")

    for action, resources in COMPARED.items():
        cloud.allow("tester", all_but(action))
        said = f"Failed to detect drift on resources [{resources}]"
        assert detection(mine) == ("DETECTION_FAILED", said), action
