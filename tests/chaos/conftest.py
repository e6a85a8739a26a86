from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.cloud import Cloud, open_cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened
