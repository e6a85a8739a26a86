from __future__ import annotations

import pytest

from fsd.manifest import fargate


@pytest.mark.parametrize(
    ("cpu", "memory"), [(256, 512), (512, 1024), (2048, 16384), (4096, 30720), (32768, 249856)]
)
def test_is_size__listed_by_aws__true(cpu: int, memory: int) -> None:
    assert fargate.is_size(cpu, memory)


@pytest.mark.parametrize(
    ("cpu", "memory"), [(256, 1536), (300, 512), (512, 512), (8192, 17408), (32768, 65536)]
)
def test_is_size__not_listed__false(cpu: int, memory: int) -> None:
    assert not fargate.is_size(cpu, memory)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ((1024, 1000), (1024, 2048)),
        ((300, 512), (512, 1024)),
        ((256, 4096), (256, 2048)),
        ((99999, 1), (32768, 61440)),
    ],
)
def test_nearest_size__not_a_size__the_smallest_that_is_enough(
    given: tuple[int, int], nearest: tuple[int, int]
) -> None:
    assert fargate.nearest_size(*given) == nearest
    assert fargate.is_size(*nearest)


def test_describe_memories__many__first_two_and_last() -> None:
    assert fargate.describe_memories(1024) == "2048, 3072, … 8192"
    assert fargate.describe_memories(256) == "512, 1024 or 2048"
