"""From dev to prod in one workflow: another account, another Region, the same digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.action.act import Act, Ran
from tests.action.conftest import World
from tests.action.workflow import ActionStep, Ended, commit, git, head
from tests.local.cli import Fsd

DEV, PROD = ("111111111111", "us-east-1"), ("222222222222", "eu-west-1")
ROLES = {place: f"arn:aws:iam::{place[0]}:role/fsd-deploy" for place in (DEV, PROD)}
ENVIRONMENTS = f"""\
apiVersion: fsd/v1
kind: Environment
metadata:
  name: dev
spec:
  account: '{DEV[0]}'
  region: {DEV[1]}
  roleArn: {ROLES[DEV]}
---
apiVersion: fsd/v1
kind: Environment
metadata:
  name: prod
spec:
  account: '{PROD[0]}'
  region: {PROD[1]}
  promoteFrom: dev
"""
MAIN: dict[str, Any] = {"event": "push", "ref": "refs/heads/main", "payload": {}}


@pytest.fixture
def runtime() -> str:
    """What these tests are about does not depend on how tasks run."""
    return "process"


@pytest.fixture
def repository(world: World) -> Path:
    """With an account of its own for each environment."""
    folder = world.repository
    (folder / ".fsd").mkdir()
    (folder / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    workflow = folder / ".github" / "workflows" / "promote.yml"
    # On GitHub each environment has a variable FSD_ROLE of its own; act knows no environments.
    before, prod, after = workflow.read_text().partition("  prod:\n")
    assert after.count("${{ vars.FSD_ROLE }}") == 1
    after = after.replace("${{ vars.FSD_ROLE }}", ROLES[PROD])
    workflow.write_text(f"{before.replace('${{ vars.FSD_ROLE }}', ROLES[DEV])}{prod}{after}")
    git(folder, "branch", "--move", "main")
    commit(folder, "Say where dev and prod are")
    return folder


@contextmanager
def owner(world: World, place: tuple[str, str]) -> Iterator[Fsd]:
    """The account's root user, at a terminal."""
    account, region = place
    keys = {**world.fsd.aws_environment(), "AWS_ACCESS_KEY_ID": account}
    extra = {**keys, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    cwd = world.fsd.state.parent  # without the environments file, whose role trusts workflows
    yield Fsd(state=world.fsd.state, cwd=cwd, extra=extra)


def history(world: World, place: tuple[str, str], environment: str) -> Any:
    with owner(world, place) as fsd:
        listed = fsd.ok(
            "history", "--service", "hello", "--env", environment, "--format", "json"
        ).json()
        table = fsd.ok("history", "--service", "hello", "--env", environment).out
    return listed, table


def test_promotion__dev_and_then_prod_in_one_run__equal_digests_and_the_path_is_kept(
    act: Act, world: World, repository: Path
) -> None:
    sha = head(repository)
    world.github.add_pull(7, sha)

    ran: Ran = act.run("promote.yml", "push", {"ref": "refs/heads/main"})

    assert ran.code == 0, ran.log
    comments = {
        body.partition(" -->")[0].rpartition(":")[2]: body for body in world.github.bodies(7)
    }
    assert comments.keys() == {"dev", "prod"}
    assert f"✅ hello {sha[:7]} is running in prod" in comments["prod"]
    assert "Promoted from dev hello-dev:1, released 20" in comments["prod"]
    assert "Promoted" not in comments["dev"]
    assert "copied the image to" in ran.log
    (dev,), _ = history(world, DEV, "dev")
    (prod,), table = history(world, PROD, "prod")
    assert (prod["digest"], prod["commit"]) == (dev["digest"], sha)
    (stage,) = prod["promotedFrom"]
    assert (stage["environment"], stage["revision"]) == ("dev", "hello-dev:1")
    assert stage["run"] == dev["run"] != ""
    assert f"{stage['at']:.16}" == f"{dev['at']:.16}"
    assert "PATH    dev hello-dev:1 (20" in table
    assert table.rstrip().endswith("→ here")


def deploy(step: ActionStep, environment: str, *, aws_region: str = "") -> Ended:
    place = DEV if environment == "dev" else PROD
    return step.run(
        **MAIN, environment=environment, role_to_assume=ROLES[place], aws_region=aws_region
    )


@pytest.mark.usefixtures("repository")
def test_promotion__aws_region_of_prod__is_not_that_of_dev(step: ActionStep) -> None:
    dev = deploy(step, "dev")
    prod = deploy(step, "prod", aws_region=PROD[1])
    again = deploy(step, "prod")

    assert (dev.code, prod.code, again.code) == (0, 0, 0), prod.log + again.log
    assert prod.outputs["image-digest"] == dev.outputs["image-digest"]
    assert f".{PROD[1]}." in prod.outputs["image"] or f"/{PROD[1]}/" in prod.outputs["image"]
    assert again.outputs["outcome"] == "unchanged"
    assert "copied the image" not in again.log


@pytest.mark.usefixtures("repository")
def test_promotion__image_of_devs_registry_that_is_given__is_copied_too(step: ActionStep) -> None:
    dev = deploy(step, "dev")

    prod = step.run(
        **MAIN, environment="prod", role_to_assume=ROLES[PROD], image=dev.outputs["image"]
    )

    assert prod.code == 0, prod.log
    assert prod.outputs["image-digest"] == dev.outputs["image-digest"]
    assert PROD[0] in prod.outputs["image"]
    assert DEV[0] not in prod.outputs["image"]
    assert "copied the image" in prod.log


def test_promotion__commit_that_dev_does_not_have__is_neither_built_nor_copied(
    step: ActionStep, world: World, repository: Path
) -> None:
    deploy(step, "dev")
    app = repository / "app.py"
    app.write_text(f"{app.read_text()}\n# another image\n")
    commit(repository, "Another image")

    prod = deploy(step, "prod")

    assert prod.outputs["outcome"] == "refused", prod.log
    assert "accepts only what has succeeded in dev" in prod.summary
    with owner(world, PROD) as fsd, fsd.client("ecr", PROD[1]) as ecr:
        assert json.dumps(ecr.describe_repositories()["repositories"]) == "[]"


def test_promotion__role_of_dev_that_is_not_there__says_which(
    step: ActionStep, repository: Path
) -> None:
    deploy(step, "dev")
    environments = repository / ".fsd" / "environments.yml"
    environments.write_text(environments.read_text().replace(f"  roleArn: {ROLES[DEV]}\n", ""))
    commit(repository, "Forget dev's role")

    prod = deploy(step, "prod")

    assert prod.code == 4, prod.log
    assert f"and dev is in {DEV[0]}" in prod.summary
