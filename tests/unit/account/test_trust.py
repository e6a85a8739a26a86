"""Who may assume the roles, and who is only nearly the one who may."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from fsd.account.issuer import ISSUER
from fsd.account.joined import (
    Joined,
    find_counterpart,
    join,
    parse_repository,
    read_joined,
    write_joined,
)
from fsd.account.named import (
    NamedResources,
    NotFollowing,
    find_not_following,
    read_followers,
    read_promoted,
)
from fsd.account.trust import (
    trust_deployments,
    trust_plans,
)
from fsd.errors import UsageError
from fsd.manifest.environments import Environment, default_environment

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def joined(repo: str = "org/offers", *services: str, **more: Any) -> Joined:
    given = {"github_environment": "prod", "services": services or ("offer-api",), **more}
    return Joined(repository=parse_repository(repo), **given)


def trusts(document: Any, **claims: str) -> bool:
    """Whether a token with these claims, and GitHub's audience, meets the trust policy."""
    token = {f"{ISSUER}:{key}": value for key, value in {"aud": AUD, **claims}.items()}
    (statement,) = document["Statement"]
    exact, like = statement["Condition"]["StringEquals"], statement["Condition"]["StringLike"]
    return all(token.get(key) == value for key, value in exact.items()) and all(
        any(
            fnmatchcase(token.get(key, ""), pattern)
            for pattern in (patterns if isinstance(patterns, list) else [patterns])
        )
        for key, patterns in like.items()
    )


AUD = "sts.amazonaws.com"
OLD = "repo:org/offers:environment:prod"
NEW = "repo:org@1234/offers@5678:environment:prod"
IDS = {"repository": "org/offers", "repository_id": "5678"}


@pytest.mark.parametrize("repo", ["org/offers", "org@1234/offers@5678"])
@pytest.mark.parametrize("sub", [OLD, NEW])
def test_trust_deployments__both_forms_of_sub__are_trusted(repo: str, sub: str) -> None:
    document = trust_deployments(joined(repo), provider=PROVIDER)

    assert trusts(document, sub=sub, **IDS)


@pytest.mark.parametrize("repo", ["org/offers", "org@1234/offers@5678"])
@pytest.mark.parametrize(
    ("sub", "claims"),
    [
        ("repo:org/offers:environment:dev", {}),
        ("repo:org/offers:pull_request", {}),
        ("repo:org/offers:ref:refs/heads/main", {}),
        ("repo:org/other:environment:prod", {"repository": "org/other", "repository_id": "9"}),
        ("repo:evil/offers:environment:prod", {"repository": "evil/offers", "repository_id": "9"}),
        (
            "repo:org@1/other@2:environment:x/offers@3:environment:prod",
            {"repository": "org/other", "repository_id": "2"},
        ),
        (OLD, {"aud": "https://github.com/org"}),
    ],
)
def test_trust_deployments__nearly_the_one__is_not_trusted(
    repo: str, sub: str, claims: dict[str, str]
) -> None:
    document = trust_deployments(joined(repo), provider=PROVIDER)

    assert not trusts(document, sub=sub, **{**IDS, **claims})


def test_trust_deployments__repository_that_was_deleted_and_made_anew__is_not_the_one() -> None:
    document = trust_deployments(joined("org@1234/offers@5678"), provider=PROVIDER)

    assert not trusts(document, sub=OLD, repository="org/offers", repository_id="9999")


def test_trust_deployments__branches__instead_of_the_environment() -> None:
    document = trust_deployments(
        joined(github_environment="", branches=("main",)), provider=PROVIDER
    )

    assert trusts(document, sub="repo:org/offers:ref:refs/heads/main", **IDS)
    assert not trusts(document, sub="repo:org/offers:ref:refs/heads/dev", **IDS)
    assert not trusts(document, sub=OLD, **IDS)


def test_trust_deployments__environment_that_promotes_from_here__is_trusted_too() -> None:
    named = NamedResources(followers=("production:live", "qa"))
    document = trust_deployments(joined(named=named), provider=PROVIDER)

    assert trusts(document, sub=OLD, **IDS)
    assert trusts(document, sub=OLD.replace("prod", "live"), **IDS)
    assert not trusts(document, sub=OLD.replace("prod", "qa"), **IDS)
    assert not trusts(document, sub="repo:org/offers:pull_request", **IDS)


def test_trust_deployments__branches__no_github_environment_beside_them() -> None:
    """On any branch, a workflow can name an environment that is not there yet."""
    named = NamedResources(followers=("prod:prod",))
    document = trust_deployments(
        joined(github_environment="", branches=("staging",), named=named), provider=PROVIDER
    )

    assert trusts(document, sub="repo:org/offers:ref:refs/heads/staging", **IDS)
    assert not trusts(document, sub=OLD, **IDS)
    assert "environment" not in str(document)


def far_and_near() -> tuple[Environment, ...]:
    return tuple(
        replace(
            default_environment(name),
            account=account,
            promote_from=source,
            github_environment=github,
        )
        for name, account, source, github in (
            ("dev", "1", None, None),
            ("near", "1", "dev", "near"),
            ("far", "2", "dev", "production"),
            ("unnamed", "2", "dev", None),
            ("anywhere", None, "dev", "anywhere"),
            ("other", "2", "far", "other"),
        )
    )


