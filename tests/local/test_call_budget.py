"""Calls are a budget: what a run reads, it reads once. Counted, so that it stays; never timed.

`python -m benchmarks.calls` shows every call with its moment, and the round trips.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.chaos.cloud import Cloud, open_cloud
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd

ENVIRONMENT = "calm"
LOOK = "DescribeServices"  # one a look, every two seconds on AWS: as many as the rollout takes

# What stays of a run that changes nothing, and the test that needs it.
NO_CHANGE = {
    "GetCallerIdentity": 1,  # no service of another account is touched
    "DescribeServices": 1,
    "DescribeTaskDefinition": 1,
    "DescribeStacks": 1,
    "GetTemplate": 1,  # somebody else's change of it, and what a run that died left in it
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
SWEEP = {"DescribeTargetGroups": 1}  # tests/unit/release/test_probe.py: …unchanged__sweeps_too


@dataclass
class Count:
    """A gate that lets every call through, and counts it."""

    calls: Counter[str] = field(default_factory=Counter)

    def forwards(self, operation: str) -> bool:
        self.calls[operation] += 1
        return True

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


def count(cloud: Cloud, command: str, environment: str, *options: str) -> Counter[str]:
    """The calls of one run, as AWS sees them: it is behind a proxy that hides what is embedded."""
    gate = Count()
    with plain_aws(cloud.endpoint, gate=gate) as endpoint:
        extra = {**cloud.fsd.extra, "AWS_ENDPOINT_URL": endpoint}
        fsd = Fsd(cloud.fsd.state, cloud.fsd.cwd, extra)
        ended = fsd.run(command, "--env", environment, "--format", "json", *options)
    assert ended.code == 0, ended.text
    return gate.calls


def text(calls: Counter[str]) -> str:
    return json.dumps(dict(sorted(calls.items())), indent=2)


def test_deploy__nothing_changes__these_calls(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images
    settle(cloud, now)

    calls = count(cloud, "deploy", ENVIRONMENT, "--image", now)

    assert dict(calls) == NO_CHANGE | SWEEP


def test_plan__nothing_changes__these_calls(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images
    settle(cloud, now)

    assert dict(count(cloud, "plan", ENVIRONMENT, "--image", now)) == NO_CHANGE


def test_deploy__image_only__a_look_every_two_seconds_and_so_many_more(
    cloud: Cloud, images: tuple[str, str]
) -> None:
    other, now = images
    settle(cloud, now)

    calls = count(cloud, "deploy", ENVIRONMENT, "--image", other)

    assert calls["RegisterTaskDefinition"] == calls["UpdateService"] == 1
    # The second one: tests/unit/release/test_deploy.py, …takes_from_the_stack_what_ours_needs…
    assert (calls["DescribeStacks"], calls["GetTemplate"]) == (2, 1), text(calls)
    assert calls.total() - calls[LOOK] <= 27, text(calls)


def test_deploy__first__at_most_thirty_and_its_looks(cloud: Cloud, images: tuple[str, str]) -> None:
    _, now = images

    calls = count(cloud, "deploy", "fresh", "--image", now)

    assert calls.total() - calls[LOOK] <= 30, text(calls)
