"""Calls are a budget: what a run reads, it reads once. Counted, so that it stays; never timed.

`python -m benchmarks.calls` shows every call with its moment, and the round trips.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fsd.app.account import MOST_AGE
from fsd.errors import ExitCode
from tests.chaos.cloud import CRASH, Cloud, open_cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd

ENVIRONMENT = "calm"
LOOK = "DescribeServices"  # one a look, every two seconds on AWS: as many as the rollout takes

# What stays of a run that changes nothing, and the test that needs it.
NO_CHANGE = {
    "DescribeServices": 1,  # also in place of GetCallerIdentity: its ARN says the account
    "DescribeTaskDefinition": 1,
    "DescribeStacks": 1,  # also in place of GetTemplate, while nobody has changed the stack
    "DescribeVpcs": 1,
    "DescribeSubnets": 1,
    "DescribeImages": 1,  # an image that was deleted
    "DescribeScalableTargets": 1,  # tests/local/test_plan_is_apply.py: somebody else's target
    # tests/local/test_plan_is_apply.py: what somebody removed from under the stack
    "DescribeSecurityGroups": 1,
    "DescribeLogGroups": 1,
    "GetRole": 2,
    "DescribeTargetHealth": 1,  # also in place of DescribeListeners and DescribeLoadBalancers
}
# What a rollout adds, whatever time it takes.
ROLLOUT = {
    "DescribeTargetGroups": 1,  # tests/unit/release/test_probe.py: …probe_of_a_killed_run__swept
    "RegisterTaskDefinition": 1,
    "ListServiceDeployments": 2,  # whether another began since; which one is ours
    "UpdateService": 1,
    "DescribeServiceRevisions": 1,  # that it is of our revision, and not another run's
    # tests/unit/release/test_deploy.py: …takes_from_the_stack_what_ours_needs…
    "DescribeStacks": 2,
}
MOST_OF_DOCTOR = 30

ENVIRONMENTS = """apiVersion: fsd/v1
kind: Environment
metadata:
  name: {environment}
spec:
  account: "999999999999"
