"""Build context → image in a registry, by digest.

A tree that was built before is not built again: its tag names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fsd.compile.desired import Image
from fsd.errors import CallFailedError, UsageError
from fsd.image.context import Source, read_source, require_dockerfile
from fsd.image.registry import RegistryClient
from fsd.release.ports import Registry, Repository

ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    image: Image
    seconds: float  # building and pushing
    reused: bool  # the registry had it; nothing was built
    skipped: tuple[str, ...] = ()  # Dockerfile steps that only Docker can do
    pushed: str = ""  # "pushed 3 of 9 layers"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """Everything that one build needs; `source` says what is built."""

    source: Source
    dockerfile: Path
    architecture: str  # amd64 | arm64
    repository: Repository
    registry: Registry
    build_args: Mapping[str, str]
    build_secrets: tuple[str, ...]  # as `docker build --secret` takes them
    labels: Mapping[str, str]
    on_line: Callable[[str], None]
    cache: bool = True

    @property
    def reference(self) -> str:
        return f"{self.repository.uri}:{self.source.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a builder did."""

    digest: str
    pushed: str
    skipped: tuple[str, ...] = ()


def build_image(  # noqa: PLR0913 (the options of a build, each of them asked for by the user)
    *,
    context: Path,
    dockerfile: Path | None,
    platform: str,
    repository: Repository,
    registry: Registry,
    runtime: str,
    build_args: Mapping[str, str] | None = None,
    build_secrets: Sequence[str] = (),
    version: str = "",
    labels: Mapping[str, str] | None = None,
    cache: bool = True,
    on_line: Callable[[str], None] = lambda _line: None,
) -> Built:
    """Build, push, and ask the registry for what it has now.

    `platform` is the task definition's (X86_64, ARM64); `runtime` is how tasks will run it:
    "process" makes a snapshot, anything else is Docker's; without `cache` Docker takes no layer and
    no base image of before. Raises UsageError for the context,
    CallFailedError: dockerfile-missing, dockerfile-invalid, docker-unavailable, build-failed,
    push-denied, push-failed.
    """
    began = time.monotonic()
    arguments = dict(build_args or {})
    source = read_source(context, dockerfile=dockerfile, build_args=arguments)
    found = registry.find_digest(repository.name, source.tag)
    if found is not None:
        return _built(repository, source, digest=found, began=began, reused=True)
    job = BuildJob(
        source=source,
        dockerfile=require_dockerfile(context, dockerfile),
        architecture=_architecture(platform),
        repository=repository,
        registry=registry,
        build_args=arguments,
        build_secrets=tuple(build_secrets),
        labels=_labels(source, version) | dict(labels or {}),
        cache=cache,
        on_line=on_line,
    )
    try:
        outcome = _builder(runtime)(job)
    except CallFailedError:
        raced = registry.find_digest(repository.name, source.tag)
        if raced is None:
            raise
        # Another run pushed the same tree meanwhile, and its tag cannot be moved.
        return _built(repository, source, digest=raced, began=began, reused=True)
    _verify(job, outcome.digest)
    return Built(
        image=Image(repository=repository.uri, digest=outcome.digest, tag=source.tag),
        seconds=time.monotonic() - began,
        reused=False,
        skipped=outcome.skipped,
        pushed=outcome.pushed,
    )


def _built(
    repository: Repository, source: Source, *, digest: str, began: float, reused: Literal[True]
) -> Built:
    return Built(
        image=Image(repository=repository.uri, digest=digest, tag=source.tag),
        seconds=time.monotonic() - began,
        reused=reused,
    )


def _builder(runtime: str) -> Callable[[BuildJob], Outcome]:
    if runtime == "process":
        return _build_snapshot
    from fsd.image.docker import build_and_push

    return build_and_push


def _build_snapshot(job: BuildJob) -> Outcome:
    from fsd.image.snapshot import push_snapshot, take_snapshot

    snapshot = take_snapshot(
        job.source.folder,
        dockerfile=job.dockerfile,
        build_args=job.build_args,
        architecture=job.architecture,
    )
    user, password, endpoint = job.registry.login()
    name = job.repository.uri.partition("/")[2]
    client = RegistryClient(endpoint=endpoint, repository=name, user=user, password=password)
    pushed = push_snapshot(
        snapshot, client=client, tag=job.source.tag, architecture=job.architecture
    )
    return Outcome(
        digest=pushed.digest,
        pushed=f"pushed {pushed.pushed} of {pushed.blobs} blobs",
        skipped=snapshot.skipped,
    )


def _architecture(platform: str) -> str:
    if platform in ARCHITECTURES:
        return ARCHITECTURES[platform]
    raise UsageError(
        f"`{platform}` is not a platform",
        where="service.platform",
        fix=f"use {' or '.join(ARCHITECTURES)}",
    )


def _labels(source: Source, version: str) -> dict[str, str]:
    """https://github.com/opencontainers/image-spec/blob/main/annotations.md"""
    labels = {
        "org.opencontainers.image.revision": source.commit,
        "org.opencontainers.image.version": version,
    }
    return {name: value for name, value in labels.items() if value}


def _verify(job: BuildJob, digest: str) -> None:
    found = job.registry.find_digest(job.repository.name, job.source.tag)
    if found == digest:
        return
    raise CallFailedError(
        f"pushed {digest}, and the registry says that {job.source.tag} is {found or 'not there'}",
        where=job.reference,
        fix="run it again; if it stays so, another run pushes the same tag",
        code="push-failed",
    )
