"""No success that nothing proves, by the real CLI against the embedded AWS."""

from __future__ import annotations

import pytest

from tests.local.cli import Fsd

pytestmark = pytest.mark.parametrize("runtime", ["process"], indirect=True)

DEPLOY = ("deploy", "--env", "local", "--format", "json")
CRASH = ("--override", "environment.HELLO_CRASH=1")
COUNT_0 = ("--override", "resources.desiredCount=0")
SCALED = (
    "--override",
    "autoScaling.targetCPUUtilization=60",
    "--override",
    "resources.maxCapacity=4",
)
SERVICE = ("--service", "hello", "--env", "local")


def test_deploy__first_one_fails_on_a_scaled_service__the_next_is_judged_again(fsd: Fsd) -> None:
    first = fsd.run(*DEPLOY, "--version", "v1", *SCALED, *CRASH)
    again = fsd.run(
        *DEPLOY, "--version", "v2", *SCALED, *CRASH, "--override", "environment.GREETING=hi"
    )
    good = fsd.run(*DEPLOY, "--version", "v3", *SCALED)

    assert first.code == again.code == 7, first.text + again.text
    assert again.json()["diagnosis"]["causes"][0]["code"] == "crashed"
    assert good.code == 0, good.text
    assert (good.json()["outcome"], good.json()["desiredCount"]) == ("succeeded", 2)


def test_deploy__count_0__not_started_until_something_judges_it(fsd: Fsd) -> None:
    deployed = fsd.run(*DEPLOY, "--version", "v1", *COUNT_0)
    history = fsd.ok("history", *SERVICE, "--format", "json").json()
    text = fsd.ok("deploy", "--env", "local", "--version", "v2", *COUNT_0, *CRASH).out
    crashed = fsd.run("scale", *SERVICE, "--count", "2", "--format", "json")
    fixed = fsd.run(*DEPLOY, "--version", "v3")

    assert (deployed.code, deployed.json()["outcome"]) == (0, "deployed-not-started")
    assert [release["outcome"] for release in history] == ["not started"]
    assert text.startswith("Deployed, not started (hello v2 in local): the desired count is 0")
    assert crashed.code == 7, crashed.text
    assert crashed.json()["diagnosis"]["causes"][0]["code"] == "crashed"
    assert fixed.code == 0, fixed.text
    assert fixed.json()["outcome"] == "succeeded"
