"""Two accounts and two Regions in one embedded AWS: the same names everywhere, and none meets."""

from __future__ import annotations

import json
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.local.server.enforced import Account, allow, opened

PLACES = [
    (account, region)
    for account in ("111111111111", "222222222222")
    for region in ("us-east-1", "eu-west-1")
]
# Roles are an account's, not a Region's, so each Region is an environment of its own.
ENVIRONMENTS = {"us-east-1": "dev", "eu-west-1": "eu"}


def at(fsd: Fsd, account: str, region: str) -> Fsd:
    """The same command, with credentials of that account."""
    keys = fsd.aws_environment()
    extra = {**keys, "AWS_ACCESS_KEY_ID": account, "AWS_REGION": region}
    return Fsd(state=fsd.state, cwd=fsd.cwd, extra={**extra, "AWS_DEFAULT_REGION": region})


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_deploy__same_service_in_four_places__each_runs_its_own(fsd: Fsd, hello: Path) -> None:
    source = (hello / "app.py").read_text()
    deployed = {}
    for number, place in enumerate(PLACES):
        (hello / "app.py").write_text(f"{source}\n# {number}\n")
        commit(hello, f"for {place}")
        ended = at(fsd, *place).ok(
            "deploy",
            "--env",
            ENVIRONMENTS[place[1]],
            "--format",
            "json",
            "--version",
            f"v{number}",
        )
        deployed[place] = ended.json()

    services = {(s["account"], s["region"]): s for s in fsd.status()["services"]}
    assert set(services) == set(PLACES)
    images = set()
    with ExitStack() as stack:
        for number, (account, region) in enumerate(PLACES):
            cloud = stack.enter_context(opened(fsd.status()["endpoint"], account, fsd.secret()))
            (repository,) = cloud.client("ecr", region=region).describe_repositories()[
                "repositories"
            ]
            (image,) = cloud.client("ecr", region=region).describe_images(
                repositoryName=repository["repositoryName"]
            )["imageDetails"]
            assert repository["repositoryName"] == "hello"
            assert f"/{account}/{region}/hello" in repository["repositoryUri"]
            images.add(image["imageDigest"])
            for url in services[account, region]["urls"][1:]:
                assert get(url)["version"] == f"v{number}"
            _assert_apart(cloud, region, deployed[account, region])
    assert len(images) == len(PLACES)

    at(fsd, *PLACES[0]).ok("delete", "--service", "hello", "--env", "dev", "--yes")
    left = {(s["account"], s["region"]) for s in fsd.status()["services"]}
    assert left == set(PLACES[1:])


def _assert_apart(cloud: Account, region: str, deployed: Any) -> None:
    """One stack and one log group, with its own lines only."""
    logs = cloud.client("logs", region=region)
    (stack,) = cloud.client("cloudformation", region=region).describe_stacks()["Stacks"]
    (group,) = logs.describe_log_groups()["logGroups"]
    events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    started = [e["message"] for e in events if " listens on " in e["message"]]
    assert stack["StackName"] == f"fsd-hello-{ENVIRONMENTS[region]}"
    assert started
    assert all(f" {deployed['running']['version']} " in message for message in started)


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_secrets__same_name_in_four_places__are_apart(fsd: Fsd) -> None:
    with ExitStack() as stack:
        clients = [
            stack.enter_context(opened(fsd.status()["endpoint"], account, fsd.secret())).client(
                "secretsmanager", region=region
            )
            for account, region in PLACES
        ]
        for number, client in enumerate(clients):
            client.create_secret(Name="db", SecretString=f"value {number}")
        found = [client.get_secret_value(SecretId="db")["SecretString"] for client in clients]
    assert found == [f"value {number}" for number in range(len(PLACES))]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__promotion_into_another_account__takes_what_succeeded_in_the_first(
    fsd: Fsd, hello: Path
) -> None:
    (hello / ".fsd").mkdir()
    environments = {"staging": "111111111111", "prod": "222222222222"}
    with ExitStack() as stack:
        text = ""
        for name, account in environments.items():
            cloud = stack.enter_context(opened(fsd.status()["endpoint"], account, fsd.secret()))
            # Without enforcement any role may be assumed, but it has to be there.
            role = cloud.role("deployer", allow("*"), trusts="*")
            text += (
                f"---\napiVersion: fsd/v1\nkind: Environment\nmetadata:\n  name: {name}\n"
                f"spec:\n  account: '{account}'\n  region: us-east-1\n  roleArn: {role}\n"
                + ("  promoteFrom: staging\n" if name == "prod" else "")
            )
    (hello / ".fsd" / "environments.yml").write_text(text)
    commit(hello, "where it goes")
    client = at(fsd, "333333333333", "us-east-1")

    deploy = ("deploy", "--version", "v1", "--format", "json", "--env")
    staged = client.ok(*deploy, "staging").json()
    with opened(fsd.status()["endpoint"], environments["staging"], fsd.secret()) as cloud:
        (repository,) = cloud.client("ecr").describe_repositories()["repositories"]
    image = f"{repository['repositoryUri']}@{staged['running']['digest']}"
    promoted = client.ok(*deploy, "prod", "--image", image).json()
    (hello / "app.py").write_text((hello / "app.py").read_text() + "# changed\n")
    another = client.run(*deploy, "prod")

    assert promoted["outcome"] == "succeeded"
    assert promoted["running"]["digest"] == staged["running"]["digest"]
    assert another.code == 4, another.text
    assert "promotion-required" in another.err
    found = {service["account"] for service in fsd.status()["services"]}
    assert found == set(environments.values())
