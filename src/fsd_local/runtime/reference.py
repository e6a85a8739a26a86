"""The parts of an image reference: `host:5000/name:tag@sha256:…`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    text: str
    host: str  # "" for Docker Hub's
    repository: str
    tag: str
    digest: str

    @property
    def version(self) -> str:
        """What a registry is asked for."""
        return self.digest or self.tag or "latest"

    @property
    def is_loopback(self) -> bool:
        name = self.host.partition(":")[0]
        return name == "localhost" or name.startswith("127.")


def parse_reference(text: str) -> ImageReference:
    rest, _, digest = text.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    host, _, _ = head.partition("/")
    is_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    repository = f"{head}{slash}{name}"
    if is_host:
        repository = repository.removeprefix(f"{host}/")
    return ImageReference(
        text=text, host=host if is_host else "", repository=repository, tag=tag, digest=digest
    )
