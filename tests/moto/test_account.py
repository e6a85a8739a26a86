from __future__ import annotations

import json

import pytest

from fsd.aws.account import AwsAccount
from tests.moto.conftest import TestClients

pytestmark = pytest.mark.usefixtures("in_moto")

HOST = "token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
OURS = [{"Key": "fsd:created-by", "Value": "bootstrap"}]


@pytest.fixture
def account(clients: TestClients) -> AwsAccount:
    return AwsAccount(clients=clients)


def make_provider(clients: TestClients, tags: list[dict[str, str]]) -> None:
    clients.client("iam").create_open_id_connect_provider(
        Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"], Tags=tags
    )


@pytest.mark.parametrize(("tags", "is_ours"), [(OURS, True), ([], False)])
def test_delete_own_provider__only_the_one_that_fsd_made(
    account: AwsAccount, clients: TestClients, tags: list[dict[str, str]], is_ours: bool
) -> None:
    make_provider(clients, tags)

    assert account.has_provider(ARN)
    assert account.delete_own_provider(ARN) is is_ours
    assert account.has_provider(ARN) is not is_ours


def test_delete_own_provider__none__is_none(account: AwsAccount) -> None:
    assert not account.has_provider(ARN)
    assert not account.delete_own_provider(ARN)


def test_roles_trusting__by_their_trust_policy(account: AwsAccount, clients: TestClients) -> None:
    for name, principal in (
        ("deploy", {"Federated": ARN}),
        ("task", {"Service": "ecs-tasks.amazonaws.com"}),
    ):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        clients.client("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
        )

    assert account.roles_trusting(ARN) == ["deploy"]


def test_has_namespace__by_its_whole_name(account: AwsAccount, clients: TestClients) -> None:
    clients.client("servicediscovery").create_http_namespace(Name="dev-2")

    assert account.has_namespace("dev-2")
    assert not account.has_namespace("dev")


def test_has_images__empty_or_absent_repository__has_none(
    account: AwsAccount, clients: TestClients
) -> None:
    assert not account.has_images("web")
    clients.client("ecr").create_repository(repositoryName="web")
    assert not account.has_images("web")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    clients.client("ecr").put_image(
        repositoryName="web", imageManifest=json.dumps(manifest), imageTag="a"
    )
    assert account.has_images("web")
