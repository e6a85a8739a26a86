"""MiniStack's ECR: the answers that AWS gives. What Docker talks to is `patches.registry`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import ecr

from fsd_local.patches.scope import json_answer, json_error


def mount() -> None:
    """Patch the module's functions: MiniStack looks each up by name for every request."""
    ecr._describe_images = _missing_image_is_an_error(ecr._describe_images)
    ecr._put_image = _unchanged_image_is_an_error(ecr._put_image)
    ecr._batch_delete_image = _delete_images
    ecr._list_images = _list_every_tag
    ecr._delete_repository = _free_layers(ecr._delete_repository)


def _missing_image_is_an_error(describe: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(describe)
    def describe_images(parameters: Any) -> Any:
        name = parameters.get("repositoryName", "")
        for wanted in parameters.get("imageIds") or []:
            if name in ecr._repositories and ecr._find_image(name, wanted) is None:
                return json_error("ImageNotFoundException", _no_such_image(name, wanted))
        status, headers, body = describe(parameters)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        for detail in answer["imageDetails"]:
            image = ecr._find_image(name, detail) or {}
            detail["imageSizeInBytes"] = _size(image.get("imageManifest", ""))
        status = (parameters.get("filter") or {}).get("tagStatus", "ANY")
        wanted_tags = {"TAGGED": (True,), "UNTAGGED": (False,)}.get(status, (True, False))
        answer["imageDetails"] = [
            detail
            for detail in answer["imageDetails"]
            if bool(detail.get("imageTags")) in wanted_tags
        ]
        return json_answer(answer)

    return describe_images


def _no_such_image(name: str, image_id: Any) -> str:
    known = {key: image_id.get(key, "null") for key in ("imageDigest", "imageTag")}
    shown = ", ".join(f"{key}:'{value}'" for key, value in known.items())
    return (
        f"The image with imageId {{{shown}}} does not exist within the repository with name "
        f"'{name}' in the registry with id '{responses.get_account_id()}'"
    )


def _size(manifest: str) -> int:
    """The compressed size of what a pull transfers: the config and the layers."""
    try:
        parsed = json.loads(manifest)
    except ValueError:
        return len(manifest)
    parts = [parsed.get("config") or {}, *(parsed.get("layers") or parsed.get("manifests") or [])]
    return sum(int(part.get("size", 0)) for part in parts)


def _unchanged_image_is_an_error(put: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html#API_PutImage_Errors"""

    @functools.wraps(put)
    def put_image(parameters: Any) -> Any:
        name, tag = parameters.get("repositoryName", ""), parameters.get("imageTag")
        digest = parameters.get("imageDigest") or ecr._image_digest(
            parameters.get("imageManifest", "")
        )
        present = name in ecr._repositories and ecr._find_image(name, {"imageDigest": digest})
        if present and (not tag or tag in present.get("imageTags", [])):
            return json_error(
                "ImageAlreadyExistsException",
                f"Image with digest '{digest}' and tag '{tag}' already exists in the repository "
                f"with name '{name}' in registry with id '{responses.get_account_id()}'",
            )
        return put(parameters)

    return put_image


def _delete_images(parameters: Any) -> Any:
    """A tag is taken off; the image goes with its last tag, or by digest.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
    """
    name = parameters.get("repositoryName", "")
    if name not in ecr._repositories:
        return json_error(
            "RepositoryNotFoundException", f"The repository with name '{name}' does not exist"
        )
    deleted, failures = [], []
    for wanted in parameters.get("imageIds", []):
        image = ecr._find_image(name, wanted)
        if image is None:
            failures.append(
                {
                    "imageId": wanted,
                    "failureCode": "ImageNotFound",
                    "failureReason": "Requested image not found",
                }
            )
            continue
        deleted.append(_delete_image(name, image, tag=_tag_only(wanted)))
    return json_answer({"imageIds": deleted, "failures": failures})


def _tag_only(image_id: Any) -> str:
    return "" if image_id.get("imageDigest") else str(image_id.get("imageTag", ""))


def _delete_image(name: str, image: Any, *, tag: str) -> dict[str, str]:
    tags = image.setdefault("imageTags", [])
    if tag:
        tags.remove(tag)
        image["imageId"] = _image_id(image)
    if not tag or not tags:
        ecr._images[name].remove(image)
        (ecr._manifest_blobs.get(name) or {}).pop(image["imageDigest"], None)
    identifier = {"imageDigest": image["imageDigest"]}
    return {**identifier, "imageTag": tag} if tag else identifier


def _image_id(image: Any) -> dict[str, str]:
    tags = image.get("imageTags") or []
    return {"imageDigest": image["imageDigest"], **({"imageTag": tags[-1]} if tags else {})}


def _list_every_tag(parameters: Any) -> Any:
    """One entry for each tag; an untagged image has one with its digest alone."""
    name = parameters.get("repositoryName", "")
    if name not in ecr._repositories:
        return json_error(
            "RepositoryNotFoundException", f"The repository with name '{name}' does not exist"
        )
    wanted = parameters.get("filter", {}).get("tagStatus", "ANY")
    entries: list[dict[str, str]] = []
    for image in ecr._images.get(name, []):
        tags = image.get("imageTags") or []
        digest = {"imageDigest": image["imageDigest"]}
        if tags and wanted in ("ANY", "TAGGED"):
            entries.extend({**digest, "imageTag": tag} for tag in tags)
        if not tags and wanted in ("ANY", "UNTAGGED"):
            entries.append(digest)
    return json_answer({"imageIds": entries})


def _free_layers(delete: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The layers are in memory; MiniStack keeps those of a deleted repository."""

    @functools.wraps(delete)
    def delete_repository(parameters: Any) -> Any:
        answer = delete(parameters)
        if answer[0] == 200:
            for store in (ecr._layer_blobs, ecr._manifest_blobs, ecr._uploads):
                store.pop(parameters["repositoryName"], None)
        return answer

    return delete_repository
