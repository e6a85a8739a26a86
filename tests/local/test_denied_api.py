"""A role without the service-deployment API: other evidence, the same verdicts."""

from __future__ import annotations

import pytest

from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd

DENIED = {
    "ListServiceDeployments",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "StopServiceDeployment",
}


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__service_deployment_api_denied__right_and_said_once(fsd: Fsd) -> None:
    with plain_aws(fsd.status()["endpoint"], denied=DENIED, embedded=True) as endpoint:
        fsd.extra = {**fsd.aws_environment(), "AWS_ENDPOINT_URL": endpoint}
        deploy = ("deploy", "--env", "dev", "--format", "json")
        first = fsd.run(*deploy, "--version", "v1")
        broken = fsd.run(*deploy, "--override", "environment.HELLO_CRASH=1")
        good = fsd.run(*deploy, "--override", "environment.GREETING=hi", "--version", "v3")

    assert first.code == 0, first.text
    assert first.err.count("judging by DescribeServices") == 1
    assert broken.code == 6, broken.text
    assert broken.json()["running"]["version"] == "v1"
    assert broken.json()["diagnosis"]["causes"][0]["code"] == "crashed"
    assert good.code == 0, good.text
