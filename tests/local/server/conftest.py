from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import boto3
import pytest
from botocore.config import Config

from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings

Clients: TypeAlias = Callable[[str], Any]

_accounts = itertools.count(1)
_CONFIG = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An embedded AWS for the whole session; tests keep apart by having an account each."""
    folder = tmp_path_factory.mktemp("local") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        started = local.ensure(Settings(runtime="process", speed=50))
    yield started
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        local.down()


@pytest.fixture
def account() -> str:
    return f"{next(_accounts):012}"


@pytest.fixture
def aws(instance: Instance, account: str) -> Iterator[Clients]:
    """boto3 clients in the test's own account."""
    session = boto3.Session(
        aws_access_key_id=account,
        aws_secret_access_key=instance.secret,
        region_name="us-east-1",
    )
    made: list[Any] = []

    def client(service: str) -> Any:
        made.append(session.client(service, endpoint_url=instance.endpoint, config=_CONFIG))
        return made[-1]

    yield client
    for used in made:
        used.close()
