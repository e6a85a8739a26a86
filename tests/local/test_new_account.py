"""An account in which ECS was never used: the first calls come before IAM knows ECS's own role."""

from __future__ import annotations

import pytest

from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd

# https://github.com/aws/containers-roadmap/issues/2614
NO_ROLE_YET = (
    "Unable to assume the service linked role. Please verify that the ECS service linked role "
    "exists."
)


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__service_linked_role_is_new__waited_for_and_deployed(fsd: Fsd) -> None:
    refused = {"CreateCluster": [NO_ROLE_YET], "CreateService": [NO_ROLE_YET]}
    with plain_aws(fsd.status()["endpoint"], refused=refused, embedded=True) as endpoint:
        fsd.extra = {**fsd.aws_environment(), "AWS_ENDPOINT_URL": endpoint}
        ended = fsd.run("deploy", "--env", "dev", "--format", "json", "--version", "v1")

    assert ended.code == 0, ended.text
    assert ended.json()["outcome"] == "succeeded"
    assert refused == {"CreateCluster": [], "CreateService": []}
