"""A health check, or a port, that moves with a deployment that shifts traffic, under load: it is
asked of the new tasks alone, so a mistake ends them, and nobody notices.

FSD_TEST_MOVED_CHECKS=100 makes so many deployments; the suite makes a few.
"""

from __future__ import annotations

import os

import pytest

from tests.chaos.cloud import DESIRED, Cloud

DEPLOYMENTS = int(os.environ.get("FSD_TEST_MOVED_CHECKS", "4"))
ENVIRONMENT = "shifted"
BASE = ("deployment.strategy=blueGreen", "deployment.bakeTime=0")
MISTAKES = {
    "mistyped path": ("healthCheck.path=/helth",),
    "wrong port": ("healthCheck.port=8001",),
    "switched scheme": ("healthCheck.protocol=https",),
    "nothing listens on the service's port": ("port=8001", "environment.PORT=8000"),
}


def overrides(*values: str) -> tuple[str, ...]:
    return tuple(part for value in (*BASE, *values) for part in ("--override", value))


@pytest.fixture
def _shifting(cloud: Cloud) -> None:
    """Also after a test that went back to rolling deployments: this one attaches the pair again."""
    ended = cloud.deploy(ENVIRONMENT, *overrides("environment.GREETING=base"))
    assert ended.code == 0, ended.text


@pytest.mark.usefixtures("_shifting")
def test_deploy__traffic_shifts_and_the_check_is_mistyped__rolled_back_and_nobody_notices(
    cloud: Cloud,
) -> None:
    kinds = list(MISTAKES.items())
    before = cloud.service(ENVIRONMENT)["taskDefinition"]

    with cloud.visited(ENVIRONMENT) as visitor:
        for number in range(DEPLOYMENTS):
            kind, mistake = kinds[number % len(kinds)]
            bad = overrides(f"environment.GREETING=bad-{number}", *mistake)
            ended = cloud.deploy(ENVIRONMENT, *bad)
            assert ended.code == 6, (kind, ended.text)

    assert cloud.service(ENVIRONMENT)["taskDefinition"] == before
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), visitor
    assert visitor.asked > DEPLOYMENTS


@pytest.mark.usefixtures("_shifting")
def test_deploy__traffic_shifts_and_the_check_moves_to_a_good_one__nobody_notices(
    cloud: Cloud,
) -> None:
    """Twice, so that each of the two target groups served; and back to a rolling deployment."""
    with cloud.visited(ENVIRONMENT) as visitor:
        for path in ("/health?deep=1", "/health"):
            good = overrides("environment.GREETING=good", f"healthCheck.path={path}")
            ended = cloud.deploy(ENVIRONMENT, *good)
            assert ended.code == 0, ended.text
            assert "trying it on" not in ended.err
        third = cloud.deploy(ENVIRONMENT, *overrides("environment.GREETING=third"))
        assert third.code == 0, third.text
        rolling = cloud.deploy(ENVIRONMENT, "--override", "environment.GREETING=rolling")
        assert rolling.code == 0, rolling.text

    assert visitor.failed == [], visitor
