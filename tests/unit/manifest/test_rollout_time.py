from __future__ import annotations

from typing import Any

import pytest

from fsd.manifest.rollout_time import Part, batch_size, batches, estimate_failure, estimate_rollout
from tests.builders import make_manifest

BALANCED = {"load_balancer": {"type": "application"}}


@pytest.mark.parametrize(
    ("count", "minimum", "maximum", "size", "number"),
    [
        (2, 100, 200, 2, 1),
        (10, 100, 200, 10, 1),
        (10, 100, 110, 1, 10),
        (10, 50, 100, 5, 2),
        (10, 50, 200, 10, 1),
        (4, 75, 100, 1, 4),
        (3, 50, 100, 1, 3),
        (7, 100, 150, 3, 3),
        (1, 0, 100, 1, 1),
        (1, 100, 100, 0, 0),
        (1, 50, 150, 0, 0),
        (0, 100, 200, 0, 0),
    ],
)
def test_batches__limits__rounded_as_ecs_does(
    count: int, minimum: int, maximum: int, size: int, number: int
) -> None:
    service = make_manifest(
        resources={"desired_count": count},
        deployment={"minimum_healthy_percent": minimum, "maximum_percent": maximum},
    ).service

    assert (batch_size(service), batches(service)) == (size, number)


def test_estimate_rollout__load_balancer__start_check_and_drain() -> None:
    estimate = estimate_rollout(make_manifest(networking=BALANCED).service)

    assert estimate.parts == ((Part.START, 40), (Part.CHECK, 30), (Part.DRAIN, 30))
    assert estimate.seconds == 100
    assert estimate.dominant is Part.START


def test_estimate_rollout__early_success__the_old_tasks_drain_afterwards() -> None:
    early = make_manifest(networking=BALANCED, deployment={"earlySuccess": {}})
    blocking = make_manifest(
        networking=BALANCED, deployment={"earlySuccess": {"cleanup": "blocking"}}
    )

    assert Part.DRAIN not in dict(estimate_rollout(early.service).parts)
    assert Part.DRAIN in dict(estimate_rollout(blocking.service).parts)


def test_estimate_rollout__no_load_balancer__nothing_drains() -> None:
    service = make_manifest(deployment={"deregistration_delay": 300}).service

    assert dict(estimate_rollout(service).parts) == {Part.START: 40, Part.CHECK: 30}


def test_estimate_rollout__worker__nothing_is_checked_so_it_is_watched_for_a_minute() -> None:
    service = make_manifest(port=None).service

    assert dict(estimate_rollout(service).parts) == {Part.START: 40, Part.STEADY: 60}
    assert estimate_failure(service).seconds == 0


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"port": None}, 60),
        ({"port": None, "deployment": {"steadyFor": 5}}, 5),
        ({"port": None, "deployment": {"steadyFor": 0}}, 0),
        ({"port": None, "healthCheck": {"command": "pgrep python"}}, 0),
        ({"port": None, "healthCheck": {"path": "/x"}}, 60),
        ({}, 0),
        ({"deployment": {"steadyFor": 90}}, 90),
    ],
)
def test_steady_for__by_what_checks_the_service(changes: dict[str, Any], seconds: int) -> None:
    assert make_manifest(**changes).service.steady_for == seconds


def test_estimate_rollout__batches_and_bake_time__come_on_top() -> None:
    service = make_manifest(
        networking=BALANCED,
        resources={"desired_count": 4},
        deployment={"maximum_percent": 150, "bake_time": 2},
    ).service

    estimate = estimate_rollout(service)

    assert estimate.seconds == 2 * 100 + 120
    assert estimate.dominant is Part.BAKE
    assert dict(estimate.parts)[Part.BATCHES] == 100


def test_estimate_rollout__canary_still_in_place__batches_without_its_times() -> None:
    rolling = make_manifest(networking=BALANCED).service
    canary = make_manifest(
        networking=BALANCED, deployment={"strategy": "canary", "bake_time": 20}
    ).service

    assert Part.SHIFT in dict(estimate_rollout(canary).parts)
    assert estimate_rollout(canary, in_place=True) == estimate_rollout(rolling)


def test_estimate_rollout__no_room_to_replace__no_time_at_all() -> None:
    service = make_manifest(
        deployment={"minimum_healthy_percent": 100, "maximum_percent": 100}
    ).service

    assert estimate_rollout(service).parts == ()


def test_estimate_failure__defaults__grace_period_and_three_checks() -> None:
    estimate = estimate_failure(make_manifest().service)

    assert estimate.parts == ((Part.CHECK, 90), (Part.GRACE, 60), (Part.START, 40))
