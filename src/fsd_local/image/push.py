"""A context and its Dockerfile → an image in the embedded AWS's registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fsd_local.image.registry import RegistryClient
from fsd_local.image.snapshot import push_snapshot, take_snapshot
from fsd_local.image.stages import Configuration
from fsd_local.image.steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessImageJob:
    context: Path
    dockerfile: Path
    build_args: Mapping[str, str]
    architecture: str  # amd64 | arm64
    target: str  # the stage; "" for the last
    endpoint: str  # of the registry, with its scheme
    repository: str
    tag: str
    user: str
    password: str = field(repr=False)
    allow_run: bool = False  # scripts too, where a shell and the image's files are all they need
    on_line: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    digest: str
    blobs: int
    pushed: int  # how many of them the registry did not have
    configuration: Configuration
    notes: tuple[str, ...]
    skipped: tuple[str, ...]  # steps of the Dockerfile that were not done


def push_process_image(job: ProcessImageJob) -> PushedImage:
    """Raises FileError for what cannot be read or played, LocalError (push-failed)."""
    steps = Steps(on_line=job.on_line, allow_run=job.allow_run)
    snapshot = take_snapshot(
        job.context,
        dockerfile=job.dockerfile,
        build_args=job.build_args,
        architecture=job.architecture,
        target=job.target,
        worker=steps,
    )
    client = RegistryClient(
        endpoint=job.endpoint,
        repository=job.repository,
        user=job.user,
        password=job.password,
    )
    pushed = push_snapshot(snapshot, client=client, tag=job.tag, architecture=job.architecture)
    return PushedImage(
        digest=pushed.digest,
        blobs=pushed.blobs,
        pushed=pushed.pushed,
        configuration=snapshot.configuration,
        skipped=snapshot.skipped,
        notes=tuple(steps.notes),
    )
