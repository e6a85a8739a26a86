"""Trust policies as people have them, against the token that a workflow brings."""

from __future__ import annotations

import pytest

from fsd.account.issuer import ISSUER
from fsd.account.joined import GitHubRepository
from fsd.account.statements import fits
from fsd.account.trust import (
    subjects,
)
from fsd.account.trusted import (
    denies_all,
    is_for_others,
    literal_stars,
    other_audiences,
    trusted_subs,
    trusts_any,
)
from fsd.compile.desired import Json, JsonValue

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


def both(*conditions: Json) -> Json:
    return policy({name: {f"{ISSUER}:sub": of} for one in conditions for name, of in one.items()})


def with_deny(sub: str, **more: JsonValue) -> Json:
    deny: Json = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole*",
        "Condition": {"StringLike": {f"{ISSUER}:sub": sub, **more}},
    }
    return {"Statement": [of_sub("repo:org/*")["Statement"], deny]}


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
        # Ids that are not known
        (of_sub("repo:org@12/offers@34:*"), True),
        (of_sub("repo:org@*/offers@3?:environment:*"), True),
        (of_sub("repo:org@x/offers@34:*"), False),
        (of_sub("repo:org@12/offers@34:environment:prod", operator="StringEquals"), True),
        # Each operator by its own rules
        (of_sub("repo:org/offers:*", operator="StringEquals"), False),
        (of_sub("repo:org@*/offers@*:environment:prod", operator="StringEquals"), False),
        (of_sub("repo:org/offers:*", operator="StringEqualsIgnoreCase"), False),
        (of_sub("REPO:ORG/offers:environment:PROD", operator="StringEqualsIgnoreCase"), True),
        (of_sub("repo:*", operator="StringNotLike"), False),
        (of_sub("repo:other/*", operator="StringNotLike"), True),
        (of_sub(*UNKNOWN_IDS, operator="StringNotLike"), False),
        (of_sub("repo:org/offers:environment:dev", operator="StringNotEquals"), True),
        (of_sub("repo:org/*", operator="ForAnyValue:StringLike"), True),
        (of_sub("repo:else/*", operator="ForAllValues:StringLike"), False),
        (of_sub("repo:else/*", operator="StringLikeIfExists"), False),
        (of_sub("repo:else/*", operator="ArnLike"), True),
        # Only the case of the names differs, which `origin` may have otherwise than GitHub
        (of_sub("repo:Org/Offers:environment:prod", operator="StringEquals"), True),
        (of_sub("repo:Org@*/Offers@*:environment:prod"), True),
        (of_sub("repo:org/offers:environment:Prod"), False),
        (policy({"StringEquals": {f"{ISSUER}:repository": "Org/Offers"}}), True),
        # https://github.com/aws-actions/configure-aws-credentials/issues/1137
        (of_sub("repo:org/*", operator="StringEquals"), False),
        # All conditions have to hold
        (both({"StringLike": "repo:org/*"}, {"StringEquals": "repo:org/offers:ref:x"}), False),
        (both({"StringLike": "repo:org/*"}, {"StringNotLike": "*:pull_request"}), True),
        # A Deny statement
        (with_deny("repo:org/*"), False),
        (with_deny("*:pull_request"), True),
        (with_deny("repo:org/*", **{"aws:SourceIp": "192.0.2.0/24"}), True),
        ({}, False),
    ],
)
def test_trusts_any__policy__as_aws_would_decide(document: Json, is_trusted: bool) -> None:
    assert trusts_any(document, UNKNOWN_IDS, repository="org/offers") is is_trusted


@pytest.mark.parametrize(
    ("document", "is_trusted"),
    [
        (of_sub("repo:org/offers:ref:refs/heads/release/1.0", operator="StringEquals"), True),
        (of_sub("repo:org/offers:ref:refs/heads/release/*"), True),
        (of_sub("repo:org/offers:ref:refs/heads/release/"), True),
        (of_sub("repo:org/offers:ref:refs/heads/main"), False),
        (of_sub("repo:org/offers:ref:refs/heads/release/*", operator="StringEquals"), False),
    ],
)
def test_trusts_any__branches_by_a_pattern__any_of_them(document: Json, is_trusted: bool) -> None:
    repository = GitHubRepository(owner="org", name="offers", owner_id="1", id="2")
    branches = subjects(repository, "ref:refs/heads/release/*")

    assert trusts_any(document, branches, repository="org/offers") is is_trusted


def test_trusted_subs__several__sorted_and_once() -> None:
    assert trusted_subs(of_sub("repo:b:*", "repo:a:*", "repo:b:*")) == ("repo:a:*", "repo:b:*")
    assert trusted_subs({}) == ()


def test_trusted_subs__negated__are_none() -> None:
    assert trusted_subs(both({"StringNotLike": "repo:a:*"}, {"StringLike": "repo:b:*"})) == (
        "repo:b:*",
    )


def test_literal_stars__only_of_string_equals() -> None:
    assert literal_stars(of_sub("repo:a:*", "repo:b:x", operator="StringEquals")) == ("repo:a:*",)
    assert literal_stars(of_sub("repo:a:*")) == ()


def test_denies_all__only_what_would_be_taken_otherwise() -> None:
    def denies(document: Json) -> bool:
        return denies_all(document, UNKNOWN_IDS, repository="org/offers")

    assert denies(with_deny("repo:org/*")) is True
    assert denies(with_deny("*:pull_request")) is False
    assert denies(of_sub("repo:else/*")) is False


def chained(principal: JsonValue, action: str = "sts:AssumeRole") -> Json:
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": action}]}


@pytest.mark.parametrize(
    ("document", "is_others"),
    [
        (chained({"AWS": "arn:aws:iam::1:role/runner"}), True),
        (chained({"Service": "ec2.amazonaws.com"}), True),
        (chained({"Federated": f"arn:aws:iam::1:oidc-provider/{ISSUER}/acme"}, "sts:*"), True),
        (
            chained(
                {"Federated": f"arn:aws:iam::1:oidc-provider/{ISSUER}/acme"},
                "sts:AssumeRoleWithWebIdentity",
            ),
            True,
        ),
        (
            chained(
                {"Federated": "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"},
                "sts:AssumeRoleWithWebIdentity",
            ),
            True,
        ),
        (chained({"AWS": "arn:aws:iam::1:root"}, "sts:TagSession"), False),
        (chained({"Federated": f"arn:aws:iam::1:oidc-provider/{ISSUER}"}), False),
        (of_sub("repo:else/*"), False),
        ({}, False),
    ],
)
def test_is_for_others__no_token_of_github_gets_in__but_somebody_else(
    document: Json, is_others: bool
) -> None:
    assert is_for_others(document) is is_others


def test_other_audiences__only_where_awss_own_is_not_taken() -> None:
    other = policy({"StringEquals": {f"{ISSUER}:aud": "https://github.com/org"}})

    assert other_audiences(other) == ("https://github.com/org",)
    assert other_audiences(of_sub("repo:b:*")) == ()
    assert other_audiences(policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}})) == ()


@pytest.mark.parametrize(
    ("pattern", "text", "is_fit"),
    [
        ("repo:o/r:*", "repo:o/r:ref:refs/heads/main", True),
        ("repo:o/?:*", "repo:o/r:x", True),
        ("[ab]*", "a", False),
        ("[ab]*", "[ab]x", True),
        ("*a" * 20 + "*b", "a" * 150, False),  # as a regular expression it would take years
    ],
)
def test_fits__wildcards_of_iam__and_no_others(pattern: str, text: str, is_fit: bool) -> None:
    assert fits(pattern, text) is is_fit
