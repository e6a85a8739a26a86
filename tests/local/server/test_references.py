from __future__ import annotations

import pytest

from fsd_local.references import SecretReference, parse

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"


@pytest.mark.parametrize(
    ("tail", "json_key", "stage", "version"),
    [
        ("", "", "", ""),
        (":user::", "user", "", ""),
        ("::AWSPREVIOUS:", "", "AWSPREVIOUS", ""),
        (":user::v1", "user", "", "v1"),
    ],
)
def test_parse__secret__takes_the_tail_apart(
    tail: str, json_key: str, stage: str, version: str
) -> None:
    assert parse(SECRET + tail, account="1", region="r") == SecretReference(
        kind="secret",
        arn=SECRET,
        name="prod/db-AbCdEf",
        account="111122223333",
        region="eu-west-1",
        json_key=json_key,
        stage=stage,
        version=version,
    )


def test_bare_name__random_suffix__is_left_off() -> None:
    assert parse(SECRET, account="1", region="r").bare_name == "prod/db"


def test_parse__parameter_arn__has_its_own_account_and_region() -> None:
    arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/prod/key"
    assert parse(arn, account="1", region="r") == SecretReference(
        kind="parameter", arn=arn, name="/prod/key", account="111122223333", region="eu-west-1"
    )


def test_parse__bare_name__is_a_parameter_of_the_task() -> None:
    assert parse("/prod/key", account="1", region="r") == SecretReference(
        kind="parameter", arn="", name="/prod/key", account="1", region="r"
    )
