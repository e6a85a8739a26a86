"""Copy an image from one repository to another, byte for byte: the digest stays.

An index goes with the images of all its platforms, and each manifest with what refers to it
(signatures, attestations). Layers are streamed from one registry to the other; what the target has
already is not sent again, so a copy that was cut off goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fsd.errors import CallFailedError, ErrorCode
from fsd.image.push_retries import PushRetries
from fsd.image.registry_api import FoundManifest, RegistryApi

_RESUMES = 5  # of one layer's download, besides the attempts at the layer
_DEEPEST = 4  # an index of indexes; and what refers to what refers
# Signature, attestation and SBOM, as cosign tags them in registries without the referrers API.
# https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
_TAGGED = ("sig", "att", "sbom")
_HEX = set("0123456789abcdef")
_DIGEST_LENGTH = len("sha256:") + 64


@dataclass(slots=True, kw_only=True)
class ImageCopy:
    """One copy, and what came of it."""

    source: RegistryApi
    target: RegistryApi
    retries: PushRetries
    sent: int = 0  # bytes of layers that went through this machine
    mounted: int = 0  # layers that the registry took from the other repository
    manifests: int = 0
    # What refers to the image and was not copied: digest and why. The image is whole without it.
    left: list[tuple[str, CallFailedError]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def run(self, digest: str) -> None:
        """Raises CallFailedError; what was copied until then stays."""
        self._copy_manifest(digest, depth=0)

    def _copy_manifest(self, digest: str, *, depth: int) -> None:
        """What a manifest names comes before it: a registry refuses one whose parts are missing."""
        if digest in self._seen:
            return
        self._seen.add(digest)
        if depth > _DEEPEST:
            raise self._broken(f"{digest} is nested more than {_DEEPEST} deep")
        found = self.retries(lambda: self.source.find_manifest(digest))
        if found is None:
            raise CallFailedError(
                f"the image {digest} is not there any more",
                where=self.source.where,
                fix="build and deploy it there again, and promote that",
                code=ErrorCode.IMAGE_NOT_FOUND,
            )
        tree = self._parse(found, digest)
        if not self.retries(lambda: self.target.has_manifest(digest)):
            for child in self._descriptors(tree, "manifests"):
                self._copy_manifest(child.digest, depth=depth + 1)
            for blob in self._blobs(tree):
                self._copy_blob(blob)
            manifest = FoundManifest(content=found.content, media_type=self._type(found, tree))
            self.retries(lambda: self.target.put_manifest(digest, manifest))
            self.manifests += 1
        self._copy_referrers(digest, depth=depth)

    def _copy_referrers(self, digest: str, *, depth: int) -> None:
        try:
            pages = self.retries(lambda: self.source.find_referrers(digest))
            trees = [self._tree(page, f"referrers of {digest}") for page in pages]
            found = [one for tree in trees for one in self._descriptors(tree, "manifests")]
        except CallFailedError as error:
            self.left.append((digest, error))
            return
        for one in found:
            try:
                self._copy_manifest(one.digest, depth=depth + 1)
            except CallFailedError as error:
                self.left.append((one.digest, error))
        for ending in _TAGGED:
            tag = f"{digest.replace(':', '-', 1)}.{ending}"
            try:
                self._copy_tagged(tag, depth=depth)
            except CallFailedError as error:
                self.left.append((tag, error))

    def _copy_tagged(self, tag: str, *, depth: int) -> None:
        """What refers to an image by a tag made of its digest, if there is such a tag."""
        found = self.retries(lambda: self.source.find_manifest(tag))
        if found is None:
            return
        digest = f"sha256:{hashlib.sha256(found.content).hexdigest()}"
        self._copy_manifest(digest, depth=depth + 1)
        there = self.retries(lambda: self.target.find_manifest(tag))
        if there is None or there.content != found.content:
            type_ = self._type(found, self._tree(found.content, tag))
            manifest = FoundManifest(content=found.content, media_type=type_)
            self.retries(lambda: self.target.put_manifest(digest, manifest, tag=tag))

    def _copy_blob(self, blob: _Descriptor) -> None:
        if blob.digest in self._seen:
            return
        self._seen.add(blob.digest)
        if not self.retries(lambda: self.target.has_blob(blob.digest)):
            self.retries(lambda: self._send(blob))

    def _send(self, blob: _Descriptor) -> None:
        address = ""
        if _host(self.source) == _host(self.target):
            address = self.target.mount(blob.digest, source=self.source.repository)
            if not address:
                self.mounted += 1
                return
        address = address or self.target.begin_upload()
        pieces = self._stream(blob)
        self.target.upload(address, blob.digest, size=blob.size, pieces=pieces)

    def _stream(self, blob: _Descriptor) -> Iterator[bytes]:
        """All its bytes, once, verified; where the source's connection ends, from there on."""
        hashed, at, resumes = hashlib.sha256(), 0, 0
        while at < blob.size:
            try:
                with self.source.open_blob(blob.digest, start=at) as pieces:
                    for piece in pieces:
                        at += len(piece)
                        self.sent += len(piece)
                        if at > blob.size:
                            raise self._broken(f"the layer {blob.digest} is larger than it says")
                        hashed.update(piece)
                        yield piece
            except CallFailedError as error:
                if not error.may_pass or resumes >= _RESUMES:
                    raise
            if at < blob.size:
                resumes += 1
                if resumes > _RESUMES:
                    raise self._broken(f"the layer {blob.digest} ends after {at} bytes")
        if f"sha256:{hashed.hexdigest()}" != blob.digest:
            raise self._broken(f"the layer {blob.digest} has other bytes")

    # ---- manifests

    def _parse(self, found: FoundManifest, digest: str) -> Mapping[str, object]:
        actual = f"sha256:{hashlib.sha256(found.content).hexdigest()}"
        if actual != digest:
            raise self._broken(f"the manifest {digest} has the digest {actual}")
        return self._tree(found.content, digest)

    def _tree(self, content: bytes, name: str) -> Mapping[str, object]:
        try:
            tree = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._broken(f"{name} is no JSON") from error
        if not isinstance(tree, dict):
            raise self._broken(f"{name} is no manifest")
        return tree

    def _blobs(self, tree: Mapping[str, object]) -> Iterator[_Descriptor]:
        config = tree.get("config")
        if config is not None:
            yield self._descriptor(config)
        yield from self._descriptors(tree, "layers")

    def _descriptors(self, tree: Mapping[str, object], key: str) -> Iterator[_Descriptor]:
        entries = tree.get(key)
        for entry in entries if isinstance(entries, list) else ():
            yield self._descriptor(entry)

    def _descriptor(self, entry: object) -> _Descriptor:
        digest = entry.get("digest") if isinstance(entry, dict) else None
        size = entry.get("size") if isinstance(entry, dict) else None
        if not isinstance(digest, str) or not _is_digest(digest):
            raise self._broken(f"a manifest names {str(digest)[:80]!r}, which is no SHA-256 digest")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise self._broken(f"a manifest says no size of {digest}")
        return _Descriptor(digest=digest, size=size)

    def _type(self, found: FoundManifest, tree: Mapping[str, object]) -> str:
        said = tree.get("mediaType")
        return said if isinstance(said, str) else found.media_type

    def _broken(self, what: str) -> CallFailedError:
        return CallFailedError(
            what,
            where=self.source.where,
            fix="build and deploy it there again, and promote that",
            code=ErrorCode.IMAGE_NOT_COPIED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Descriptor:
    digest: str
    size: int  # bytes


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LENGTH and text.startswith("sha256:") and set(text[7:]) <= _HEX


def _host(api: RegistryApi) -> str:
    return urlsplit(api.endpoint).netloc
