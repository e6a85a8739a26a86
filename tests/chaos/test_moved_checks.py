"""A health check that moves, under load: what running tasks fail is refused, and nobody notices.

FSD_TEST_MOVED_CHECKS=100 makes so many deployments that are refused; the suite makes a few.
"""

from __future__ import annotations

import os

import pytest

from tests.chaos.cloud import DESIRED, Cloud

DEPLOYMENTS = int(os.environ.get("FSD_TEST_MOVED_CHECKS", "4"))
BASE = ("--override", "environment.GREETING=base")
ENVIRONMENT = "moved"
# What a mistake in the Service YAML looks like.
MISTAKES = {
    "mistyped path": ("healthCheck.path=/helth",),
    "wrong port": ("healthCheck.port=8001",),
    "wrong matcher": ("healthCheck.matcher=201",),
    "switched scheme": ("healthCheck.protocol=https",),
}


@pytest.fixture(scope="module")
def _serving(cloud: Cloud) -> None:
    ended = cloud.deploy(ENVIRONMENT, *BASE)
    assert ended.code == 0, ended.text


def overrides(*values: str) -> tuple[str, ...]:
    return tuple(part for value in values for part in ("--override", value))


@pytest.mark.usefixtures("_serving")
def test_deploy__running_tasks_fail_the_moved_check__refused_and_nobody_notices(
    cloud: Cloud,
) -> None:
    before = cloud.all_of(ENVIRONMENT)
    kinds = list(MISTAKES.items())

    with cloud.visited(ENVIRONMENT) as visitor:
        for number in range(DEPLOYMENTS):
            kind, mistake = kinds[number % len(kinds)]
            ended = cloud.deploy(
                ENVIRONMENT, *overrides(f"environment.GREETING=bad-{number}", *mistake)
            )
            assert ended.code == 4, (kind, ended.text)
            assert "error[health-check-would-end-old-tasks]" in ended.err, (kind, ended.text)

    assert cloud.all_of(ENVIRONMENT) == before
    assert (cloud.probes(), cloud.rules(ENVIRONMENT)) == ([], [])
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), visitor
    assert visitor.asked > DEPLOYMENTS


@pytest.mark.usefixtures("_serving")
@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(
            ("networking.loadBalancer.internal=false", "healthCheck.path=/helth"),
            id="another load balancer, mistyped path",
        ),
        # https://github.com/aws/copilot-cli/issues/4838
        pytest.param(
            ("port=8001", "environment.PORT=8000"), id="nothing listens on the service's port"
        ),
    ],
)
def test_deploy__mistake_that_judges_new_tasks_only__rolled_back_and_nobody_notices(
    cloud: Cloud, mistake: tuple[str, ...]
) -> None:
    """Another load balancer has another target group, and a task is asked on its own port."""
    before = cloud.all_of(ENVIRONMENT)

    with cloud.visited(ENVIRONMENT) as visitor:
        ended = cloud.deploy(ENVIRONMENT, *overrides(*mistake))

    assert ended.code == 6, ended.text
    assert cloud.all_of(ENVIRONMENT) == before
    assert (cloud.probes(), cloud.rules(ENVIRONMENT)) == ([], [])
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), visitor


@pytest.mark.usefixtures("_serving")
def test_deploy__running_tasks_pass_the_moved_check__moves_and_nobody_notices(
    cloud: Cloud,
) -> None:
    with cloud.visited(ENVIRONMENT) as visitor:
        ended = cloud.deploy(ENVIRONMENT, *BASE, *overrides("healthCheck.path=/health?deep=1"))
        assert ended.code == 0, ended.text
        assert "2 running tasks answer GET /health?deep=1" in ended.err
        back = cloud.deploy(ENVIRONMENT, *BASE)
        assert back.code == 0, back.text

    assert (cloud.probes(), cloud.rules(ENVIRONMENT)) == ([], [])
    assert (visitor.failed, visitor.fewest) == ([], DESIRED), visitor


@pytest.mark.usefixtures("_serving")
def test_deploy__killed_while_it_asks__next_run_sweeps(cloud: Cloud) -> None:
    process = cloud.start(cloud.endpoint, ENVIRONMENT, *overrides("healthCheck.path=/helth"))
    with process:
        told = next(line for line in process.stderr or () if "trying it on 2 running tasks" in line)
        while not cloud.probes() and process.poll() is None:
            continue
        process.kill()
    assert len(cloud.probes()) == 1, told

    again = cloud.deploy(ENVIRONMENT, *BASE)

    assert again.code == 0, again.text
    assert "removed the health check's probe that a stopped run had left" in again.err
    assert (cloud.probes(), cloud.rules(ENVIRONMENT)) == ([], [])


@pytest.mark.usefixtures("_serving")
def test_deploy__service_is_down__not_asked_and_comes_back(cloud: Cloud) -> None:
    group = target_group(cloud)
    cloud.elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPath="/nobody")
    wait_until_down(cloud, group)

    ended = cloud.deploy(ENVIRONMENT, *BASE, *overrides("healthCheck.path=/health?up=1"))

    assert ended.code == 0, ended.text
    assert "asking" not in ended.err
    assert cloud.healthy(group) == DESIRED
    back = cloud.deploy(ENVIRONMENT, *BASE)
    assert back.code == 0, back.text


@pytest.mark.usefixtures("_serving")
def test_deploy__killed_run_took_the_service_down__next_run_brings_it_back(cloud: Cloud) -> None:
    group = target_group(cloud)
    mistyped = overrides("healthCheck.path=/helth", "environment.GREETING=bad")
    process = cloud.start(cloud.endpoint, ENVIRONMENT, *mistyped, "--allow-interruption")
    with process:
        next(line for line in process.stderr or () if "✔ stack" in line)
        process.kill()
    wait_until_down(cloud, group)

    ended = cloud.deploy(ENVIRONMENT, *BASE, "--supersede")

    assert ended.code == 0, ended.text
    assert cloud.healthy(group) == DESIRED, ended.text
    assert cloud.health_check_path(group) == "/health"


def target_group(cloud: Cloud) -> str:
    return str(cloud.service(ENVIRONMENT)["loadBalancers"][0]["targetGroupArn"])


def wait_until_down(cloud: Cloud, group: str) -> None:
    while cloud.healthy(group):
        continue
