"""A listener rule that changes while traffic shifts: no request may reach an empty target group."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit
from tests.local.site import Site

SERVICE = Path(__file__).parent.parent / "table" / "service"
BLUE_GREEN = ("deployment.strategy=blueGreen", "deployment.bakeTime=1")


def behind(*paths: str) -> str:
    quoted = ", ".join(f'"{path}"' for path in paths)
    return f"networking.loadBalancer={{type: application, shared: web, paths: [{quoted}]}}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "planted"
    shutil.copytree(SERVICE, folder)
    commit(folder, "first")
    owner = Fsd(state=tmp_path / "state", cwd=folder)
    owner.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    keys = owner.aws_environment()
    session = boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=keys["AWS_REGION"],
    )
    made: dict[str, Any] = {}

    def client(name: str) -> Any:
        if name not in made:
            made[name] = session.client(
                name,
                endpoint_url=keys["AWS_ENDPOINT_URL"],
                config=Config(retries={"total_max_attempts": 1}),
            )
        return made[name]

    try:
        yield Site(fsd=Fsd(state=owner.state, cwd=owner.cwd, extra=keys), env="r1", client=client)
    finally:
        owner.run("local", "down")


def requests_go_to(site: Site) -> dict[str, int]:
    """The target groups of the production rule that get requests."""
    (found,) = site.client("ecs").describe_services(cluster=site.env, services=[site.service])[
        "services"
    ]
    rule = found["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
    (described,) = site.client("elbv2").describe_rules(RuleArns=[rule])["Rules"]
    groups = described["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups if group["Weight"]}


def test_rollback__rule_changes_and_tasks_crash_after_the_shift__requests_go_to_tasks(
    site: Site,
) -> None:
    first = site.deploy(*BLUE_GREEN, behind("/*"))
    assert first.code == 0, first.text
    watched = f"deployment.steadyFor={25 * int(SPEED)}"  # as long as the tasks live
    crashes = ("environment.EXITS=5", "environment.EXITS_AFTER=25", watched)

    failed = site.deploy(*BLUE_GREEN, behind("/*", "/api/*"), *crashes)

    (group,) = requests_go_to(site)
    health = site.client("elbv2").describe_target_health(TargetGroupArn=group)
    assert failed.code == 6, failed.text
    assert health["TargetHealthDescriptions"] != [], failed.text
