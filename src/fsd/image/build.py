"""Build context → image in a registry, by digest.

What was built before of the same is not built again: its key names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fsd import embedded_aws
from fsd.compile.desired import Image
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.image.causes import read_push
from fsd.image.context import Source, require_dockerfile
from fsd.image.job import BuildJob, BuildOutcome
from fsd.image.push_retries import NO_RETRIES, PushRetries
from fsd.image.read_errors import as_call_failed
from fsd.image.tags import put_free_tag
from fsd.quoted import Quoted
from fsd.release.notes import Note, OutputLine, TagMissing
from fsd.release.phase_facts import PushedParts
from fsd.release.ports import Registry, RegistryImage, Repository

ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    image: Image
    seconds: float  # building and pushing
    reused: bool  # the registry had it; nothing was built
    built_before: bool = False  # the engine had it, and it was pushed
    skipped: tuple[str, ...] = ()  # Dockerfile steps that only Docker can do
    pushed: PushedParts | None = None  # None: nothing was
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """An image that is there, and the tags that it has."""

    image: Image
    tags: frozenset[str]


def find_built(source: Source, *, repository: Repository, registry: Registry) -> FoundImage | None:
    """The image that was made of the same, at this commit or another. Only the key says that: a
    tag that is a commit's may be of other build arguments, or of files that were not fetched."""
    found = registry.find_image(repository.name, source.key_tag)
    return as_built(source, found, repository=repository)


def as_built(
    source: Source, found: RegistryImage | None, *, repository: Repository
) -> FoundImage | None:
    """The image of `source`'s key, as the registry answers."""
    if found is None:
        return None
    image = Image(repository=repository.uri, digest=found.digest, tag=source.tag)
    return FoundImage(image=image, tags=found.tags)


