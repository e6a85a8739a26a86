"""Security groups and subnets that are somebody's: the tasks get them, and what is not there is
refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
NETWORKING = """\
  networking:
    subnets: [subnet-00000001]
    securityGroups: {groups}
"""


def networking(fsd: Fsd) -> Any:
    with fsd.client("ecs") as ecs:
        (found,) = ecs.describe_services(cluster="local", services=["hello-local"])["services"]
        return found["networkConfiguration"]["awsvpcConfiguration"]


def test_networking__groups_and_subnets_that_are_there__the_tasks_have_them(
    fsd: Fsd, hello: Path
) -> None:
    with fsd.client("ec2") as ec2:
        made = ec2.create_security_group(GroupName="database-clients", Description="of another")
    group = made["GroupId"]
    manifest = hello / "service.yml"
    before = manifest.read_text().partition("  networking:")[0]

    manifest.write_text(before + NETWORKING.format(groups=f"[{group}]"))
    commit(hello, "beside")
    fsd.ok(*DEPLOY)
    beside = networking(fsd)
    manifest.write_text(before + NETWORKING.format(groups=f"{{ids: [{group}], only: true}}"))
    commit(hello, "instead")
    planned = fsd.ok("plan", "--env", "local")
    fsd.ok(*DEPLOY)
    instead = networking(fsd)
    again = fsd.ok(*DEPLOY)
    manifest.write_text(before + NETWORKING.format(groups="[sg-0a1b2c3d]"))
    commit(hello, "a group that is not there")
    refused = fsd.run("deploy", "--env", "local")

    assert beside["subnets"] == instead["subnets"] == ["subnet-00000001"]
    assert len(beside["securityGroups"]) == 2
    assert group in beside["securityGroups"]
    assert instead["securityGroups"] == [group]
    assert "security groups" in planned.out
    assert again.json()["outcome"] == "unchanged", again.text
    assert refused.code != 0
    assert "sg-0a1b2c3d" in refused.err + refused.out
    assert networking(fsd) == instead
