from __future__ import annotations

import json

import pytest

from fsd.compile.roles import execution_role, secret_resource, task_role
from fsd.errors import ManifestError
from fsd.manifest.models import Manifest, Secret
from tests.builders import make_image, make_manifest, make_target

ARN = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:team/db"


@pytest.mark.parametrize(
    ("value_from", "resource"),
    [
        (f"{ARN}-AbC123", f"{ARN}-AbC123"),
        (f"{ARN}-AbC123:password::", f"{ARN}-AbC123"),
        (f"{ARN}-AbC123:password:AWSPREVIOUS:", f"{ARN}-AbC123"),
        (f"{ARN}-AbC123:::9d4cb84b-0000", f"{ARN}-AbC123"),
        (ARN, f"{ARN}-??????"),
        (f"{ARN}:password::", f"{ARN}-??????"),
        (f"{ARN}-primary", f"{ARN}-primary-??????"),
    ],
)
def test_secret_resource__secrets_manager__is_the_secret_alone(
    value_from: str, resource: str
) -> None:
    secret = Secret(name="DB", value_from=value_from)

    assert secret_resource(secret, make_target()) == ("secretsmanager:GetSecretValue", resource)


def test_secret_resource__parameter__is_its_arn() -> None:
    arn = "arn:aws:ssm:us-east-1:123456789012:parameter/dev/db"

    assert secret_resource(Secret(name="DB", value_from=arn), make_target()) == (
        "ssm:GetParameters",
        arn,
    )


@pytest.mark.parametrize(
    "value_from",
    ["db-password", "arn:aws:s3:::bucket", "arn:aws:secretsmanager:us-east-1:123456789012"],
)
def test_secret_resource__no_secret__names_the_variable(value_from: str) -> None:
    with pytest.raises(ManifestError) as error:
        secret_resource(Secret(name="DB_PASSWORD", value_from=value_from), make_target())

    assert error.value.code == "secret-arn-malformed"
    assert "DB_PASSWORD" in error.value.what


def resources(
    manifest: Manifest, *, registry: str, name: str = "offer-api"
) -> dict[str, list[str]]:
    """Action → resources, of the execution role."""
    image = make_image(name, registry=registry)
    role = json.loads(json.dumps(execution_role(manifest, target=make_target(), image=image)))
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {action: s["Resource"] for s in statements for action in s["Action"]}


def test_execution_role__image_of_another_account__may_be_pulled_too() -> None:
    found = resources(
        make_manifest(), registry="210987654321.dkr.ecr.eu-west-1.amazonaws.com", name="base/app"
    )

    assert found["ecr:BatchGetImage"] == [
        "arn:aws:ecr:us-east-1:123456789012:repository/offer-api",
        "arn:aws:ecr:eu-west-1:210987654321:repository/base/app",
    ]


@pytest.mark.parametrize("registry", ["docker.io/library", "127.0.0.1:4566"])
def test_execution_role__image_outside_ecr__needs_no_more(registry: str) -> None:
    found = resources(make_manifest(), registry=registry)

    assert found["ecr:BatchGetImage"] == ["arn:aws:ecr:us-east-1:123456789012:repository/offer-api"]


def test_execution_role__two_keys_of_one_secret__are_one_resource() -> None:
    manifest = make_manifest(
        secrets=[
            {"name": "USER", "value_from": f"{ARN}-AbC123:user::"},
            {"name": "PASSWORD", "value_from": f"{ARN}-AbC123:password::"},
        ]
    )

    found = resources(manifest, registry="docker.io")

    assert found["secretsmanager:GetSecretValue"] == [f"{ARN}-AbC123"]


def test_execution_role__suffix_that_reads_like_a_word__may_read_both() -> None:
    """The name of a secret, `ghcr-secret`, looks like `ghcr` with AWS's suffix."""
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ghcr-secret"
    manifest = make_manifest(repository_credentials=arn)
    both = [arn, f"{arn}-??????"]

    role = json.loads(
        json.dumps(execution_role(manifest, target=make_target(), image=make_image("a")))
    )

    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    reads = [s for s in statements if s["Action"] == ["secretsmanager:GetSecretValue"]]
    decrypts = [s["Condition"]["StringLike"] for s in statements if "kms:Decrypt" in s["Action"]]
    assert [s["Resource"] for s in reads] == [both]
    assert [s["kms:EncryptionContext:SecretARN"] for s in decrypts] == both


def test_execution_role__any__has_a_star_only_for_the_token() -> None:
    found = resources(make_manifest(), registry="docker.io")

    assert [action for action, where in found.items() if "*" in where] == [
        "ecr:GetAuthorizationToken"
    ]


def test_roles__environment_with_a_boundary__both_have_it() -> None:
    boundary = "arn:aws:iam::123456789012:policy/fsd-boundary-dev"
    target = make_target(permissions_boundary=boundary)

    for role in (
        task_role(make_manifest(), target=target),
        execution_role(make_manifest(), target=target, image=make_image()),
    ):
        assert isinstance(properties := role["Properties"], dict)
        assert properties["PermissionsBoundary"] == boundary