"""
# What a look may read, besides the service itself, and how much of it at the most.
LOOKS = (LOOK, "DescribeServiceDeployments", "DescribeTargetHealth", "ListTasks", "DescribeTasks")
MOST_A_LOOK = 6
# At the most: asked to stop, lost races, a rollback by FSD where ECS made none, and the log.
GOES_BACK = {
    "StopServiceDeployment": 1,
    "ListServiceDeployments": 8,
    "DescribeServiceRevisions": 3,
    "UpdateService": 2,
    "GetLogEvents": 2,
    "TagResource": 1,  # why it failed, in the ledger
}


@dataclass
class Count:
    """A gate that lets every call through, and counts it."""

    calls: Counter[str] = field(default_factory=Counter)
    looks: list[float] = field(default_factory=list)  # when: seconds of the monotonic clock

    def forwards(self, operation: str) -> bool:
        self.calls[operation] += 1
        if operation == LOOK:
            self.looks.append(time.monotonic())
        return True

    @property
    def is_renewed(self) -> bool:
        """A slow machine has made the early answer too old to plan on, and nothing is released."""
        return len(self.looks) == 2 and self.looks[1] - self.looks[0] > MOST_AGE

    def answers(self, operation: str) -> bool:
        del operation
        return True


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with open_cloud(Path(tmp_path_factory.mktemp("calls"))) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def images(cloud: Cloud) -> tuple[str, str]:
    """(another image, the one that runs), both by digest."""
    found = []
    for _ in range(2):
        cloud.change()
        ended = cloud.deploy(ENVIRONMENT)
        assert ended.code == 0, ended.text
        found.append(str(ended.json()["image"]))
    other, now = found
    return other, now


def settle(cloud: Cloud, image: str) -> None:
    """Whatever another test has deployed, this is what runs."""
    ended = cloud.deploy(ENVIRONMENT, "--image", image)
    assert ended.code == 0, ended.text


def forget_what_does_not_run(cloud: Cloud) -> None:
    """A newest revision that does not run is one call more, for every test after this one."""
    runs = cloud.service(ENVIRONMENT)["taskDefinition"]
    for arn in cloud.revisions(ENVIRONMENT):
        if int(arn.rpartition(":")[2]) > int(runs.rpartition(":")[2]):
            cloud.ecs.deregister_task_definition(taskDefinition=arn)


def count(
    cloud: Cloud, command: str, environment: str, *options: str, code: int = 0
) -> Counter[str]:
    """The calls of one run, as AWS sees them: it is behind a proxy that hides what is embedded."""
    gate = Count()
    with plain_aws(cloud.endpoint, gate=gate) as endpoint:
        extra = {**cloud.fsd.extra, "AWS_ENDPOINT_URL": endpoint}
        fsd = Fsd(cloud.fsd.state, cloud.fsd.cwd, extra)
        ended = fsd.run(command, "--env", environment, "--format", "json", *options)
    assert ended.code == code, ended.text
    if gate.is_renewed:
        gate.calls[LOOK] -= 1
    return gate.calls


def without(calls: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: times for name, times in calls.items() if name not in names}


def of_looks(calls: Counter[str]) -> int:
    return sum(calls[name] for name in LOOKS)


def text(calls: Counter[str]) -> str:
    return json.dumps(dict(sorted(calls.items())), indent=2)


def change_stack(cloud: Cloud, name: str) -> None:
    """As a person would, beside FSD."""
    cloudformation = cloud.cloudformation
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    template = json.loads(json.dumps(cloudformation.get_template(StackName=name)["TemplateBody"]))
    template["Resources"]["LogGroup"]["Properties"]["RetentionInDays"] = 1
    cloudformation.update_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Tags=stack["Tags"],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_update_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1})


def test_deploy__nothing_changes__these_calls(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images
    settle(cloud, now)

    calls = count(cloud, "deploy", ENVIRONMENT, "--image", now)

    assert dict(calls) == NO_CHANGE


def test_plan__nothing_changes__these_calls(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images
    settle(cloud, now)

    assert dict(count(cloud, "plan", ENVIRONMENT, "--image", now)) == NO_CHANGE


def test_plan__somebody_changed_the_stack__template_is_read_and_shown(
    cloud: Cloud, images: tuple[str, str]
) -> None:
    """Its tags and its outputs stay as they are; only the time of the change tells."""
    plan, image = ("plan", "edited", "--detailed-exitcode"), ("--image", images[1])
    ended = cloud.deploy("edited", *image)
    assert ended.code == 0, ended.text
    before = count(cloud, *plan, *image)
    change_stack(cloud, "fsd-hello-edited")

    after = count(cloud, *plan, *image, code=ExitCode.PLAN_HAS_CHANGES)

    assert dict(before) == NO_CHANGE
    assert dict(after) == NO_CHANGE | {"GetTemplate": 1}


def test_deploy__image_only__these_calls_and_those_of_its_looks(
    cloud: Cloud, images: tuple[str, str]
) -> None:
    other, now = images
    settle(cloud, now)

    calls = count(cloud, "deploy", ENVIRONMENT, "--image", other)

    assert without(calls, LOOKS) == without(NO_CHANGE | ROLLOUT, LOOKS), text(calls)
    # One of the services is before the rollout: its first look is what UpdateService answers.
    assert of_looks(calls) <= MOST_A_LOOK * calls[LOOK], text(calls)


def test_deploy__fails__compares_what_it_knows_and_reads_the_rest_once(
    cloud: Cloud, images: tuple[str, str]
) -> None:
    _, now = images
    settle(cloud, now)

    calls = count(cloud, "deploy", ENVIRONMENT, "--image", now, *CRASH, code=6)
    forget_what_does_not_run(cloud)

    expected = without(NO_CHANGE | ROLLOUT, {*LOOKS, *GOES_BACK})
    assert without(calls, {*LOOKS, *GOES_BACK}) == expected | {"DescribeStacks": 1}, text(calls)
    # Whether ECS or FSD sees first that it fails; and a second rollout where ECS only stops it.
    assert {name: calls[name] for name in GOES_BACK if calls[name] > GOES_BACK[name]} == {}
    assert of_looks(calls) <= MOST_A_LOOK * calls[LOOK], text(calls)


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        (ENVIRONMENT, {"DescribeServices": 1}),
        # No cluster, and so no ARN.
        ("elsewhere", {"DescribeServices": 1, "GetCallerIdentity": 1}),
    ],
)
@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_wrong_account__refused_before_anything_else_is_read(
    cloud: Cloud,
    images: tuple[str, str],
    *,
    command: str,
    environment: str,
    read: dict[str, int],
) -> None:
    file = cloud.fsd.cwd / ".fsd" / "environments.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(ENVIRONMENTS.format(environment=environment))
    try:
        calls = count(cloud, command, environment, "--image", images[1], code=4)
    finally:
        file.unlink()

    assert dict(calls) == read


def test_deploy__first__at_most_thirty_and_its_looks(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images

    calls = count(cloud, "deploy", "fresh", "--image", now)

    assert calls.total() - calls[LOOK] <= 30, text(calls)


def test_doctor__of_an_environment_and_a_service__at_most_thirty(
    cloud: Cloud, images: tuple[str, str]
) -> None:
    _, now = images
    settle(cloud, now)

    calls = count(cloud, "doctor", ENVIRONMENT, "--file", "service.yml", code=4)  # no way out

    assert calls.total() <= MOST_OF_DOCTOR, text(calls)
    assert {name: times for name, times in calls.items() if times > 3} == {}
