"""The stack of an account: what is in it, and that CloudFormation's own linter likes it."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from fsd.account.grant import AccountPlace
from fsd.account.joined import Joined, parse_repository
from fsd.account.named import NOTHING, NamedResources, read_names
from fsd.account.stack import (
    BOUNDARY,
    CLUSTER,
    NAMESPACE,
    PROVIDER,
    AccountStack,
    read_stack,
    repository_id,
    stack_name,
    write_template,
)
from fsd.compile.schedule_role import SCHEDULE_ROLE
from fsd.errors import ManifestError
from fsd.manifest import names
from tests.unit.compile.shapes import lint_template
from tests.unit.floor.test_floor import compiled, load

PLACE = AccountPlace(partition="aws", account="123456789012", region="eu-west-1")


def stack(*services: str, named: NamedResources = NOTHING, **more: Any) -> AccountStack:
    joined = Joined(
        named=named,
        repository=parse_repository("org/offers"),
        services=services or ("offer-api", "offer-worker"),
        github_environment="dev",
    )
    return AccountStack(**{"environment": "dev", "cluster": "dev", "joined": (joined,), **more})


def kinds(template: Any) -> list[str]:
    return sorted(resource["Type"] for resource in template["Resources"].values())


@pytest.mark.template_scan
@pytest.mark.parametrize("place", [AccountPlace(), PLACE], ids=["anywhere", "one account"])
@pytest.mark.parametrize(
    "wish",
    [
        stack(),
        stack("a-b", "ab"),
        stack(foreign=frozenset({PROVIDER, CLUSTER, NAMESPACE, repository_id("offer-api")})),
        stack(network="nat"),
        stack(network="endpoints"),
    ],
    ids=["empty account", "names that look alike", "account with some of it", "nat", "endpoints"],
)
def test_write_template__cfn_lint__has_nothing_to_say(
    wish: AccountStack, place: AccountPlace
) -> None:
    assert lint_template(write_template(wish, place)) == []


def test_write_template__empty_account__has_all_that_a_deployment_needs() -> None:
    assert kinds(write_template(stack("offer-api"))) == [
        "AWS::ECR::Repository",
        "AWS::ECS::Cluster",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Role",
        "AWS::IAM::Role",
        "AWS::IAM::Role",
        "AWS::ServiceDiscovery::HttpNamespace",
    ]


@pytest.mark.parametrize("foreign", [frozenset[str](), frozenset({NAMESPACE})])
def test_write_template__cluster__has_what_any_service_asks_of_it(foreign: frozenset[str]) -> None:
    template: Any = write_template(stack("offer-api", foreign=foreign))

    cluster = template["Resources"][CLUSTER]["Properties"]
    assert cluster["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    (namespace,) = cluster["ServiceConnectDefaults"].values()
    assert namespace == ("dev" if foreign else {"Fn::GetAtt": [NAMESPACE, "Arn"]})


def test_write_template__what_is_there_already__is_used_and_not_made() -> None:
    template: Any = write_template(
        stack("offer-api", foreign=frozenset({PROVIDER, repository_id("offer-api")})), PLACE
    )

    assert "AWS::ECR::Repository" not in kinds(template)
    assert PROVIDER not in template["Resources"]
    (deploy,) = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Properties"].get("RoleName") == "fsd-deploy-dev-org.offers"
    ]
    (statement,) = deploy["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"]["Federated"] == (
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    )


def test_read_stack__what_was_written__is_read_from_its_template() -> None:
    wish = stack(foreign=frozenset({CLUSTER}), cluster="main", network="nat")
    template = json.loads(json.dumps(write_template(wish)))

    assert read_stack(template, environment="dev") == wish
    assert read_stack({"Resources": {}}, environment="dev") is None


def test_stack_name__of_bootstrap__is_no_services() -> None:
    assert not stack_name("dev").startswith("fsd-")
    assert stack_name("dev") != names.stack("bootstrap", "dev")


def test_write_template__more_services_than_a_role_has_policies_for__says_so() -> None:
    many = tuple(f"a-service-with-a-rather-long-name-{n}" for n in range(40))

    with pytest.raises(ManifestError, match="role fsd-deploy-dev-org"):
        write_template(stack(*many))


@pytest.mark.parametrize(
    "roles",
    [
        "",
        "roles: {task: 'arn:aws:iam::123456789012:role/shop-task'}",
        "roles: {execution: 'arn:aws:iam::123456789012:role/team/shop-execution'}",
    ],
    ids=["own", "task", "execution"],
)
def test_write_template__a_job_with_any_roles__its_schedule_passes_them_within_the_boundary(
    roles: str,
) -> None:
    job = f"{{schedule: 'rate(1 hour)'{roles and f', {roles}'}}}"
    manifest = load(job, "Job").manifest
    assert manifest is not None

    template: Any = write_template(stack(named=read_names(manifest)), PLACE)

    resources: Any = compiled(job, "Job").template["Resources"]
    (policy,) = resources[SCHEDULE_ROLE]["Properties"]["Policies"]
    boundary = template["Resources"][BOUNDARY]["Properties"]["PolicyDocument"]
    allowed = [plain(arn) for arn in passed(boundary)]
    wanted = passed(policy["PolicyDocument"])
    assert [arn for arn in wanted if not any(fnmatchcase(arn, one) for one in allowed)] == []
    assert len(wanted) == 2


def passed(document: Any) -> list[Any]:
    return [
        arn
        for statement in document["Statement"]
        if "iam:PassRole" in statement["Action"]
        for arn in statement["Resource"]
    ]


def plain(arn: Any) -> str:
    text = str(arn["Fn::Sub"]) if isinstance(arn, dict) else str(arn)
    return text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "123456789012")
