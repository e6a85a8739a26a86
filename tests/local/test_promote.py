"""`fsd promote`: the same digest in the next environment, and every way in which it may not go."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsd.image.copying import ImageCopy
from fsd.image.push_retries import PushRetries
from fsd.image.registry_api import RegistryApi
from tests.local.cli import Fsd
from tests.local.conftest import commit, own_aws

ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata:
  name: dev
spec:
  region: us-east-1
---
apiVersion: fsd/v1
kind: Environment
metadata:
  name: prod
spec:
  region: {region}
  promoteFrom: dev
  overrides:
    environment.GREETING: hello-from-prod
"""
PROMOTE = ("promote", "--service", "hello", "--from", "dev", "--to", "prod")
DEPLOY = ("deploy", "--env", "dev", "--format", "json")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path) -> Iterator[Fsd]:
    with own_aws(Fsd(state=tmp_path / "state", cwd=hello)) as client:
        write(hello, "us-east-1")
        yield client


def write(folder: Path, region: str) -> None:
    (folder / ".fsd").mkdir(exist_ok=True)
    (folder / ".fsd" / "environments.yml").write_text(ENVIRONMENTS.format(region=region))
    commit(folder, "where it goes")


def test_promote__what_runs__is_the_same_digest_with_the_others_values(fsd: Fsd) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1").json()
    (fsd.cwd / "README.md").write_text("a change that is in no image of dev\n")
    commit(fsd.cwd, "a later commit")

    promoted = fsd.ok(*PROMOTE, "--format", "json").json()

    assert promoted["outcome"] == "succeeded"
    assert promoted["running"]["digest"] == first["running"]["digest"]
    assert promoted["running"]["version"] == "v1"
    assert promoted["running"]["commit"] == first["running"]["commit"]
    assert "built" not in fsd.ok(*PROMOTE).err  # again: nothing to do
    with fsd.client("ecs") as ecs:
        arn = ecs.describe_services(cluster="prod", services=["hello-prod"])["services"][0]
        definition = ecs.describe_task_definition(taskDefinition=arn["taskDefinition"])
    (container,) = definition["taskDefinition"]["containerDefinitions"]
    assert {"name": "GREETING", "value": "hello-from-prod"} in container["environment"]


def test_plan__where_only_promoted_images_go__ends_as_the_deployment_would(fsd: Fsd) -> None:
    plan = ("plan", "--env", "prod")
    empty = fsd.run(*plan, "--detailed-exitcode")
    refused = fsd.run("deploy", "--env", "prod")
    as_json = fsd.run(*plan, "--format", "json")
    fsd.ok(*DEPLOY, "--version", "v1")
    promoted = fsd.run(*plan, "--detailed-exitcode")
    write(fsd.cwd, "eu-west-1")
    copied = fsd.run(*plan)

    error = refused.err[refused.err.index("error[promotion-required]") :]
    assert (empty.code, refused.code, as_json.code) == (4, 4, 4), empty.text
    assert "to add" in empty.out
    assert "a deployment of this image would be refused" in empty.out
    assert empty.err.strip() == error.strip()
    assert [one["code"] for one in as_json.json()["refusals"]] == ["promotion-required"]
    assert (promoted.code, copied.code) == (10, 0), promoted.text
    assert "note: promoted from dev: hello-dev:1 (v1)" in promoted.out
    assert "note: promoted from dev: hello-dev:1 (v1)" in copied.out
    assert "is not built" not in copied.out


def test_promote__after_a_rollback__what_runs_and_not_what_is_newest(fsd: Fsd) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1").json()
    app = fsd.cwd / "app.py"
    app.write_text(f"{app.read_text()}\n# another image\n")
    commit(fsd.cwd, "another image")
    second = fsd.ok(*DEPLOY, "--version", "v2").json()
    assert second["running"]["digest"] != first["running"]["digest"]
    fsd.ok("rollback", "--service", "hello", "--env", "dev")

    back = fsd.ok(*PROMOTE, "--format", "json").json()
    named = fsd.ok(*PROMOTE, "--version", "v2", "--format", "json").json()

    assert back["running"]["digest"] == first["running"]["digest"]
    assert named["running"]["digest"] == second["running"]["digest"]


