"""The image of a release as a thing of its own: built here, or built and pushed.

A deployment of the same finds it by what it was made of, so that nothing is built twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fsd.app.account import Connector
from fsd.app.deployment import DeployOptions, Opened
from fsd.app.image import choose_image, image_reference, obtain_image, tell_image
from fsd.app.manifest import read_manifest
from fsd.app.ownership import require_own_repository
from fsd.app.prepare import (
    files_not_fetched,
    open_release,
    read_build_settings,
    read_build_source,
)
from fsd.compile.desired import Image
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.image.build import ARCHITECTURES, EngineImage, build_local
from fsd.image.context import Source
from fsd.manifest import names
from fsd.manifest.models import Manifest
from fsd.release.notes import Note, OutputLine
from fsd.release.phase_facts import ImageOrigin, ImageReady
from fsd.release.reporter import Reporter
from fsd.release.result import Phase
from fsd.report.images import ImageReport

# What a deployment says to do besides, where another image can be named.
_FIXES = {
    ErrorCode.DOCKER_UNAVAILABLE: "install Docker and start it, and run it again",
    ErrorCode.DOCKERFILE_MISSING: "write one there, or name another with --dockerfile",
}


def run_build(options: DeployOptions, *, reporter: Reporter) -> ImageReport:
    """Build by Docker, and ask nobody else: no account is needed, and none is changed.

    Raises ManifestError, UsageError where the manifest names an image, CallFailedError where Docker
    or the build fails.
    """
    with _without_image_option():
        manifest = _read_to_build(options)
        settings = read_build_settings(options, manifest)
        source = read_build_source(options, manifest, settings, runtime="container")
        version = options.version or source.short
        reporter.begin(_headline(manifest, source, version))
        notes = files_not_fetched(source)
        for note in notes:
            reporter.note(note)
        name = names.repository(manifest.metadata.name)
        built = _build_here(source, name, version=version, reporter=reporter)
    return ImageReport(
        service=manifest.metadata.name,
        environment=options.environment,
        image=f"{name}:{source.tag}",
        image_id=built.id,
        tag=source.tag,
        content_tag=source.key_tag,
        origin=ImageOrigin.BUILT,
        seconds=built.seconds,
        platform=_platform(source),
        version=version,
        commit=source.commit,
        notes=notes,
    )


def run_push(options: DeployOptions, connect: Connector, *, reporter: Reporter) -> ImageReport:
    """The first half of a deployment: the registry has the image afterwards, and nothing runs it.

    What `fsd build` left in the engine is pushed as it is. Raises as `run_build`; RefusedError
    where the repository is somebody else's; CallFailedError from AWS.
    """
    with _without_image_option():
        _read_to_build(options)
        opened, _ = open_release(options, connect, reporter=reporter, reads_service=False)
        early = (*opened.connection.notes, *files_not_fetched(opened.source))
        for note in early:
            reporter.note(note)
        chosen = choose_image(options, opened)
        require_own_repository(opened, chosen)
        obtained = obtain_image(chosen, opened, reporter=reporter, takes_built=True)
    notes = (*early, *obtained.notes)
    return _pushed(opened, obtained.image, obtained.phase, notes=notes)


def _pushed(opened: Opened, image: Image, phase: Phase, *, notes: tuple[Note, ...]) -> ImageReport:
    ready = phase.fact
    assert isinstance(ready, ImageReady)
    return ImageReport(
        service=opened.manifest.metadata.name,
        environment=opened.connection.environment.name,
        image=image.uri,
        digest=image.digest,
        tag=image.tag,
        content_tag=opened.source.key_tag,
        origin=ready.origin,
        seconds=ready.seconds,
        platform=_platform(opened.source),
        version=opened.release.version,
        commit=opened.release.commit,
        notes=notes,
    )


def _read_to_build(options: DeployOptions) -> Manifest:
    manifest = read_manifest(
        options.file,
        environment=options.environment,
        overrides=options.overrides,
        environments_file=options.environments_file,
    ).manifest
    image = image_reference(options, manifest)
    if image:
        raise UsageError(
            f"the Service YAML names the image {image}, so there is nothing to build",
            where=str(options.file),
            fix="remove `service.image`, or name the folder to build with --context",
        )
    return manifest


def _build_here(source: Source, name: str, *, version: str, reporter: Reporter) -> EngineImage:
    def make() -> tuple[EngineImage, ImageReady]:
        built = build_local(
            source,
            name=name,
            version=version,
            on_line=lambda line: reporter.note(OutputLine(text=line)),
        )
        ready = ImageReady(
            name=name, digest="", tag=source.tag, origin=ImageOrigin.BUILT, seconds=built.seconds
        )
        return built, ready

    return tell_image(make, reporter=reporter)[0]


def _headline(manifest: Manifest, source: Source, version: str) -> str:
    commit = f'{source.commit[:7]} "{source.title}"' if source.commit else ""
    facts = [commit, *([] if version in commit else [version])]
    return f"{manifest.metadata.name}    {' · '.join(filter(None, facts))}"


def _platform(source: Source) -> str:
    return f"linux/{ARCHITECTURES[source.recipe.platform]}"


@contextmanager
def _without_image_option() -> Iterator[None]:
    """A fix that names --image is one for a deployment only."""
    try:
        yield
    except CallFailedError as error:
        if error.code not in _FIXES:
            raise
        fix = _FIXES[error.code]
        raise CallFailedError(error.what, where=error.where, fix=fix, code=error.code) from error
