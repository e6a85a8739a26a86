from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.ecr import MANIFEST_TYPES, ContainerRegistry
from fsd.errors import CallFailedError
from fsd.release.ports import RegistryImage, Repository
from tests.moto.conftest import TestClients

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web"
OCI = "application/vnd.oci.image.manifest.v1+json"
DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"


@pytest.fixture
def registry(clients: TestClients) -> ContainerRegistry:
    return ContainerRegistry(clients=clients)


@pytest.fixture
def aws(stub: Callable[[str], Stubber]) -> Stubber:
    return stub("ecr")


def manifest(content: str) -> str:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI, "layers": [], "x": content})


def push(clients: TestClients, tag: str, content: str) -> str:
    put = clients.client("ecr").put_image(
        repositoryName="web",
        imageManifest=manifest(content),
        imageManifestMediaType=OCI,
        imageTag=tag,
    )
    return str(put["image"]["imageId"]["imageDigest"])


@pytest.mark.usefixtures("in_moto")
def test_repository__created_found_and_deleted(
    registry: ContainerRegistry, clients: TestClients
) -> None:
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/web"
    expected = Repository(name="web", uri=URI, arn=arn)

    assert registry.find_repository("web") is None
    assert registry.create_repository("web", tags={"fsd:service": "web"}) == expected
    push(clients, "a", "1")

    assert registry.find_repository("web") == expected
    assert registry.create_repository("web", tags={"other": "x"}) == expected
    assert registry.read_tags(expected) == {"fsd:service": "web"}
    registry.delete_repository("web")
    registry.delete_repository("web")
    assert registry.find_repository("web") is None


def test_create_repository__tags_cannot_be_moved_but_the_caches(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    aws.add_response(
        "create_repository",
        {"repository": {"repositoryName": "web", "repositoryUri": URI}},
        {
            "repositoryName": "web",
            "tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [
                {"filterType": "WILDCARD", "filter": "buildcache*"}
            ],
        },
    )

    assert registry.create_repository("web", tags={"b": "2", "a": "1"}).uri == URI


def test_create_repository__quota__raised(registry: ContainerRegistry, aws: Stubber) -> None:
    aws.add_client_error("create_repository", "LimitExceededException", "too many")

    with pytest.raises(CallFailedError) as caught:
        registry.create_repository("web", tags={})

    assert caught.value.code == "quota-exceeded"


@pytest.mark.usefixtures("in_moto")
def test_find_image__by_tag_and_by_digest(
    registry: ContainerRegistry, clients: TestClients
) -> None:
    registry.create_repository("web", tags={})
    digest = push(clients, "4f2c1e9", "1")

    expected = RegistryImage(digest=digest, tags=frozenset({"4f2c1e9"}))
    assert registry.find_image("web", "4f2c1e9") == expected
    assert registry.find_image("web", digest) == expected
    assert registry.find_image("web", "none") is None


@pytest.mark.usefixtures("in_moto")
def test_find_image__no_repository__none(registry: ContainerRegistry) -> None:
    assert registry.find_image("web", "4f2c1e9") is None


def test_find_image__empty_answer__none(registry: ContainerRegistry, aws: Stubber) -> None:
    aws.add_response(
        "describe_images",
        {"imageDetails": []},
        {"repositoryName": "web", "imageIds": [{"imageTag": "x"}]},
    )

    assert registry.find_image("web", "x") is None


def test_find_image__archived__said(registry: ContainerRegistry, aws: Stubber) -> None:
    aws.add_response(
        "describe_images",
        {"imageDetails": [{"imageDigest": DIGEST, "imageStatus": "ARCHIVED"}]},
        {"repositoryName": "web", "imageIds": [{"imageDigest": DIGEST}]},
    )

    with pytest.raises(CallFailedError) as caught:
        registry.find_image("web", DIGEST)

    assert caught.value.code == "image-archived"


@pytest.mark.usefixtures("in_moto")
def test_tag_digest__again_and_anew__same_digest(
    registry: ContainerRegistry, clients: TestClients
) -> None:
    registry.create_repository("web", tags={})
    digest = push(clients, "4f2c1e9", "1")

    registry.tag_digest("web", digest=digest, tag="v1")
    registry.tag_digest("web", digest=digest, tag="v1")

    expected = RegistryImage(digest=digest, tags=frozenset({"v1", "4f2c1e9"}))
    assert registry.find_image("web", "v1") == expected
    assert registry.find_image("web", "4f2c1e9") == expected


