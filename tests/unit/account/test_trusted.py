"""Trust policies as people have them, against the token that a workflow brings."""

from __future__ import annotations

import pytest

from fsd.account.joined import GitHubRepository
from fsd.account.trust import ISSUER, subjects
from fsd.account.trusted import other_audiences, trusted_subs, trusts_any
from fsd.compile.desired import Json

UNKNOWN_IDS = subjects(GitHubRepository(owner="org", name="offers"), "environment:prod")


def policy(conditions: Json, action: str = "sts:AssumeRoleWithWebIdentity") -> Json:
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::1:oidc-provider/{ISSUER}"},
        "Action": action,
        "Condition": conditions,
    }
    return {"Version": "2012-10-17", "Statement": statement}


def of_sub(*patterns: str, operator: str = "StringLike") -> Json:
    return policy({operator: {f"{ISSUER}:sub": [*patterns]}})


@pytest.mark.parametrize(
    ("document", "is_trusted"),
    [
        (of_sub("repo:org/offers:*"), True),
        (of_sub("repo:org/*"), True),
        (of_sub("repo:org/offers:environment:prod", operator="StringEquals"), True),
        (of_sub("repo:org@12/offers@34:environment:prod"), True),
        (of_sub("repo:org/offers:ref:refs/heads/main"), False),
        (of_sub("repo:org/offers:environment:dev"), False),
        (of_sub("repo:org/other:*", "repo:else/offers:*"), False),
        (of_sub("repo:org/offers"), False),
        (policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}), True),
        (policy({"StringEquals": {f"{ISSUER}:repository": "org/other"}}), False),
        (policy({"StringEquals": {f"{ISSUER}:job_workflow_ref": "org/w"}}), True),
        (policy({}, action="sts:AssumeRole"), False),
        # https://github.com/aws-actions/configure-aws-credentials/issues/318
        (policy({"StringEquals": {f"{ISSUER}:aud": "https://github.com/org"}}), False),
        ({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}]}, False),
        ({}, False),
    ],
)
def test_trusts_any__policy__as_aws_would_decide(document: Json, is_trusted: bool) -> None:
    assert trusts_any(document, UNKNOWN_IDS, repository="org/offers") is is_trusted


def test_trusted_subs__several__sorted_and_once() -> None:
    assert trusted_subs(of_sub("repo:b:*", "repo:a:*", "repo:b:*")) == ("repo:a:*", "repo:b:*")
    assert trusted_subs({}) == ()


def test_other_audiences__only_where_awss_own_is_not_taken() -> None:
    other = policy({"StringEquals": {f"{ISSUER}:aud": "https://github.com/org"}})

    assert other_audiences(other) == ("https://github.com/org",)
    assert other_audiences(of_sub("repo:b:*")) == ()
    assert other_audiences(policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}})) == ()
