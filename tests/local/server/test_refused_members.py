"""What `fsd_local.members` lists as refused is refused, by the running instance."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore import xform_name

from fsd_local.members import load, load_input, load_operations
from tests.local import members
from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal

SERVICES = ("elbv2", "ecr", "application-autoscaling")


def _refused(service: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """(operation, shape.member, path), for the first path to it in each operation."""
    wanted = {
        f"{shape}.{name}" for shape, names in load(service)["refused"].items() for name in names
    }
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for operation in sorted(load_operations(service)):
        for member, path in members.paths(load_input(service, operation)):
            if member in wanted:
                found.setdefault((operation, member), path)
    return [(operation, member, path) for (operation, member), path in found.items()]


@pytest.mark.parametrize("service", SERVICES)
def test_members__refused__is_answered_with_an_error(aws: Clients, service: str) -> None:
    client = aws(service)
    passed = []
    for operation, _, path in _refused(service):
        shape = load_input(service, operation)
        request: dict[str, Any] = members.sample(shape)
        members.put(request, shape, path)
        _, message = refusal(getattr(client, xform_name(operation)), **request)
        if not re.search("does not act on", message):
            passed.append((operation, path, message))

    assert passed == []


@pytest.mark.parametrize("service", SERVICES)
def test_members__each_that_is_refused__is_sent(service: str) -> None:
    listed = load(service)["refused"]
    assert {member for _, member, _ in _refused(service)} == {
        f"{shape}.{name}" for shape, names in listed.items() for name in names
    }


def test_ecr__layers_by_api__are_no_operation(aws: Clients) -> None:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName="app")

    code, _ = refusal(ecr.initiate_layer_upload, repositoryName="app")

    assert code == "UnknownOperationException"


def test_ecr__filter_by_tag_status__is_done(aws: Clients) -> None:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName="app")
    ecr.put_image(repositoryName="app", imageManifest='{"a": 1}', imageTag="one")
    ecr.put_image(repositoryName="app", imageManifest='{"b": 2}')

    def tags(status: str) -> list[list[str]]:
        found = ecr.describe_images(repositoryName="app", filter={"tagStatus": status})
        return [image.get("imageTags", []) for image in found["imageDetails"]]

    assert tags("TAGGED") == [["one"]]
    assert tags("UNTAGGED") == [[]]


def test_ecr__page_of_repositories__leaves_none_out(aws: Clients) -> None:
    ecr = aws("ecr")
    for name in ("one", "two", "three"):
        ecr.create_repository(repositoryName=name)

    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})

    assert len([repository for page in pages for repository in page["repositories"]]) == 3