def test_read_followers__environments__those_of_other_accounts_that_promote_from_it() -> None:
    every = far_and_near()

    assert read_followers(every[0], every) == ("far:production",)
    assert read_followers(replace(every[0], account=None), every) == ()


def test_find_not_following__environments__each_with_the_reason() -> None:
    every = far_and_near()
    dev = every[0]

    assert find_not_following(dev, every, trusts_branches=False) == (
        ("unnamed", NotFollowing.SUBJECT_UNKNOWN),
        ("anywhere", NotFollowing.ACCOUNT_UNKNOWN),
    )
    assert find_not_following(dev, every, trusts_branches=True) == (
        ("far", NotFollowing.BRANCHES_TRUSTED),
        ("unnamed", NotFollowing.BRANCHES_TRUSTED),
        ("anywhere", NotFollowing.ACCOUNT_UNKNOWN),
    )
    assert {
        why
        for _, why in find_not_following(replace(dev, account=None), every, trusts_branches=False)
    } == {NotFollowing.ACCOUNT_UNKNOWN}


@pytest.mark.parametrize(
    ("here", "there", "is_read"),
    [("1", "1", True), (None, "1", True), ("1", None, True), (None, None, True), ("1", "2", False)],
)
def test_read_promoted__account_that_is_not_written__may_be_the_same(
    here: str | None, there: str | None, is_read: bool
) -> None:
    prod = replace(default_environment("prod"), account=here)
    dev = replace(default_environment("dev"), account=there)

    assert read_promoted(prod, dev) == (("dev:dev:",) if is_read else ())


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("fsd-deploy-prod-org.offers", "arn:aws:iam::111:role/fsd-deploy-dev-org.offers"),
        ("fsd-deploy-dev-org.offers", ""),
        ("deployer", ""),
    ],
)
def test_find_counterpart__role__that_of_the_same_repository_or_none(role: str, found: str) -> None:
    arn = f"arn:aws:iam::222:role/{role}"

    for repository in ("Org/Offers", "org/renamed", ""):
        asked = {"environment": "prod", "other": "dev", "repository": repository}
        assert find_counterpart(arn, account="111", **asked) == found
        assert find_counterpart(arn, account="222", **asked) == ""


@pytest.mark.parametrize("length", range(35, 101))
@pytest.mark.parametrize(("environment", "other"), [("prod", "dev"), ("dev", "production")])
def test_find_counterpart__long_repository__the_name_that_bootstrap_made(
    length: int, environment: str, other: str
) -> None:
    offers = joined(f"Org/{'Offers-'.ljust(length, 'x')}")
    own = f"arn:aws:iam::222:role/{offers.role('deploy', environment)}"

    found = find_counterpart(
        own,
        environment=environment,
        other=other,
        account="111",
        repository=str(offers.repository),
    )

    assert found == f"arn:aws:iam::111:role/{offers.role('deploy', other)}"


def test_find_counterpart__cut_name_of_an_unknown_repository__is_not_guessed() -> None:
    own = f"arn:aws:iam::222:role/{joined('org/' + 'x' * 60).role('deploy', 'prod')}"
    asked = {"environment": "prod", "other": "dev", "account": "111"}

    assert find_counterpart(own, repository="", **asked) == ""
    assert find_counterpart(own, repository="org/renamed", **asked) == ""


def test_trust_deployments__workflow__no_other_one() -> None:
    ours = "org/flows/.github/workflows/deploy.yml@refs/heads/main"
    document = trust_deployments(joined(workflow=ours), provider=PROVIDER)

    assert trusts(document, sub=OLD, job_workflow_ref=ours, **IDS)
    assert not trusts(document, sub=OLD, job_workflow_ref=ours.replace("main", "x"), **IDS)
    assert not trusts(document, sub=OLD, **IDS)


def test_trust_plans__pull_requests_only() -> None:
    document = trust_plans(joined(), provider=PROVIDER)

    assert trusts(document, sub="repo:org/offers:pull_request", **IDS)
    assert not trusts(document, sub=OLD, **IDS)


@pytest.mark.parametrize(
    "text", ["offers", "org/", "org/*", "*/offers", "org/offers/x", "org@1/offers", "", "o g/x"]
)
def test_parse_repository__no_repository__is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a repository"):
        parse_repository(text)


def test_join__same_repository_again__services_add_up_and_ids_stay() -> None:
    first = join((), joined("org@1/offers@2", "api"))

    second = join(first, joined("Org/Offers", "worker", github_environment="live"))

    assert second == (joined("org@1/offers@2", "api", "worker", github_environment="live"),)
    assert [one.repository.written for one in join(second, joined("a/b"))] == [
        "a/b",
        "org@1/offers@2",
    ]


def test_join__environments_file_that_says_it_no_longer__is_not_kept() -> None:
    before = NamedResources(
        followers=("prod:prod",), promoted=("qa:qa:",), scans=("high",), zones=("Z1",)
    )
    now = NamedResources(followers=("live:live",), zones=("Z2",))

    (found,) = join((joined(named=before),), joined(named=now))

    assert found.named == NamedResources(followers=("live:live",), zones=("Z1", "Z2"))


def test_read_joined__what_was_written__is_read() -> None:
    found = (joined("a/b", workflow="w", github_environment="", branches=("main", "x")),)

    assert read_joined(write_joined(found)) == found
    assert read_joined({"something": "else"}) == ()
