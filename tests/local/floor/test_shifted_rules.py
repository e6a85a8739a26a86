"""A listener rule that changes while traffic shifts: no request may reach an empty target group."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.local.cli import Ended, Fsd
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


def test_deploy__rule_points_at_an_empty_target_group__seen_and_returned_first(site: Site) -> None:
    """Somebody's tool has put the weights back that the rule was made with."""
    site.with_base(*BLUE_GREEN)
    (serving,) = requests_go_to(site)
    empty = turn_rule(site)

    found, planned = site.diagnose(), site.fsd.run("plan", *site.command(*BLUE_GREEN)[1:])
    repaired = site.deploy(*BLUE_GREEN)

    assert '"traffic-to-empty-group"' in found.out, found.text
    (step,) = planned.json()["steps"]
    assert step["kind"] == "return-traffic", planned.text
    assert repaired.code == 0, repaired.text
    assert requests_go_to(site) == {serving: 100}, (empty, repaired.text)
    assert site.deploy(*BLUE_GREEN).json()["outcome"] == "unchanged"


def turn_rule(site: Site) -> str:
    """All requests to the other target group; its ARN."""
    elbv2 = site.client("elbv2")
    rule = site.described()["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
    (described,) = elbv2.describe_rules(RuleArns=[rule])["Rules"]
    groups = described["Actions"][0]["ForwardConfig"]["TargetGroups"]
    turned = [{**group, "Weight": 0 if group["Weight"] else 100} for group in groups]
    elbv2.modify_rule(
        RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": turned}}]
    )
    return next(str(group["TargetGroupArn"]) for group in turned if group["Weight"])


def test_deploy__rolling_in_the_middle_of_a_canary__it_is_taken_back_first(site: Site) -> None:
    canary = ("deployment.strategy=canary", "deployment.canary={percent: 30, bakeTime: 1440}")
    first = site.with_base(*canary, "environment.GREETING=first")
    ended: list[Ended] = []

    def take_over(site: Site) -> None:
        rolling = site.command("environment.GREETING=rolling")
        ended.append(site.fsd.run(*rolling, "--supersede"))

    middle = site.deploy_and(
        take_over, *canary, "environment.GREETING=middle", when="30 % of the traffic"
    )

    (last,) = ended
    assert last.code == 0, last.text
    assert "which is shifting traffic" in last.err
    assert middle.json()["outcome"] in {"rolled-back", "superseded"}, middle.text
    service = site.described()
    assert service["deploymentConfiguration"]["strategy"] == "ROLLING"
    assert site.serves() != first.running
    health = site.client("elbv2").describe_target_health(
        TargetGroupArn=service["loadBalancers"][0]["targetGroupArn"]
    )
    assert {one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]} == {
        "healthy"
    }


def test_rollback__https_and_tasks_that_crash_after_the_shift__requests_go_to_tasks(
    site: Site,
) -> None:
    """HTTPS makes another rule: ECS's own rollback would ask for the one that is gone."""
    bakes = ("deployment.strategy=blueGreen", "deployment.bakeTime=1440")
    certificate = "certificate/11111111-1111-1111-1111-111111111111"
    arn = f"arn:aws:acm:us-east-1:000000000000:{certificate}"
    https = f"networking.loadBalancer.certificateArn={arn}"
    first = site.with_base(*BLUE_GREEN)

    failed = site.deploy(*bakes, https, "environment.EXITS=5", "environment.EXITS_AFTER=8")

    assert failed.code == 6, failed.text
    assert first.serves() == first.running, failed.text
    (group,) = requests_go_to(site)  # by the rule that the service has now: it is there
    health = site.client("elbv2").describe_target_health(TargetGroupArn=group)
    states = {one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]}
    assert states == {"healthy"}, failed.text
