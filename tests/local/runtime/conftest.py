from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from fsd_local.ports import Runtime
from fsd_local.runtime.containers import Containers
from fsd_local.runtime.processes import Processes
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import FakeRegistry, registry
from tests.local.runtime.lab import Lab, build, write_context


@pytest.fixture(scope="session")
def shared_registry() -> Iterator[FakeRegistry]:
    with registry() as server:
        yield server


@pytest.fixture(scope="session")
def process_image(shared_registry: FakeRegistry, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = write_context(tmp_path_factory.mktemp("process") / "box")
    return build(context, shared_registry, "process")


@pytest.fixture(scope="session")
def container_image(
    shared_registry: FakeRegistry,
    docker_engine: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    context = write_context(tmp_path_factory.mktemp("container") / "box")
    yield build(context, shared_registry, "container")
    for image in docker_engine.images.list():
        for tag in image.tags:
            if tag.startswith(shared_registry.host):
                docker_engine.images.remove(tag, force=True)


@contextmanager
def closing(runtime: Runtime) -> Iterator[Runtime]:
    try:
        yield runtime
    finally:
        runtime.close()


@pytest.fixture
def processes(process_image: str, shared_registry: FakeRegistry, tmp_path: Path) -> Iterator[Lab]:
    logs, instance = FakeLogs(), uuid.uuid4().hex[:12]
    with closing(Processes(logs=logs, state=tmp_path / "state", instance=instance)) as runtime:
        yield Lab(runtime, process_image, logs, shared_registry, instance)


@pytest.fixture
def containers(container_image: str, shared_registry: FakeRegistry) -> Iterator[Lab]:
    logs, instance = FakeLogs(), uuid.uuid4().hex[:12]
    with closing(Containers(logs=logs, instance=instance)) as runtime:
        yield Lab(runtime, container_image, logs, shared_registry, instance)


@pytest.fixture(params=["processes", pytest.param("containers", marks=pytest.mark.docker)])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Both runtimes keep the same promises."""
    found: Lab = request.getfixturevalue(request.param)
    return found
