"""One contract test for each patch of MiniStack's ECR."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from fsd_local.image.registry import Blob, RegistryClient
from fsd_local.instance import Instance, credentials
from tests.local.registry_login import registry_password, registry_token
from tests.local.server.conftest import Clients

MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def ecr(aws: Clients) -> Any:
    return aws("ecr")


@pytest.fixture
def repository(ecr: Any) -> str:
    """The account is the test's own, so its name may be anybody's."""
    ecr.create_repository(repositoryName="app")
    return "app"


def manifest(layer: int = 7) -> str:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE,
            "config": {"size": 100, "digest": "sha256:" + "0" * 64},
            "layers": [{"size": layer, "digest": "sha256:" + "1" * 64}],
        }
    )


def put(ecr: Any, repository: str, text: str, tag: str) -> str:
    answer = ecr.put_image(
        repositoryName=repository,
        imageManifest=text,
        imageManifestMediaType=MEDIA_TYPE,
        imageTag=tag,
    )
    return str(answer["image"]["imageId"]["imageDigest"])


@pytest.mark.parametrize(
    "name",
    ["email", "email-api", "apis", "tags", "credentials", "team/email", "blobs/manifests"],
)
def test_push__repository_with_the_name_of_another_apis_path__is_taken(
    instance: Instance, name: str
) -> None:
    content = name.encode()
    blob = Blob(
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        size=len(content),
        media_type="application/octet-stream",
    )
    with closing(boto3.client("ecr", **root_login(instance))) as ecr:
        ecr.create_repository(repositoryName=name)
        client = RegistryClient(
            endpoint=instance.endpoint, repository=name, user="AWS", password=registry_password(ecr)
        )
        client.put_blob(blob, io.BytesIO(content))

    assert client.has_blob(blob.digest)


def root_login(instance: Instance) -> dict[str, str]:
    """Of the account whose repositories have no account in their path."""
    keys = credentials(instance)
    return {
        "endpoint_url": instance.endpoint,
        "region_name": instance.region,
        "aws_access_key_id": keys.access_key_id,
        "aws_secret_access_key": keys.secret_access_key,
    }


def test_repository_uri__is_the_endpoint_that_docker_reaches(
    ecr: Any, instance: Instance, repository: str, account: str
) -> None:
    (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    (token,) = ecr.get_authorization_token()["authorizationData"]
    host = instance.endpoint.removeprefix("http://")
    assert found["repositoryUri"] == f"{host}/{account}/us-east-1/{repository}"
    assert token["proxyEndpoint"] == instance.endpoint


def test_registry__push_without_a_login__refused(
    instance: Instance, repository: str, account: str
) -> None:
    connection = http.client.HTTPConnection(instance.endpoint.removeprefix("http://"))
    connection.request("PUT", f"/v2/{account}/us-east-1/{repository}/manifests/v1", body=b"{}")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_registry__push__reaches_the_repository_of_its_path(
    ecr: Any, instance: Instance, repository: str, account: str
) -> None:
    body = manifest().encode()
    connection = http.client.HTTPConnection(instance.endpoint.removeprefix("http://"))
    connection.request(
        "PUT",
        f"/v2/{account}/us-east-1/{repository}/manifests/v1",
        body=body,
        headers={"Content-Type": MEDIA_TYPE, "Authorization": f"Basic {registry_token(ecr)}"},
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    (image,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ]
    assert response.status == 201
    assert image["imageDigest"] == "sha256:" + hashlib.sha256(body).hexdigest()


def test_describe_images__missing_tag__is_image_not_found(ecr: Any, repository: str) -> None:
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "none"}])


def test_describe_images__size__is_that_of_config_and_layers(ecr: Any, repository: str) -> None:
    put(ecr, repository, manifest(layer=900), "v1")
    (image,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert image["imageSizeInBytes"] == 1000


def test_put_image__same_digest_and_tag__is_image_already_exists(ecr: Any, repository: str) -> None:
    put(ecr, repository, manifest(), "v1")
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        put(ecr, repository, manifest(), "v1")


def test_put_image__one_more_tag__is_listed_beside_the_first(ecr: Any, repository: str) -> None:
    digest = put(ecr, repository, manifest(), "v1")
    assert put(ecr, repository, manifest(), "v2") == digest
    listed = ecr.list_images(repositoryName=repository)["imageIds"]
    assert sorted(entry["imageTag"] for entry in listed) == ["v1", "v2"]


def test_batch_delete_image__one_of_two_tags__keeps_the_image(ecr: Any, repository: str) -> None:
    put(ecr, repository, manifest(), "v1")
    put(ecr, repository, manifest(), "v2")
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    (image,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v2"}])
    assert image["imageTags"] == ["v2"]
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []


def test_delete_repository__force__frees_its_blobs(
    ecr: Any, instance: Instance, repository: str, account: str
) -> None:
    digest = put(ecr, repository, manifest(), "v1")
    ecr.delete_repository(repositoryName=repository, force=True)
    ecr.create_repository(repositoryName=repository)
    connection = http.client.HTTPConnection(instance.endpoint.removeprefix("http://"))
    connection.request(
        "GET",
        f"/v2/{account}/us-east-1/{repository}/manifests/{digest}",
        headers={"Authorization": f"Basic {registry_token(ecr)}"},
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 404


def test_describe_repositories__missing__is_an_error(ecr: Any) -> None:
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=["none"])
