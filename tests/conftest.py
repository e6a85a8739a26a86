"""What every test may ask for. The environment of whoever runs the tests does not reach them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import docker
import pytest
from hypothesis import settings

from fsd_local.runtime.containers import find_engine
from tests.fakes.python_image import ensure_python_image
from tests.fakes.registry import FakeRegistry, registry

# Hypothesis fails an example that takes 200 ms: on a busy machine, that is the machine.
settings.register_profile("patient", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("patient")

_SCRUBBED = re.compile(r"CI|GITHUB_.*|AWS_.*|NO_COLOR|FSD_(?!REQUIRE_(DOCKER|CHROMIUM)$).*")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if _SCRUBBED.fullmatch(name):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the Docker engine; skips without one, fails where FSD_REQUIRE_DOCKER=1."""
    client = find_engine(timeout=30)
    if client is None:
        if os.environ.get("FSD_REQUIRE_DOCKER") == "1":
            pytest.fail("FSD_REQUIRE_DOCKER=1, and no Docker engine answers")
        pytest.skip("no Docker engine answers")
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def python_image(docker_engine: docker.DockerClient) -> str:
    """The tag of a Python base image in the engine; the example's own base is there as well."""
    return ensure_python_image(docker_engine)


@pytest.fixture
def fake_registry() -> Iterator[FakeRegistry]:
    with registry() as server:
        yield server
