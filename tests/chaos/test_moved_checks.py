"""A health check that moves, under load: what running tasks fail is refused, and nobody notices.

FSD_TEST_MOVED_CHECKS=100 makes so many deployments that are refused; the suite makes a few.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from fsd.release.probe import probe_name, probe_prefix
from tests.chaos.cloud import DESIRED, Cloud
from tests.fakes.plain_aws import plain_aws
from tests.waiting import eventually

DEPLOYMENTS = int(os.environ.get("FSD_TEST_MOVED_CHECKS", "4"))
BASE = ("--override", "environment.GREETING=base")
ENVIRONMENT = "moved"
STACK = f"fsd-hello-{ENVIRONMENT}"
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
        ended = cloud.deploy(ENVIRONMENT, *overrides(*mistake), "--allow-replacement")

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
def test_deploy__killed_while_it_asks__next_run_leaves_what_may_be_in_use(cloud: Cloud) -> None:
    process = cloud.start(cloud.endpoint, ENVIRONMENT, *overrides("healthCheck.path=/helth"))
    with process:
        told = next(line for line in process.stderr or () if "trying it on 2 running tasks" in line)
        eventually(lambda: cloud.probes() or process.poll() is not None)
        process.kill()
    left = cloud.probes()
    assert len(left) == 1, told
    assert left[0].startswith(probe_prefix(STACK))

    again = cloud.deploy(ENVIRONMENT, *BASE)

    assert again.code == 0, again.text
    assert cloud.probes() == left
    remove_probe(cloud, left[0])


@pytest.mark.usefixtures("_serving")
def test_deploy__probe_of_a_run_that_was_killed_long_ago__removed(cloud: Cloud) -> None:
    """With the next change: a run that changes nothing does not look for probes."""
    name = probe_name(STACK, until=datetime.now(UTC) - timedelta(seconds=1))
    add_probe(cloud, name)

    ended = cloud.deploy(ENVIRONMENT, *BASE, *overrides("environment.GREETING=swept"))

    assert ended.code == 0, ended.text
    assert "removed the health check's probe that a stopped run had left behind" in ended.err
    assert cloud.probes() == []


@pytest.mark.usefixtures("_serving")
def test_deploy__several_move_the_check_at_once__none_is_disturbed(cloud: Cloud) -> None:
    """Each run has a probe of its own, and a stranger's is left alone."""
    mistyped = overrides("healthCheck.path=/helth", "environment.GREETING=together")
    runs = [cloud.start(cloud.endpoint, ENVIRONMENT, *mistyped) for _ in range(4)]
    ended = [process.end() for process in runs]

    told = [one.err for one in ended]
    assert [one.code for one in ended] == [4] * len(runs), told
    assert all("error[health-check-would-end-old-tasks]" in text for text in told), told
    assert not any("removed" in text for text in told), told
    assert cloud.probes() == []


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


@dataclass
class UntilEcsHasGivenUp:
    """Lets no look at the deployment through before ECS's own rollback has failed."""

    cloud: Cloud
    is_asked: bool = False
    statuses: list[str] = field(default_factory=list)

    def forwards(self, operation: str) -> bool:
        self.is_asked = self.is_asked or operation == "UpdateService"
        if self.is_asked and operation == "DescribeServiceDeployments" and not self.statuses:
            self._wait()
        return True

    def answers(self, operation: str) -> bool:
        del operation
        return True

    def _wait(self) -> None:
        eventually(lambda: self._status() in {"ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL"})
        self.statuses.append(self._status())

    def _status(self) -> str:
        listed = self.cloud.ecs.list_service_deployments(
            cluster=ENVIRONMENT, service=f"hello-{ENVIRONMENT}"
        )
        newest = max(listed["serviceDeployments"], key=lambda found: found["createdAt"])
        return str(newest["status"])


@pytest.mark.usefixtures("_serving")
def test_deploy__ecs_own_rollback_failed_too__brings_the_old_revision_back(cloud: Cloud) -> None:
    """The check that moved judges the old revision's tasks as well, so ECS can go nowhere."""
    before = cloud.service(ENVIRONMENT)["taskDefinition"]
    mistyped = overrides("healthCheck.path=/helth", "environment.GREETING=worse")
    gate = UntilEcsHasGivenUp(cloud)

    with plain_aws(cloud.endpoint, embedded=True, gate=gate) as endpoint:
        ended = cloud.start(endpoint, ENVIRONMENT, *mistyped, "--allow-interruption").end()

    assert gate.statuses == ["ROLLBACK_FAILED"], ended.text
    # 7 where ECS's own next task was healthy, by the check that is back, before FSD looked.
    was_down = "no task of hello-moved has been healthy since" in ended.err
    assert ended.code == (6 if was_down else 7), ended.text
    assert cloud.service(ENVIRONMENT)["taskDefinition"] == before
    assert cloud.health_check_path(target_group(cloud)) == "/health"
    if was_down:
        assert cloud.healthy(target_group(cloud)) == DESIRED, ended.text
    wait_until_healthy(cloud, target_group(cloud))


def add_probe(cloud: Cloud, name: str) -> None:
    """As a run makes it, with the rule that lets its target group be checked."""
    listener, vpc = listener_and_vpc(cloud)
    made = cloud.elbv2.create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    cloud.elbv2.create_rule(
        ListenerArn=listener,
        Priority=50_000,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.invalid"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": arn}],
    )


def remove_probe(cloud: Cloud, name: str) -> None:
    """Its run may have been killed before it made the rule."""
    (group,) = cloud.elbv2.describe_target_groups(Names=[name])["TargetGroups"]
    listener, _ = listener_and_vpc(cloud)
    for rule in cloud.elbv2.describe_rules(ListenerArn=listener)["Rules"]:
        if rule["Actions"][0].get("TargetGroupArn") == group["TargetGroupArn"]:
            cloud.elbv2.delete_rule(RuleArn=rule["RuleArn"])
    cloud.elbv2.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def listener_and_vpc(cloud: Cloud) -> tuple[str, str]:
    (group,) = cloud.elbv2.describe_target_groups(TargetGroupArns=[target_group(cloud)])[
        "TargetGroups"
    ]
    balancer = group["LoadBalancerArns"][0]
    (listener,) = cloud.elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    return listener["ListenerArn"], group["VpcId"]


def target_group(cloud: Cloud) -> str:
    return str(cloud.service(ENVIRONMENT)["loadBalancers"][0]["targetGroupArn"])


def wait_until_healthy(cloud: Cloud, group: str) -> None:
    """All that should be."""
    eventually(lambda: cloud.healthy(group) == DESIRED)


def wait_until_down(cloud: Cloud, group: str) -> None:
    eventually(lambda: cloud.healthy(group) == 0)
