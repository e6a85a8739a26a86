"""Process images: pulled from the embedded AWS's own registry over HTTP, kept by digest.

A process image is an ordinary one with a label, whose content is what the Dockerfile copies and
installs (see `fsd_local.image.snapshot`). Anything else cannot run without Docker, and says so.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fsd_local.image.snapshot import REFERENCES_TYPE
from fsd_local.ports import LaunchError, RegistryLogin
from fsd_local.runtime import messages
from fsd_local.runtime.reference import ImageReference, parse_reference

_LABEL, _VALUE = "fsd.runtime", "process"
REGISTRY_USER = "AWS"
_TIMEOUT = 30.0
_BLOCK = 1 << 20
_ACCEPT = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "docker.distribution.manifest.v2+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "oci.image.index.v1+json",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessImage:
    """What a container of it starts with, and where its layers are."""

    digest: str
    environment: Mapping[str, str]
    working_directory: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    layers: tuple[Path, ...]
    references: tuple[Path, ...] = ()  # what names files of this machine's cache


def own_login(password: str) -> RegistryLogin | None:
    """At the embedded AWS's registry; None where it asks for no password."""
    return RegistryLogin(user=REGISTRY_USER, password=password) if password else None


def resolve_digest(reference: ImageReference, login: RegistryLogin | None = None) -> str:
    """What a registry on this machine has under the name. Raises LaunchError."""
    with _Registry(reference, login) as registry:
        body = registry.get(f"manifests/{reference.version}").read()
        return f"sha256:{hashlib.sha256(body).hexdigest()}"


def require_loopback(image: str) -> ImageReference:
    """Only a registry on this machine has process images, and speaks plain HTTP."""
    reference = parse_reference(image)
    if not reference.is_loopback:
        raise LaunchError(messages.no_snapshot(image))
    return reference


class Images:
    """Thread-safe; one download at a time, since tasks of a deployment want the same image."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self._folder = folder
        self._password = password
        self._lock = threading.Lock()
        self._known: dict[str, ProcessImage] = {}

    def pull(self, image: str, login: RegistryLogin | None = None) -> ProcessImage:
        """With the instance's own login where none is given. Raises LaunchError: not there, not a
        process image, or damaged."""
        reference = require_loopback(image)
        with self._lock:
            found = self._known.get(reference.digest)
            if found is None:
                with _Registry(reference, login or own_login(self._password)) as registry:
                    found = self._pull(registry, reference)
                self._known[found.digest] = found
            return found

    def _pull(self, registry: _Registry, reference: ImageReference) -> ProcessImage:
        body = registry.get(f"manifests/{reference.version}").read()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        manifest = _load(reference, body)
        if reference.digest and digest != reference.digest:
            raise _damaged(reference, f"the manifest is {digest}")
        if "config" not in manifest or "layers" not in manifest:
            raise LaunchError(messages.no_snapshot(reference.text))
        config = _load(reference, registry.get(f"blobs/{manifest['config']['digest']}").read())
        runs = config.get("config") or {}
        if (runs.get("Labels") or {}).get(_LABEL) != _VALUE:
            raise LaunchError(messages.no_snapshot(reference.text))
        parts = [
            (part.get("mediaType") == REFERENCES_TYPE, self._layer(registry, reference, part))
            for part in manifest["layers"]
        ]
        return ProcessImage(
            digest=digest,
            environment=dict(word.partition("=")[::2] for word in runs.get("Env") or ()),
            working_directory=runs.get("WorkingDir") or "/",
            entry_point=tuple(runs.get("Entrypoint") or ()),
            command=tuple(runs.get("Cmd") or ()),
            layers=tuple(place for is_reference, place in parts if not is_reference),
            references=tuple(place for is_reference, place in parts if is_reference),
        )

    def _layer(self, registry: _Registry, reference: ImageReference, part: Any) -> Path:
        digest = str(part["digest"])
        place = self._folder / digest.replace(":", "-")
        if place.exists():
            return place
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(".part")
        with temporary.open("wb") as file:
            found = _copy(registry.get(f"blobs/{digest}"), file)
        if found != digest:
            temporary.unlink()
            raise _damaged(reference, f"a layer is {found}, not {digest}")
        temporary.replace(place)
        return place


class _Registry:
    """One connection to the registry of one reference."""

    def __init__(self, reference: ImageReference, login: RegistryLogin | None) -> None:
        self._reference = reference
        self._headers = {"Accept": _ACCEPT}
        if login is not None:
            token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._connection = http.client.HTTPConnection(reference.host, timeout=_TIMEOUT)

    def __enter__(self) -> _Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> http.client.HTTPResponse:
        """To be read to its end before the next one. Raises LaunchError."""
        url = f"/v2/{self._reference.repository}/{path}"
        try:
            self._connection.request("GET", url, headers=self._headers)
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            cause = f'Get "http://{self._reference.host}{url}": dial tcp: {error}'
            raise LaunchError(messages.registry_unreachable(self._reference.text, cause)) from error
        if answer.status == 200:
            return answer
        answer.read()
        if answer.status == 404:
            raise LaunchError(messages.image_not_found(self._reference.text))
        cause = f"unexpected status: {answer.status} {answer.reason}"
        raise LaunchError(messages.cannot_pull(self._reference.text, cause))


def _load(reference: ImageReference, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise _damaged(reference, str(error)) from error
    if not isinstance(found, dict):
        raise _damaged(reference, "it is no JSON object")
    return found


def _damaged(reference: ImageReference, what: str) -> LaunchError:
    return LaunchError(messages.cannot_pull(reference.text, f"failed to verify: {what}"))


def _copy(answer: http.client.HTTPResponse, file: IO[bytes]) -> str:
    """The digest of what was copied."""
    found = hashlib.sha256()
    while block := answer.read(_BLOCK):
        found.update(block)
        file.write(block)
    return f"sha256:{found.hexdigest()}"
