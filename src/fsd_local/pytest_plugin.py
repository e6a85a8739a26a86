"""The fixture `fsd_local`: an embedded AWS for a project's own tests.

One instance a session (a worker of pytest-xdist has its own), started when the first test asks for
it, empty again after each test. pytest loads this module in every project whose environment has it:
so it imports nothing of ours before a test asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fsd_local.testing import EmbeddedAws

_SETTINGS = {
    "fsd_local_runtime": "container or process (default: container where an engine answers)",
    "fsd_local_speed": "how many times as fast health checks and draining run (default: 50)",
}
_ENFORCE = "fsd_local_enforce_iam"
# What would win over AWS_ENDPOINT_URL and the keys. "false" also where ~/.aws/config says true.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_FALSE = (
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
_UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
_OF_ONE_SERVICE = "AWS_ENDPOINT_URL_"


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, meaning in _SETTINGS.items():
        parser.addini(name, meaning, default="")
    parser.addini(_ENFORCE, "roles may do only what their policies say", type="bool", default=False)


@pytest.fixture(scope="session")
def fsd_local_session(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedAws]:
    """The instance itself, with what earlier tests left."""
    from fsd_local.testing import run_instance

    with run_instance(
        tmp_path_factory.mktemp("fsd-local") / "state",
        runtime=pytestconfig.getini("fsd_local_runtime"),
        speed=pytestconfig.getini("fsd_local_speed"),
        enforces_iam=bool(pytestconfig.getini(_ENFORCE)),
    ) as running:
        yield running


@pytest.fixture
def fsd_local(
    fsd_local_session: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmbeddedAws]:
    """An empty embedded AWS.

    For the test, the environment has `AWS_ENDPOINT_URL` and the keys, so that boto3, the AWS CLI
    and whatever else it starts find it, and boto3 has no default session of an earlier test.
    """
    import boto3

    of_one_service = [name for name in os.environ if name.startswith(_OF_ONE_SERVICE)]
    for name in (*_UNSET, *of_one_service):
        monkeypatch.delenv(name, raising=False)
    for name in _FALSE:
        monkeypatch.setenv(name, "false")
    for name, value in fsd_local_session.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    yield fsd_local_session
    fsd_local_session.reset()
