from __future__ import annotations

import json

import pytest

from fsd.compile.desired import JsonValue
from fsd.compile.iam import INLINE_POLICY_LIMIT, compile_statements, policy_document
from fsd.errors import ManifestError
from tests.builders import make_dependency, make_manifest, make_target

DYNAMODB = "arn:aws:dynamodb:us-east-1:123456789012:table"
KAFKA = "arn:aws:kafka:us-east-1:123456789012"


def statements(*dependencies: dict[str, object]) -> list[JsonValue]:
    manifest = make_manifest(dependencies=dependencies)
    return compile_statements(manifest.dependencies, target=make_target())


def allow(actions: list[str], *resources: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def test_compile_statements__table__reaches_indexes_only_where_they_are_read() -> None:
    found = statements(
        make_dependency("aws_dynamodb_table", "t", "dynamodb:Query", "dynamodb:GetItem")
    )

    assert found == [
        allow(["dynamodb:GetItem"], f"{DYNAMODB}/t"),
        allow(["dynamodb:Query"], f"{DYNAMODB}/t", f"{DYNAMODB}/t/index/*"),
    ]


def test_compile_statements__bucket__splits_bucket_and_objects() -> None:
    found = statements(make_dependency("aws_s3_bucket", "b", "s3:GetObject", "s3:ListBucket"))

    assert found == [
        allow(["s3:GetObject"], "arn:aws:s3:::b/*"),
        allow(["s3:ListBucket"], "arn:aws:s3:::b"),
    ]


def test_compile_statements__kafka_consumer__gets_what_reading_needs() -> None:
    found = statements(make_dependency("aws_msk_cluster", "c", "kafka-cluster:ReadData"))

    assert found == [
        allow(["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], f"{KAFKA}:group/c/*/*"),
        allow(["kafka-cluster:Connect"], f"{KAFKA}:cluster/c/*"),
        allow(["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], f"{KAFKA}:topic/c/*/*"),
    ]


def test_compile_statements__same_resource_twice__is_one_dependency() -> None:
    apart = statements(
        make_dependency("aws_sqs_queue", "q", "sqs:SendMessage"),
        make_dependency("aws_sqs_queue", "q", "sqs:ReceiveMessage", "sqs:SendMessage"),
    )

    assert apart == [
        allow(["sqs:ReceiveMessage", "sqs:SendMessage"], "arn:aws:sqs:us-east-1:123456789012:q")
    ]


def test_compile_statements__same_permissions__share_a_statement() -> None:
    found = statements(
        make_dependency("aws_s3_bucket", "two", "s3:GetObject"),
        make_dependency("aws_s3_bucket", "one", "s3:GetObject"),
    )

    assert found == [allow(["s3:GetObject"], "arn:aws:s3:::one/*", "arn:aws:s3:::two/*")]


def test_compile_statements__action_without_resource_level__is_granted_on_everything() -> None:
    found = statements(make_dependency("aws_s3_bucket", "b", "s3:ListAllMyBuckets"))

    assert found == [allow(["s3:ListAllMyBuckets"], "*")]


def test_compile_statements__wildcard__stays_on_the_resource() -> None:
    """`s3:*` on a bucket includes no action on the account."""
    text = json.dumps(statements(make_dependency("aws_s3_bucket", "b", "s3:*")))

    assert '"s3:DeleteBucket"' in text
    assert '"s3:PutObject"' in text
    assert "s3:PutAccountPublicAccessBlock" not in text
    assert '"*"' not in text


def test_compile_statements__kms_alias__is_a_condition() -> None:
    found = statements(
        make_dependency("aws_kms_key", "alias/dev", "kms:Decrypt", "kms:GenerateRandom")
    )

    assert found == [
        allow(
            ["kms:Decrypt"],
            "arn:aws:kms:us-east-1:123456789012:key/*",
            Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/dev"}},
        ),
        allow(["kms:GenerateRandom"], "*"),
    ]


def test_compile_statements__other_partition__is_in_every_arn() -> None:
    manifest = make_manifest(
        dependencies=[make_dependency("aws_sqs_queue", "q", "sqs:SendMessage")]
    )
    target = make_target(partition="aws-cn", region="cn-north-1")

    assert compile_statements(manifest.dependencies, target=target) == [
        allow(["sqs:SendMessage"], "arn:aws-cn:sqs:cn-north-1:123456789012:q")
    ]


def test_compile_statements__other_order__is_the_same() -> None:
    table = ("dynamodb:Query", "dynamodb:GetItem")
    bucket = ("s3:GetObject", "s3:ListBucket")

    one = statements(
        make_dependency("aws_dynamodb_table", "t", *table),
        make_dependency("aws_s3_bucket", "b", *bucket),
    )
    other = statements(
        make_dependency("aws_s3_bucket", "b", *reversed(bucket)),
        make_dependency("aws_dynamodb_table", "t", *reversed(table)),
    )

    assert one == other


@pytest.mark.parametrize(
    ("dependency", "id_", "what", "fix"),
    [
        (
            make_dependency("aws_dynamodb_table", "t", "dynamodb:GetItems*"),
            "unknown-permission",
            "`dynamodb:GetItems*` is not an IAM action",
            "`dynamodb:GetItem`",
        ),
        (
            make_dependency("aws_s3_bucket", "b", "dynamodb:GetItem"),
            "permission-type-mismatch",
            "`dynamodb:GetItem` does not apply to `aws_s3_bucket` (S3 bucket)",
            "`aws_dynamodb_table`",
        ),
        (
            make_dependency("aws_redshift", "r", "redshift:GetClusterCredentials"),
            "unknown-dependency-type",
            "`aws_redshift` is not a dependency type",
            "aws_s3_bucket",
        ),
    ],
)
def test_compile_statements__cannot_be_granted__names_it(
    dependency: dict[str, object], id_: str, what: str, fix: str
) -> None:
    with pytest.raises(ManifestError) as error:
        statements(dependency)

    assert (error.value.code, error.value.what) == (id_, what)
    assert fix in error.value.fix


def test_compile_statements__action_that_is_not_known__granted_on_the_resource() -> None:
    assert statements(make_dependency("aws_s3_bucket", "b", "s3:FoldObject")) == [
        {
            "Effect": "Allow",
            "Action": ["s3:FoldObject"],
            "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
        }
    ]


def test_policy_document__longer_than_iam_takes__is_refused_before_any_call() -> None:
    every: list[JsonValue] = [{"Action": "s3:GetObject", "Resource": "x" * INLINE_POLICY_LIMIT}]

    with pytest.raises(ManifestError) as error:
        policy_document(every, role="offer-api-dev-task")

    assert error.value.code == "policy-too-long"