def build_image(
    source: Source,
    *,
    repository: Repository,
    registry: Registry,
    version: str = "",
    labels: Mapping[str, str] | None = None,
    retries: PushRetries = NO_RETRIES,
    on_line: Callable[[str], None] = lambda _line: None,
    built_as: str = "",
) -> Built:
    """Build, push, and ask the registry for what it has now.

    `source.recipe.runtime` is how tasks will run it: "process" makes a snapshot, anything else is
    Docker's; a recipe that is `fresh` takes no layer and no base image of before. `built_as` is the
    name that `build_local` gave the image: what the engine has by it is not built again. Raises
    UsageError for the platform, CallFailedError: dockerfile-missing, dockerfile-invalid,
    docker-unavailable, build-failed, push-denied, push-failed.
    """
    began = time.monotonic()
    found = find_built(source, repository=repository, registry=registry)
    if found is not None:
        return _reuse(found, source, repository=repository, registry=registry, began=began)
    job = replace(
        _make_job(source, repository=repository, version=version, on_line=on_line),
        retries=retries,
        built_as=f"{built_as}:{source.key_tag}" if built_as else "",
    )
    job = replace(job, labels={**job.labels, **(labels or {})})
    try:
        outcome = _builder(source.recipe.runtime)(job, registry)
    except CallFailedError:
        raced = find_built(source, repository=repository, registry=registry)
        if raced is None:
            raise
        # Another run pushed the same meanwhile, and its tag cannot be moved.
        return _reuse(raced, source, repository=repository, registry=registry, began=began)
    pushed = _verified(job, registry, digest=outcome.digest)
    tag, notes = put_tag(source, pushed, repository=repository, registry=registry)
    return Built(
        image=replace(pushed.image, tag=tag),
        seconds=time.monotonic() - began,
        reused=False,
        built_before=outcome.built_before,
        skipped=outcome.skipped,
        pushed=outcome.pushed,
        notes=(*outcome.notes, *notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """An image that only the Docker engine of this machine has."""

    name: str
    id: str
    seconds: float  # building


def build_local(
    source: Source, *, name: str, version: str = "", on_line: Callable[[str], None]
) -> EngineImage:
    """Build by Docker, and push nothing: the image is `name` with the tags that a push gives it.

    Raises UsageError for the platform, CallFailedError: dockerfile-missing, dockerfile-invalid,
    docker-unavailable, build-failed.
    """
    from fsd.image.docker import build_in_engine

    began = time.monotonic()
    repository = Repository(name=name, uri=name)
    job = _make_job(source, repository=repository, version=version, on_line=on_line)
    made = build_in_engine(job, tag=source.tag)
    return EngineImage(name=name, id=made, seconds=time.monotonic() - began)


def _make_job(
    source: Source, *, repository: Repository, version: str, on_line: Callable[[str], None]
) -> BuildJob:
    recipe = source.recipe
    return BuildJob(
        source=source,
        dockerfile=require_dockerfile(source.folder, source.dockerfile),
        architecture=_architecture(recipe.platform),
        repository=repository,
        build_args=recipe.build_args,
        build_secrets=recipe.build_secrets,
        labels=_labels(source, version),
        target=recipe.target,
        allow_run=recipe.allow_run,
        needs_command=recipe.needs_command,
        cache=not recipe.fresh,
        on_line=on_line,
    )


def _reuse(
    found: FoundImage, source: Source, *, repository: Repository, registry: Registry, began: float
) -> Built:
    tag, notes = put_tag(source, found, repository=repository, registry=registry)
    return Built(
        image=replace(found.image, tag=tag),
        seconds=time.monotonic() - began,
        reused=True,
        notes=notes,
    )


def put_tag(
    source: Source, built: FoundImage, *, repository: Repository, registry: Registry
) -> tuple[str, tuple[Note, ...]]:
    """(the tag that people look for, notes). It is told, and stops no deployment: the image has
    the key's tag, and is deployed by its digest."""
    tag, said = put_free_tag(
        dict.fromkeys((source.tag, source.long_tag)),
        built.image.digest,
        repository=repository.name,
        registry=registry,
        has=built.tags,
    )
    if tag or said is None:
        return tag or source.key_tag, ()
    note = TagMissing(has=source.key_tag, tag=source.tag, error=Quoted.of(said))
    return source.key_tag, (note,)


def _builder(runtime: str) -> Callable[[BuildJob, Registry], BuildOutcome]:
    if runtime == "process":
        return _build_snapshot
    from fsd.image.docker import build_and_push

    return build_and_push


def _build_snapshot(job: BuildJob, registry: Registry) -> BuildOutcome:
    """By the embedded AWS: only its tasks can be processes."""
    user, password, endpoint = registry.login()
    try:
        with as_call_failed():
            pushed = job.retries(
                lambda: embedded_aws.push_process_image(
                    context=job.source.folder,
                    dockerfile=job.dockerfile,
                    build_args=job.build_args,
                    architecture=job.architecture,
                    target=job.target,
                    endpoint=endpoint,
                    repository=job.repository.uri.partition("/")[2],
                    tag=job.source.key_tag,
                    user=user,
                    password=password,
                    allow_run=job.allow_run,
                    needs_command=job.needs_command,
                    on_line=job.on_line,
                )
            )
    except CallFailedError as error:
        if error.code is not ErrorCode.PUSH_FAILED:
            raise
        cause = read_push(error.what)
        raise CallFailedError(
            error.what, where=error.where, fix=cause.fix or error.fix, code=cause.code
        ) from error
    return BuildOutcome(
        digest=pushed.digest,
        pushed=PushedParts(pushed=pushed.pushed, total=pushed.blobs, unit="blobs"),
        skipped=pushed.skipped,
        notes=tuple(OutputLine(text=note) for note in pushed.notes),
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


def _verified(job: BuildJob, registry: Registry, *, digest: str) -> FoundImage:
    """The image as the registry has it. Raises CallFailedError where it has another one."""
    found = find_built(job.source, repository=job.repository, registry=registry)
    if found is not None and found.image.digest == digest:
        return found
    raise CallFailedError(
        f"pushed {digest}, and the registry says that {job.source.key_tag} is "
        f"{found.image.digest if found else 'not there'}",
        where=job.reference,
        fix="run it again; if it happens again, another run pushes the same tag",
        code=ErrorCode.PUSH_FAILED,
    )
