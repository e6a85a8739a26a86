"""Which platforms an image in a registry is for: its index says it, else its configuration.

https://github.com/opencontainers/image-spec/blob/main/image-index.md
https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fsd.image.registry_api import RegistryApi

_MOST_OF_A_CONFIGURATION = 4 * 1024 * 1024  # bytes


def read_platforms(api: RegistryApi, digest: str) -> tuple[str, ...]:
    """Such as linux/arm64, sorted; () where the image does not say. Raises CallFailedError."""
    found = api.find_manifest(digest)
    manifest = _tree(found.content) if found is not None else {}
    if "manifests" in manifest:
        return tuple(sorted({*_of_index(manifest["manifests"])}))
    described = manifest.get("config")
    configuration = described.get("digest") if isinstance(described, Mapping) else None
    if not isinstance(configuration, str):
        return ()
    return tuple(_named(_tree(_content(api, configuration))))


def _content(api: RegistryApi, digest: str) -> bytes:
    """Empty for one that is larger than any image needs."""
    content = bytearray()
    with api.open_blob(digest, start=0) as pieces:
        for piece in pieces:
            content += piece
            if len(content) > _MOST_OF_A_CONFIGURATION:
                return b""
    return bytes(content)


def _of_index(manifests: object) -> Iterator[str]:
    """Without attestations, whose platform is unknown/unknown."""
    for one in manifests if isinstance(manifests, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("platform"), Mapping):
            yield from _named(one["platform"])


def _named(platform: Mapping[str, object]) -> Iterator[str]:
    system, architecture = platform.get("os"), platform.get("architecture")
    if isinstance(system, str) and isinstance(architecture, str) and system != "unknown":
        yield f"{system}/{architecture}"


def _tree(content: bytes) -> Mapping[str, object]:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, Mapping) else {}
