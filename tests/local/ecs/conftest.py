"""An embedded ECS over fakes, very fast, closed at the end of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.ecs.cloud import Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    found = Cloud()
    try:
        yield found
    finally:
        found.close()
