from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.release.rollout_speed import RolloutSpeed, compare_speed
from fsd.snapshot import DeploymentStatus, ServiceDeployment
from tests.fakes.aws import START


def rollout(
    name: str, seconds: int | None, status: DeploymentStatus = DeploymentStatus.SUCCESSFUL
) -> ServiceDeployment:
    ended = START + timedelta(seconds=seconds) if seconds is not None else None
    return ServiceDeployment(
        arn=name, status=status, task_definition_arn="t", created_at=START, finished_at=ended
    )


BEFORE = [rollout(f"d{seconds}", seconds) for seconds in (30, 60, 90, 120, 150)]


@pytest.mark.parametrize(
    ("seconds", "faster", "slower"), [(20, 100, 0), (60, 60, 20), (100, 40, 60), (200, 0, 100)]
)
def test_compare_speed__five_before__share_of_them(seconds: int, faster: int, slower: int) -> None:
    ours = rollout("ours", seconds)

    found = compare_speed(ours, [ours, *BEFORE])

    assert found == RolloutSpeed(faster_than=faster, slower_than=slower, of=5)


@pytest.mark.parametrize(
    ("ours", "before"),
    [
        pytest.param(rollout("ours", 20), BEFORE[1:], id="too few before"),
        pytest.param(rollout("ours", None), BEFORE, id="no end of ours"),
        pytest.param(None, BEFORE, id="ours was not read"),
        pytest.param(
            rollout("ours", 20),
            [replace(d, status=DeploymentStatus.STOPPED) for d in BEFORE],
            id="none that succeeded",
        ),
        pytest.param(
            rollout("ours", 20), [replace(d, finished_at=None) for d in BEFORE], id="no end of any"
        ),
    ],
)
def test_compare_speed__nothing_to_compare__none(
    ours: ServiceDeployment | None, before: list[ServiceDeployment]
) -> None:
    assert compare_speed(ours, before) is None
