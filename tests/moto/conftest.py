"""AWS for the adapters: moto where it has the operation, botocore's Stubber where it has not.

No test here reaches a network: credentials are made up, and files and metadata are switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import moto  # before any client: it hooks into botocore when it is imported
from fsd.aws.session import READ_ATTEMPTS

REGION = "us-east-1"


class TestClients:
    """`fsd.aws.session.Clients`, one client a service whatever the attempts."""

    __test__ = False

    def client(self, service: str, *, attempts: int = READ_ATTEMPTS, region: str = "") -> Any:
        del attempts, region
        return _client(service)


@lru_cache
def _client(service: str) -> Any:
    """Made once: reading a service's model takes longer than most tests."""
    return boto3.client(
        service,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture(autouse=True)
def _no_aws_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def clients() -> TestClients:
    return TestClients()


@pytest.fixture
def in_moto() -> Iterator[None]:
    with moto.mock_aws():
        yield


@pytest.fixture
def stub() -> Iterator[Callable[[str], Stubber]]:
    """`stub("ecs")` scripts the client that `clients` hands out; all of it must be used."""
    stubbers: list[Stubber] = []

    def make(service: str) -> Stubber:
        stubber = Stubber(_client(service))
        stubber.activate()
        stubbers.append(stubber)
        return stubber

    yield make
    for stubber in stubbers:
        stubber.deactivate()
    for stubber in stubbers:
        stubber.assert_no_pending_responses()
