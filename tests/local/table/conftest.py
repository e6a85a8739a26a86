from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from fsd.aws.ecr import ContainerRegistry
from fsd.aws.session import AwsSession
from fsd.image.build import build_image
from fsd.image.context import read_source
from fsd.image.key import Recipe
from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings
from tests.fakes.python_image import ensure_python_image
from tests.local.table.stage import Stage

SPEED = 40
SERVICE = Path(__file__).parent / "service"
_accounts = itertools.count(1)
_CONFIG = Config(retries={"total_max_attempts": 1})


@pytest.fixture(
    scope="session", params=["process", pytest.param("container", marks=pytest.mark.docker)]
)
def instance(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """An embedded AWS for all cases; each has an account of its own."""
    if request.param == "container":
        request.getfixturevalue("docker_engine")
    folder = tmp_path_factory.mktemp("table") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        started = local.ensure(Settings(runtime=request.param, speed=SPEED))
    yield started
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        local.down()


def _session(account: str, instance: Instance) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=account,
        aws_secret_access_key=instance.secret,
        region_name="us-east-1",
    )


@pytest.fixture(scope="session")
def image(
    instance: Instance,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The service of the table, in the instance's registry, by digest."""
    if instance.runtime == "container":
        ensure_python_image(request.getfixturevalue("docker_engine"))
    context = tmp_path_factory.mktemp("image") / "service"
    shutil.copytree(SERVICE, context)
    boto = _session(instance.account, instance)
    session = AwsSession(boto, endpoint_url=instance.endpoint, clock=None)
    registry = ContainerRegistry(clients=session)
    built = build_image(
        read_source(context, recipe=Recipe(runtime=instance.runtime)),
        repository=registry.create_repository("table", tags={}),
        registry=registry,
    )
    return built.image.uri


@pytest.fixture
def client(instance: Instance) -> Iterator[Callable[[str], Any]]:
    """boto3 clients in an account that only this test has."""
    session = _session(f"{next(_accounts):012}", instance)
    clients: list[Any] = []

    def make(service: str) -> Any:
        made = session.client(service, endpoint_url=instance.endpoint, config=_CONFIG)
        clients.append(made)
        return made

    yield make
    for used in clients:
        used.close()


@pytest.fixture
def stage(client: Callable[[str], Any], image: str) -> Iterator[Callable[..., Stage]]:
    """Makes the stage; afterwards its service is deleted, so that no task runs on."""
    stages: list[Stage] = []

    def make(**options: Any) -> Stage:
        stages.append(Stage(client=client, image=image, **options))
        return stages[-1]

    yield make
    for made in stages:
        made.remove()