def test_promote__nothing_there_and_nothing_known__is_said(fsd: Fsd) -> None:
    absent = fsd.run(*PROMOTE)
    fsd.ok(*DEPLOY, "--version", "v1")
    unknown = fsd.run(*PROMOTE, "--version", "v9")
    itself = fsd.run("promote", "--service", "hello", "--from", "dev", "--to", "dev")
    other = fsd.run("promote", "--service", "bye", "--from", "dev", "--to", "prod")

    assert (absent.code, unknown.code, itself.code, other.code) == (2, 2, 2, 2), absent.text
    assert "hello does not run in dev" in absent.err
    assert "no release `v9`; known: v1" in unknown.err
    assert "service.yml is of hello, and not of bye" in other.err


def test_promote__manifest_of_another_commit__is_refused_and_says_which(fsd: Fsd) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    manifest = fsd.cwd / "service.yml"
    manifest.write_text(f"{manifest.read_text()}# changed\n")

    refused = fsd.run(*PROMOTE)

    assert refused.code == 4, refused.text
    assert "service.yml is not as" in refused.err
    assert "git checkout" in refused.err


def test_promote__release_that_failed__does_not_go(fsd: Fsd) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    broken = "environment.HELLO_BROKEN_HEALTH=1"
    app = fsd.cwd / "app.py"
    app.write_text(f"{app.read_text()}\n# another image\n")
    commit(fsd.cwd, "another image")
    assert fsd.run(*DEPLOY, "--version", "v2", "--override", broken).code == 6

    refused = fsd.run(*PROMOTE, "--version", "v2")

    assert refused.code == 4, refused.text
    assert "promotion-required" in refused.err


def test_promote__to_another_region__the_image_goes_there_once(fsd: Fsd) -> None:
    write(fsd.cwd, "eu-west-1")
    first = fsd.ok(*DEPLOY, "--version", "v1").json()

    promoted = fsd.ok(*PROMOTE, "--format", "json")
    again = fsd.ok(*PROMOTE, "--format", "json")

    result = promoted.json()
    assert result["outcome"] == "succeeded"
    assert result["running"]["digest"] == first["running"]["digest"]
    assert "/eu-west-1/hello@sha256:" in result["image"]
    assert "copied the image to" in promoted.err
    assert "copied" not in again.err
    assert tags_in(fsd, "eu-west-1") == [[first["running"]["commit"]]]
    history = fsd.ok("history", "--service", "hello", "--env", "prod", "--format", "json").json()
    assert [one["digest"] for one in history] == [first["running"]["digest"]]


def test_promote__image_that_another_tool_copied__gets_the_tag_too(fsd: Fsd) -> None:
    write(fsd.cwd, "eu-west-1")
    first = fsd.ok(*DEPLOY, "--version", "v1").json()["running"]
    registries = []
    for region in ("us-east-1", "eu-west-1"):
        with fsd.client("ecr", region) as ecr:
            if region == "eu-west-1":
                ecr.create_repository(repositoryName="hello")
            (found,) = ecr.describe_repositories(repositoryNames=["hello"])["repositories"]
        registries.append(open_registry(fsd, region, found["repositoryUri"]))
    retries = PushRetries(wait=lambda _: None)
    ImageCopy(source=registries[0], target=registries[1], retries=retries).run(first["digest"])
    assert tags_in(fsd, "eu-west-1") == [[]]

    promoted = fsd.ok(*PROMOTE, "--format", "json")

    assert "copied" not in promoted.err
    assert tags_in(fsd, "eu-west-1") == [[first["commit"]]]


def open_registry(fsd: Fsd, region: str, uri: str) -> RegistryApi:
    with fsd.client("ecr", region) as ecr:
        (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return RegistryApi(
        endpoint=data["proxyEndpoint"],
        repository=uri.partition("/")[2],
        log_in=lambda: (user, password),
    )


def tags_in(fsd: Fsd, region: str) -> list[list[str]]:
    """Of every image of the service there."""
    with fsd.client("ecr", region) as ecr:
        images = ecr.describe_images(repositoryName="hello")["imageDetails"]
    return [image.get("imageTags", []) for image in images]


def test_promote__what_has_failed__is_not_copied_to_another_region(fsd: Fsd) -> None:
    write(fsd.cwd, "eu-west-1")
    fsd.ok(*DEPLOY, "--version", "v1")
    app = fsd.cwd / "app.py"
    app.write_text(f"{app.read_text()}\n# another image\n")
    commit(fsd.cwd, "another image")
    broken = "environment.HELLO_BROKEN_HEALTH=1"
    assert fsd.run(*DEPLOY, "--version", "v2", "--override", broken).code == 6

    refused = fsd.run(*PROMOTE, "--version", "v2")

    assert (refused.code, "promotion-required" in refused.err) == (4, True), refused.text
    assert "copied" not in refused.err
