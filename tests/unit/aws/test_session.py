"""What a child process that speaks to AWS is given."""

from __future__ import annotations

import boto3
import pytest

from fsd.aws.session import AwsSession


def open_session(token: str | None) -> AwsSession:
    boto = boto3.session.Session("AKIDEXAMPLE", "secret", token, region_name="eu-west-1")
    return AwsSession(boto, endpoint_url=None, clock=None)


@pytest.mark.parametrize(
    ("token", "more"),
    [("token", {"AWS_SESSION_TOKEN": "token"}), (None, {})],
    ids=["a role's", "a user's"],
)
def test_key__credentials__are_the_variables_of_awss_programs(
    token: str | None, more: dict[str, str]
) -> None:
    assert open_session(token).key() == {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        **more,
    }
