"""The example workflows, as they stand, under act."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.action.act import Act
from tests.action.conftest import World
from tests.action.workflow import break_health, git, head

DEV = "<!-- fsd:hello:dev -->"
PLAN = "<!-- fsd:hello:plan -->"
STAGING = {"ref": "refs/heads/staging"}
# What is about GitHub does not depend on how tasks run.
ONE_RUNTIME = pytest.mark.parametrize("runtime", ["process"])


def answer(world: World) -> dict[str, str]:
    """What the service says through its load balancer."""
    (service,) = world.fsd.status()["services"]
    with urllib.request.urlopen(service["urls"][-1], timeout=10) as got:
        body: dict[str, str] = json.load(got)
    return body


def test_deploy__push_to_staging_good_then_broken__verdicts_comments_and_the_old_serves(
    act: Act, world: World
) -> None:
    sha = head(world.repository)
    world.github.add_pull(7, sha)

    good = act.run("deploy.yml", "push", STAGING)

    assert good.code == 0, good.log
    outputs = good.outputs
    assert (outputs["outcome"], outputs["environment"]) == ("succeeded", "dev")
    assert outputs["task-definition-arn"].endswith(":task-definition/hello-dev:1")
    assert outputs["image"].endswith(f"@{outputs['image-digest']}")
    assert outputs["comment-url"] == "https://github.com/org/hello/pull/7#1"
    assert f"✅ hello {sha[:7]} is running in dev" in good.summary
    (comment,) = world.github.bodies(7)
    assert comment.startswith(DEV)
    assert f"✅ hello {sha[:7]} is running in dev — 2 of 2 healthy" in comment

    broken_sha = break_health(world.repository)
    world.github.add_pull(8, broken_sha)

    broken = act.run("deploy.yml", "push", STAGING)

    assert broken.code != 0
    assert "exit status 6" in broken.log
    outputs = broken.outputs
    assert outputs["outcome"] == "rolled-back"
    assert outputs["previous-task-definition-arn"].endswith(":task-definition/hello-dev:1")
    (comment,) = world.github.bodies(8)
    assert f"❌ hello {broken_sha[:7]} was rolled back in dev" in comment
    assert "health-check-failed" in comment
    assert "500" in comment
    assert "@org/hello" in comment
    assert "health-check-failed" in broken.summary
    assert answer(world)["version"] == sha[:7]


@ONE_RUNTIME
def test_deploy__the_same_commit_from_staging_to_main__the_same_bytes_in_prod(
    act: Act, world: World
) -> None:
    staging = act.run("deploy.yml", "push", STAGING)
    git(world.repository, "branch", "--move", "main")

    main = act.run("deploy.yml", "push", {"ref": "refs/heads/main"})

    assert (staging.code, main.code) == (0, 0), staging.log + main.log
    assert main.outputs["environment"] == "prod"
    assert main.outputs["image-digest"] == staging.outputs["image-digest"]
    assert "reused from an earlier build" in main.log
    assert main.outputs["comment-url"] == ""


@ONE_RUNTIME
def test_deploy__a_job__shows_no_token_and_keeps_no_credentials(act: Act, world: World) -> None:
    ran = act.run("deploy.yml", "push", STAGING)

    assert ran.code == 0, ran.log
    assert world.issuer.audiences == ["sts.amazonaws.com"]
    for token in world.issuer.tokens:
        assert token not in ran.log
    assert "ghs_loopback" not in ran.log


@ONE_RUNTIME
def test_pull_request__of_this_repository__one_comment_with_a_plan_for_where_it_goes(
    act: Act, world: World
) -> None:
    payload = {
        "number": 9,
        "pull_request": {
            "number": 9,
            "head": {
                "ref": "feature",
                "sha": head(world.repository),
                "repo": {"full_name": "org/hello"},
            },
            "base": {"ref": "main", "repo": {"full_name": "org/hello"}},
        },
    }
    for talk in ("one", "two", "three"):
        world.github.add_comment(9, talk, login="amy", kind="User")

    first = act.run("pull-request.yml", "pull_request", payload)
    second = act.run("pull-request.yml", "pull_request", payload)

    assert (first.code, second.code) == (0, 0), first.log + second.log
    assert first.outputs["outcome"] == "planned"
    comment = world.github.bodies(9)[3:]
    assert len(comment) == 1
    assert comment[0].startswith(PLAN)
    assert "### 📋 hello: plan for prod" in comment[0]
    assert "to add" in comment[0]
    assert "fsd-hello-prod" in comment[0]
    services = world.fsd.status()["services"]
    assert services == []
