from __future__ import annotations

from collections.abc import Iterator
from shutil import copytree

import pytest

from tests.chaos.cloud import Cloud
from tests.local.cli import HELLO, Fsd
from tests.local.conftest import SPEED, commit


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    copytree(HELLO, folder / "hello")
    commit(folder / "hello", "first")
    fsd = Fsd(state=folder / "state", cwd=folder / "hello")
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        endpoint = fsd.status()["endpoint"]
        fsd.extra = fsd.aws_environment()
        with (
            fsd.client("ecs") as ecs,
            fsd.client("elbv2") as elbv2,
            fsd.client("cloudformation") as cloudformation,
        ):
            yield Cloud(fsd, endpoint, ecs, elbv2, cloudformation)
    finally:
        fsd.ok("local", "down")
