from __future__ import annotations

import pytest

from fsd.account.statements import (
    covers_bucket,
    covers_whole,
    is_about,
    names_role,
    principal_condition,
)
from fsd.compile.desired import Json, JsonValue

ROLE = "arn:aws:iam::111122223333:role/fsd/api-dev-task"


@pytest.mark.parametrize(
    ("statement", "is_asked"),
    [
        ({"Action": "S3:getobject"}, True),
        ({"Action": ["s3:Put*", "s3:Get*"]}, True),
        ({"Action": "s3:Put*"}, False),
        ({"NotAction": "s3:Get*"}, False),
        ({"NotAction": "iam:*"}, True),
        ({}, False),
    ],
)
def test_is_about__action(statement: Json, is_asked: bool) -> None:
    assert is_about(statement, "s3:GetObject") is is_asked


@pytest.mark.parametrize(
    ("principal", "is_named", "is_denied"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": [ROLE]}, True, True),
        ({"AWS": "111122223333"}, False, True),
        ({"AWS": "arn:aws:iam::111122223333:root"}, False, True),
        ({"AWS": "arn:aws:iam::999922223333:root"}, False, False),
        ({"Service": "ecs.amazonaws.com"}, False, False),
    ],
)
def test_names_role__the_account_counts_only_where_it_denies(
    principal: str | Json, is_named: bool, is_denied: bool
) -> None:
    statement: Json = {"Principal": principal}

    assert names_role(statement, ROLE) is is_named
    assert names_role(statement, ROLE, or_account=True) is is_denied


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/fsd/*"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}, True),
        ({"StringNotEquals": {"aws:principalarn": [ROLE]}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, None),
        (
            {
                "ArnNotEquals": {"aws:PrincipalArn": [ROLE]},
                "StringNotEquals": {"aws:SourceVpce": "vpce-1"},
            },
            False,
        ),
    ],
)
def test_principal_condition__only_the_caller_is_known(condition: Json, holds: bool | None) -> None:
    assert principal_condition({"Condition": condition}, ROLE) is holds


def test_covers_bucket__a_folder_in_it__does_not() -> None:
    arn = "arn:aws:s3:::offers"

    assert covers_bucket({"Resource": [arn]}, "offers")
    assert covers_bucket({"Resource": f"{arn}/*"}, "offers")
    assert not covers_bucket({"Resource": f"{arn}/private/*"}, "offers")
    assert not covers_bucket({"Resource": f"{arn}-old/*"}, "offers")


@pytest.mark.parametrize(
    ("resource", "is_whole"),
    [
        ("*", True),
        ("arn:aws:dynamodb:us-east-1:1:table/offers", True),
        (["arn:aws:dynamodb:us-east-1:1:table/x", "arn:aws:dynamodb:*:1:table/off*"], True),
        ("arn:aws:dynamodb:us-east-1:1:table/offers/index/*", False),
        ("arn:aws:dynamodb:us-east-1:1:table/offer", False),
        (None, False),
    ],
)
def test_covers_whole__an_index_of_it__does_not(resource: JsonValue, is_whole: bool) -> None:
    assert covers_whole({"Resource": resource}, "table/offers") is is_whole
