"""What `fsd bootstrap` prints can be used as it stands there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import yaml

from fsd.account.grant import AccountPlace
from fsd.account.joined import Joined, parse_repository
from fsd.account.named import NamedResources, NotFollowing
from fsd.account.stack import CLUSTER, PROVIDER, AccountStack
from fsd.manifest.environments import load_environments
from fsd.release.ports import StackDrift
from fsd.report.bootstrap import (
    drift_text,
    entry_text,
    next_text,
    not_following_text,
    plan_text,
    settings_text,
)
from fsd.scaffold.workflow import write_deploy_workflow

PLACE = AccountPlace(partition="aws", account="123456789012", region="eu-west-1")
JOINED = Joined(
    repository=parse_repository("org/offers"), services=("api", "worker"), github_environment="dev"
)
STACK = AccountStack(environment="dev", cluster="main", joined=(JOINED,))
ROLE = "arn:aws:iam::123456789012:role/"


def test_entry_text__printed__is_a_valid_environment() -> None:
    environments, findings = load_environments(
        entry_text(STACK, JOINED, PLACE), path=".fsd/environments.yml"
    )

    assert findings == ()
    dev = environments["dev"]
    assert dev.github_environment == "dev"
    assert (dev.account, dev.region, dev.cluster) == ("123456789012", "eu-west-1", "main")
    assert dev.cloud_formation_role_arn == f"{ROLE}fsd-cloudformation-dev-org.offers"
    assert dev.permissions_boundary_arn == "arn:aws:iam::123456789012:policy/fsd-boundary-dev"


def test_settings_text__both_variables__where_github_has_them() -> None:
    text = settings_text(STACK, JOINED, PLACE)

    assert "https://github.com/org/offers/settings/environments\n   New environment: dev" in text
    assert f"FSD_ROLE = {ROLE}fsd-deploy-dev-org.offers" in text
    assert f"FSD_PLAN_ROLE = {ROLE}fsd-plan-dev-org.offers" in text


def test_plan_text__what_is_used_and_who_may__in_words() -> None:
    stack = AccountStack(
        environment="dev",
        cluster="dev",
        joined=(JOINED,),
        foreign=frozenset({PROVIDER, CLUSTER}),
    )

    assert plan_text(stack, (), PLACE).splitlines() == [
        "dev → 123456789012 · eu-west-1    stack bootstrap-fsd-dev",
        "  nothing to change",
        "",
        "  org/offers may deploy api, worker from jobs in its GitHub environment `dev`",
        "  org/offers's pull requests may read what a plan needs, and no secret",
        "  uses the cluster that the account has already",
        "  uses GitHub's identity provider that the account has already",
    ]


def test_plan_text__followers__who_may_promote_and_who_no_longer_may() -> None:
    def with_followers(*followers: str) -> AccountStack:
        named = NamedResources(followers=followers)
        return replace(STACK, joined=(replace(JOINED, named=named),))

    text = plan_text(
        with_followers("live:production"),
        (),
        PLACE,
        before=with_followers("live:production", "old:old", "qa").joined,
    )

    assert (
        "  org/offers's jobs in its GitHub environment `production` may do the same: live "
        "promotes from here\n" in text
    )
    assert "that deploy to live may no longer" not in text
    for gone in ("old", "qa"):
        assert (
            f"  org/offers's jobs that deploy to {gone} may no longer assume this deploy role to "
            "promote from here" in text
        )


def test_not_following_text__each_reason__has_a_fix() -> None:
    text = not_following_text(
        [(f"to-{why}", why) for why in NotFollowing], environment="dev", branches=("main", "next")
    )

    assert text.splitlines() == [
        "note: to-account-unknown promotes from dev, but only one of the two has an `account` in "
        ".fsd/environments.yml",
        "  fix: write the `account` of both, and run this again",
        "note: to-subject-unknown promotes from dev, but its document does not name its GitHub "
        "environment, so dev's deploy role does not trust its jobs",
        "  fix: write `githubEnvironment` in to-subject-unknown's document, with the name from "
        "`fsd bootstrap --env to-subject-unknown`, and run this again",
        "note: to-branches-trusted promotes from dev, but dev's deploy role trusts branches, so it "
        "trusts no GitHub environment: a workflow on any branch could name that",
        "  fix: promote in a job on main, next that has no `environment:`, or run this with "
        "--github-environment instead of --branch",
    ]


def test_next_text__workflow__is_one_and_has_the_environment() -> None:
    workflow = write_deploy_workflow(
        environment="dev", branch="main", service_file="service.yml", region="eu-west-1"
    )

    checked = subprocess.run(
        [Path(sys.executable).parent / "actionlint", "-"],
        input=workflow,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
    assert workflow in next_text(STACK, JOINED, PLACE, workflow)
    jobs = yaml.safe_load(workflow)["jobs"]
    assert jobs["deploy"]["environment"] == "dev"
    assert jobs["deploy"]["steps"][1]["with"]["role-to-assume"] == "${{ vars.FSD_ROLE }}"
    assert jobs["plan"]["steps"][1]["with"]["role-to-assume"] == "${{ vars.FSD_PLAN_ROLE }}"


def test_drift_text__detection_failed__why_and_not_that_nothing_was_changed() -> None:
    failed = StackDrift(is_complete=False, reason="Failed to detect drift on resource [Cluster]")

    assert drift_text(failed) == (
        "  ? CloudFormation could not compare every resource: "
        "Failed to detect drift on resource [Cluster]"
    )
    assert drift_text(StackDrift()) == "  nothing was changed by hand"
