"""ECR: repositories, tags and digests. Hosts are always the API's answer, never composed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import aws_code, call
from fsd.aws.session import FEW_ATTEMPTS, Clients
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import RegistryImage, Repository

# A tag is a commit, and says the same bytes for ever; a build cache is written again and again.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
MOVABLE_TAGS = ("buildcache*",)

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def get_manifests(client: Any, repository: str, digest: str) -> dict[str, Any]:
    """The answer of BatchGetImage, with the index of several platforms where there is one."""
    return call(
        client,
        "batch_get_image",
        f"{repository}@{digest}",
        repositoryName=repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=list(MANIFEST_TYPES),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRegistry:
    """`fsd.release.ports.Registry`."""

    clients: Clients

    def find_repository(self, name: str) -> Repository | None:
        try:
            answer = call(self._client, "describe_repositories", name, repositoryNames=[name])
        except CallFailedError as error:
            if aws_code(error) == "RepositoryNotFoundException":
                return None
            raise
        repositories = answer.get("repositories", [])
        if not repositories:
            return None
        return _repository(repositories[0])

    def read_tags(self, repository: Repository) -> Mapping[str, str]:
        arn = repository.arn
        answer = call(self._client, "list_tags_for_resource", repository.name, resourceArn=arn)
        return {tag["Key"]: tag["Value"] for tag in answer.get("tags", [])}

    def create_repository(self, name: str, *, tags: Mapping[str, str]) -> Repository:
        """With tags that cannot be moved. One that another run made meanwhile is fine.

        Scanning is left to the registry's own setting: the repository's is deprecated.
        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
        """
        try:
            answer = call(
                self._client,
                "create_repository",
                name,
                repositoryName=name,
                tags=[{"Key": key, "Value": tags[key]} for key in sorted(tags)],
                imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
                imageTagMutabilityExclusionFilters=[
                    {"filterType": "WILDCARD", "filter": pattern} for pattern in MOVABLE_TAGS
                ],
            )
        except CallFailedError as error:
            existing = None
            if aws_code(error) == "RepositoryAlreadyExistsException":
                existing = self.find_repository(name)
            if existing is None:
                raise
            return existing
        return _repository(answer["repository"])

    def delete_repository(self, name: str) -> None:
        try:
            call(self._client, "delete_repository", name, repositoryName=name, force=True)
        except CallFailedError as error:
            if aws_code(error) != "RepositoryNotFoundException":
                raise

    def find_image(
        self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
    ) -> RegistryImage | None:
        """In another account's or another Region's registry too, where it may be read.

        Raises CallFailedError for an archived image: ECS cannot pull it.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive_restore_image.html
        """
        try:
            answer = call(
                self._in(region),
                "describe_images",
                f"{repository}:{tag_or_digest}",
                repositoryName=repository,
                imageIds=[_image_id(tag_or_digest)],
                **({"registryId": account} if account else {}),
            )
        except CallFailedError as error:
            if aws_code(error) in {"ImageNotFoundException", "RepositoryNotFoundException"}:
                return None
            raise
        images = answer.get("imageDetails", [])
        if not images:
            return None
        if images[0].get("imageStatus", "ACTIVE") != "ACTIVE":
            raise CallFailedError(
                f"the image is {images[0]['imageStatus']}: ECS cannot pull it",
                where=f"{repository}:{tag_or_digest}",
                fix="restore it in ECR, which takes up to 20 minutes, or deploy another image",
                code=ErrorCode.IMAGE_ARCHIVED,
            )
        tags = frozenset(images[0].get("imageTags", []))
        return RegistryImage(digest=str(images[0]["imageDigest"]), tags=tags)

    def tag_digest(self, repository: str, *, digest: str, tag: str) -> None:
        """The manifest goes back as it came, so the new tag names the same bytes.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
        """
        where = f"{repository}@{digest}"
        manifest = self._manifest(repository, digest)
        try:
            answer = call(
                self._client,
                "put_image",
                f"{where} as {tag}",
                repositoryName=repository,
                imageManifest=manifest["imageManifest"],
                imageTag=tag,
                imageDigest=digest,
                **_media_type(manifest),
            )
        except CallFailedError as error:
            if self._is_tagged_so(error, repository, digest=digest, tag=tag):
                return
            raise
        put = answer.get("image", {}).get("imageId", {}).get("imageDigest", digest)
        if put != digest:
            raise CallFailedError(
                f"ECR stored {put} under the tag {tag}",
                where=where,
                fix="push the image again, and deploy the digest that the push prints",
                code=ErrorCode.IMAGE_DIGEST_CHANGED,
            )

    def login(self) -> tuple[str, str, str]:
        """The password is valid for 12 hours; never log it."""
        answer = call(self._client, "get_authorization_token", "")
        entries = answer.get("authorizationData", [])
        if not entries:
            raise CallFailedError(
                "ECR answers no token",
                where="GetAuthorizationToken",
                fix="check the region; ECR must be available in it",
            )
        token = base64.b64decode(entries[0]["authorizationToken"]).decode()
        user, _, password = token.partition(":")
        return user, password, str(entries[0]["proxyEndpoint"])

    def _manifest(self, repository: str, digest: str) -> dict[str, Any]:
        answer = get_manifests(self._client, repository, digest)
        images: list[dict[str, Any]] = answer.get("images", [])
        if images:
            return images[0]
        failures: list[dict[str, str]] = answer.get("failures", [])
        failure = failures[0] if failures else {}
        raise CallFailedError(
            f"{failure.get('failureCode', 'ImageNotFound')}: "
            f"{failure.get('failureReason', 'no such image')}",
            where=f"{repository}@{digest}",
            fix="push the image to this repository, or name one that exists",
            code=ErrorCode.IMAGE_NOT_FOUND,
        )

    def _is_tagged_so(
        self, error: CallFailedError, repository: str, *, digest: str, tag: str
    ) -> bool:
        """Whether the tag that is taken names the same digest."""
        match aws_code(error):
            case "ImageAlreadyExistsException":
                return True
            case "ImageTagAlreadyExistsException":
                found = self.find_image(repository, tag)
                return found is not None and found.digest == digest
            case _:
                return False

    @property
    def _client(self) -> Any:
        return self.clients.client("ecr")

    def _in(self, region: str) -> Any:
        """A Region that cannot be reached is said after a few attempts."""
        if not region:
            return self._client
        return self.clients.client("ecr", attempts=FEW_ATTEMPTS, region=region)


def _image_id(tag_or_digest: str) -> dict[str, str]:
    key = "imageDigest" if tag_or_digest.startswith("sha256:") else "imageTag"
    return {key: tag_or_digest}


def _media_type(manifest: dict[str, Any]) -> dict[str, str]:
    """PutImage needs it where the manifest itself does not say (OCI)."""
    kind = manifest.get("imageManifestMediaType")
    return {"imageManifestMediaType": str(kind)} if kind else {}


def _repository(answer: dict[str, Any]) -> Repository:
    return Repository(
        name=answer["repositoryName"],
        uri=answer["repositoryUri"],
        arn=answer.get("repositoryArn", ""),
    )