@pytest.mark.usefixtures("in_moto")
def test_tag_digest__no_such_image__image_not_found(registry: ContainerRegistry) -> None:
    registry.create_repository("web", tags={})

    with pytest.raises(CallFailedError) as caught:
        registry.tag_digest("web", digest=DIGEST, tag="v1")

    assert (caught.value.code, caught.value.where) == ("image-not-found", f"web@{DIGEST}")


def has_manifest(aws: Stubber, kind: str = MANIFEST_TYPES[0]) -> None:
    aws.add_response(
        "batch_get_image",
        {"images": [{"imageManifest": "{}", "imageManifestMediaType": kind}]},
        {
            "repositoryName": "web",
            "imageIds": [{"imageDigest": DIGEST}],
            "acceptedMediaTypes": list(MANIFEST_TYPES),
        },
    )


def put_parameters(kind: str) -> dict[str, Any]:
    return {
        "repositoryName": "web",
        "imageManifest": "{}",
        "imageManifestMediaType": kind,
        "imageTag": "v1",
        "imageDigest": DIGEST,
    }


@pytest.mark.parametrize("kind", MANIFEST_TYPES)
def test_tag_digest__any_kind_of_manifest__sent_back_as_it_came(
    registry: ContainerRegistry, aws: Stubber, kind: str
) -> None:
    has_manifest(aws, kind)
    aws.add_response(
        "put_image", {"image": {"imageId": {"imageDigest": DIGEST}}}, put_parameters(kind)
    )

    registry.tag_digest("web", digest=DIGEST, tag="v1")


def test_tag_digest__tag_is_on_the_same_digest__fine(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    has_manifest(aws)
    aws.add_client_error("put_image", "ImageTagAlreadyExistsException", "immutable")
    aws.add_response("describe_images", {"imageDetails": [{"imageDigest": DIGEST}]})

    registry.tag_digest("web", digest=DIGEST, tag="v1")


def test_tag_digest__image_has_the_tag__fine(registry: ContainerRegistry, aws: Stubber) -> None:
    has_manifest(aws)
    aws.add_client_error("put_image", "ImageAlreadyExistsException", "already exists")

    registry.tag_digest("web", digest=DIGEST, tag="v1")


def test_tag_digest__tag_is_on_another_digest__raised(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    has_manifest(aws)
    aws.add_client_error("put_image", "ImageTagAlreadyExistsException", "immutable")
    aws.add_response("describe_images", {"imageDetails": [{"imageDigest": OTHER}]})

    with pytest.raises(CallFailedError) as caught:
        registry.tag_digest("web", digest=DIGEST, tag="v1")

    assert caught.value.code == "image-tag-taken"


def test_tag_digest__layers_are_elsewhere__says_how_to_copy(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    has_manifest(aws)
    aws.add_client_error("put_image", "LayersNotFoundException", "layers not found")

    with pytest.raises(CallFailedError) as caught:
        registry.tag_digest("web", digest=DIGEST, tag="v1")

    assert caught.value.code == "image-elsewhere"


def test_tag_digest__stored_under_another_digest__raised(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    has_manifest(aws)
    aws.add_response("put_image", {"image": {"imageId": {"imageDigest": OTHER}}})

    with pytest.raises(CallFailedError) as caught:
        registry.tag_digest("web", digest=DIGEST, tag="v1")

    assert caught.value.code == "image-digest-changed"


def test_login__token__user_password_and_endpoint(
    registry: ContainerRegistry, aws: Stubber
) -> None:
    token = base64.b64encode(b"AWS:p:w").decode()
    entry = {"authorizationToken": token, "proxyEndpoint": "http://127.0.0.1:4566"}
    aws.add_response("get_authorization_token", {"authorizationData": [entry]})

    assert registry.login() == ("AWS", "p:w", "http://127.0.0.1:4566")


def test_login__no_token__said(registry: ContainerRegistry, aws: Stubber) -> None:
    aws.add_response("get_authorization_token", {"authorizationData": []})

    with pytest.raises(CallFailedError, match="no token"):
        registry.login()
