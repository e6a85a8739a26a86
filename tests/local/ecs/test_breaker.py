from __future__ import annotations

import pytest

from fsd_local.ecs.breaker import Breaker, load_breaker


@pytest.mark.parametrize(
    ("desired", "threshold"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (1000, 200)]
)
def test_threshold__half_of_the_desired_count__is_bounded(desired: int, threshold: int) -> None:
    assert Breaker().threshold(desired) == threshold


@pytest.mark.parametrize(
    ("kind", "value", "desired", "threshold"),
    [
        ("COUNT", 1, 50, 1),
        ("UNBOUNDED_PERCENT", 10, 10, 1),
        ("UNBOUNDED_PERCENT", 100, 500, 500),
        ("BOUNDED_PERCENT", 100, 10, 10),
        ("BOUNDED_PERCENT", 10, 10, 3),
    ],
)
def test_threshold__by_kind__as_documented(
    kind: str, value: int, desired: int, threshold: int
) -> None:
    assert Breaker(kind=kind, value=value).threshold(desired) == threshold


def test_load_breaker__nothing_configured__is_off() -> None:
    assert load_breaker({}) == Breaker(is_enabled=False)


def test_load_breaker__everything_configured__is_read() -> None:
    found = load_breaker(
        {
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "resetOnHealthyTask": False,
                "thresholdConfiguration": {"type": "COUNT", "value": 2},
            }
        }
    )

    assert found == Breaker(
        is_enabled=True, rolls_back=True, resets_on_healthy_task=False, kind="COUNT", value=2
    )
