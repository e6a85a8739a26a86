"""A context and its Dockerfile → an image in the embedded AWS's registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fsd_local.errors import LocalCode, LocalError
from fsd_local.image.registry import RegistryClient
from fsd_local.image.snapshot import LEFT_OUT_LABEL, push_snapshot, take_snapshot
from fsd_local.image.stages import Configuration, FileSnapshot
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
    needs_command: bool = False  # nothing but the image says what to run
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
    snapshot = replace(snapshot, notes=tuple(steps.notes))
    if job.needs_command:
        _require_command(snapshot, job)
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
        notes=snapshot.notes,
    )


def read_left_out(client: RegistryClient, digest: str) -> tuple[str, ...]:
    """What of a process image is another than with Docker, as it was made. Raises LocalError."""
    manifest = json.loads(client.get(f"manifests/{digest}"))
    config = json.loads(client.get(f"blobs/{manifest['config']['digest']}"))
    labels = (config.get("config") or {}).get("Labels") or {}
    return tuple(json.loads(labels.get(LEFT_OUT_LABEL, "[]")))


def _require_command(snapshot: FileSnapshot, job: ProcessImageJob) -> None:
    """That of a base image is not known here; those of Python and of systems end at once."""
    configuration = snapshot.configuration
    if configuration.command or configuration.entry_point:
        return
    raise LocalError(
        "the image has no command: the Dockerfile has neither CMD nor ENTRYPOINT, and that of its "
        f"base image {snapshot.base} is not known without Docker",
        where=str(job.dockerfile),
        fix='add CMD ["…"] to the Dockerfile, or give the container a command',
        code=LocalCode.IMAGE_WITHOUT_COMMAND,
    )
