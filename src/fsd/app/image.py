"""The image of a release: given, built before, or yet to be built."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from fsd.app.clock import SystemClock
from fsd.app.deployment import Chosen, DeployOptions, Opened
from fsd.compile.desired import Desired, Image
from fsd.errors import CallFailedError, ErrorCode, RefusedError, UsageError
from fsd.manifest import names
from fsd.quoted import Quoted
from fsd.release.notes import (
    Created,
    DigestUnknown,
    ImageNotBuilt,
    Made,
    NoDigest,
    Note,
    OutputLine,
    StepsSkipped,
)
from fsd.release.phase_facts import BarePhaseFact, ImageOrigin, ImageReady, PushedParts
from fsd.release.ports import Aws, Registry, RegistryImage, Repository
from fsd.release.reporter import Reporter
from fsd.release.result import Phase, PhaseName, PhaseState

if TYPE_CHECKING:
    from fsd.image.build import Built
    from fsd.manifest.models import Manifest


_T = TypeVar("_T")
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html, dual-stack and FIPS too
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))/(?P<name>.+)"
)


def choose_image(options: DeployOptions, opened: Opened) -> Chosen:
    """The one place that says which image a release takes. Makes nothing.

    A tag is read once, here: a digest cannot move between the promotion's check and the rollout.
    """
    reference = image_reference(options, opened.manifest)
    if reference:
        image, notes = _resolve(reference, opened)
        return Chosen(image=image, is_given=True, is_there=True, notes=notes)
    from fsd.image.build import as_built

    source, aws = opened.source, opened.connection.aws
    name = names.repository(opened.manifest.metadata.name)
    found = aws.reads.start(lambda: aws.registry.find_image(name, source.key_tag))
    repository = aws.registry.find_repository(name)
    built = as_built(source, found(), repository=repository) if repository else None
    if built is not None:
        return Chosen(
            image=built.image,
            is_given=False,
            is_there=True,
            repository=repository,
            tags=built.tags,
        )
    uri = repository.uri if repository else name
    return Chosen(
        image=Image(repository=uri, digest="", tag=source.tag),
        is_given=False,
        is_there=False,
        repository=repository,
        notes=(ImageNotBuilt(image=f"{name}:{source.tag}"),),
    )


def require_chosen(judged: Image, desired: Desired) -> None:
    """Raises RefusedError where the image to deploy is not the one that was checked."""
    containers = desired.task_definition["containerDefinitions"]
    deployed = [
        container.get("image")
        for container in (containers if isinstance(containers, list) else [])
        if isinstance(container, dict) and container.get("name") == desired.service.container
    ]
    if deployed != [judged.uri]:
        raise RefusedError(
            f"{judged.uri} was judged, and {', '.join(map(str, deployed)) or 'none'} would be "
            "deployed",
            where=desired.name,
            fix="run it again; if the error stays, report it: this is a fault of fsd",
            code=ErrorCode.IMAGE_CHANGED,
        )


def image_reference(options: DeployOptions, manifest: Manifest) -> str:
    """The image that is given; "" where one is built. A context asks for a build."""
    return options.image or ("" if options.context else manifest.service.image or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainedImage:
    """An image that is where tasks pull it from."""

    image: Image
    phase: Phase
    notes: tuple[Note, ...]


def obtain_image(
    chosen: Chosen, opened: Opened, *, reporter: Reporter, takes_built: bool = False
) -> ObtainedImage:
    """Build and push what is not there yet, and tell it as a phase.

    `takes_built`: an image that `fsd build` left in the engine is pushed as it is.
    """

    def make() -> tuple[tuple[Image, tuple[Note, ...]], ImageReady]:
        image, ready, notes = _obtain(chosen, opened, reporter=reporter, takes_built=takes_built)
        return (image, notes), ready

    (image, notes), phase = tell_image(make, reporter=reporter)
    return ObtainedImage(image=image, phase=phase, notes=notes)


def tell_image(
    make: Callable[[], tuple[_T, ImageReady]], *, reporter: Reporter
) -> tuple[_T, Phase]:
    """What `make` gives, with the phase that told it. Raises what `make` raises."""
    clock = SystemClock()
    running = Phase(
        name=PhaseName.IMAGE,
        state=PhaseState.RUNNING,
        fact=BarePhaseFact.BUILDING,
        started_at=clock.now(),
    )
    reporter.phase(running)
    try:
        made, ready = make()
    except CallFailedError:
        failed = BarePhaseFact.FAILED
        ended = replace(running, state=PhaseState.FAILED, fact=failed, finished_at=clock.now())
        reporter.phase(ended)
        raise
    phase = replace(running, state=PhaseState.DONE, fact=ready, finished_at=clock.now())
    reporter.phase(phase)
    return made, phase


def _obtain(
    chosen: Chosen, opened: Opened, *, reporter: Reporter, takes_built: bool
) -> tuple[Image, ImageReady, tuple[Note, ...]]:
    """(image, where it came from, notes)."""
    if chosen.is_given:
        return chosen.image, _ready(chosen.image, ImageOrigin.GIVEN), chosen.notes
    repository, notes = chosen.repository, tuple[Note, ...]()
    if repository is None:
        repository, notes = _create_repository(opened)
    if chosen.is_there:
        return _reuse(chosen, opened, repository)
    image, ready, more = _build(opened, repository, reporter=reporter, takes_built=takes_built)
    return image, ready, (*notes, *more)


def _reuse(
    chosen: Chosen, opened: Opened, repository: Repository
) -> tuple[Image, ImageReady, tuple[Note, ...]]:
    from fsd.image.build import FoundImage, put_tag

    registry, image = opened.connection.aws.registry, chosen.image
    found = FoundImage(image=image, tags=chosen.tags)
    tag, notes = put_tag(opened.source, found, repository=repository, registry=registry)
    return replace(image, tag=tag), _ready(image, ImageOrigin.REUSED), notes


def _build(
    opened: Opened, repository: Repository, *, reporter: Reporter, takes_built: bool
) -> tuple[Image, ImageReady, tuple[Note, ...]]:
    from fsd.image.build import build_image
    from fsd.image.push_retries import PushRetries

    built: Built = build_image(
        opened.source,
        repository=repository,
        registry=opened.connection.aws.registry,
        version=opened.release.version,
        retries=PushRetries(
            wait=SystemClock().wait, on_line=lambda line: reporter.note(OutputLine(text=line))
        ),
        on_line=lambda line: reporter.note(OutputLine(text=line)),
        built_as=repository.name if takes_built else "",
    )
    notes = built.notes
    origin = ImageOrigin.REUSED if built.reused else ImageOrigin.BUILT
    if built.built_before:
        origin = ImageOrigin.PUSHED
    ready = _ready(built.image, origin, seconds=built.seconds, parts=built.pushed)
    if built.skipped:
        notes = (*notes, StepsSkipped(steps=built.skipped))
    return built.image, ready, notes


def _create_repository(opened: Opened) -> tuple[Repository, tuple[Note, ...]]:
    registry = opened.connection.aws.registry
    name = names.repository(opened.manifest.metadata.name)
    tags = {
        "fsd:service": opened.manifest.metadata.name,
        "fsd:pack": opened.manifest.metadata.pack,
        "fsd:created-by": "deploy",
    }
    return registry.create_repository(name, tags=tags), (Created(what=Made.REPOSITORY, name=name),)


def _resolve(reference: str, opened: Opened) -> tuple[Image, tuple[Note, ...]]:
    """A given image, by digest where its registry says it; else a note that it did not.

    Raises CallFailedError where ECR has no such image, UsageError for a reference that is none.
    """
    repository, tag, digest = split_reference(reference)
    aws = opened.connection.aws
    if digest and _has_digest(aws, repository, digest):
        return Image(repository=repository, digest=digest, tag=tag), ()
    known = _find_known(aws, repository, digest or tag or "latest")
    if known is None:
        return _resolve_elsewhere(reference, aws.registry)
    found = known.image()
    if found is None:
        raise CallFailedError(
            f"the image {reference} does not exist",
            where=f"repository {known.repository.name} · {aws.identity.region}",
            fix="push it first, or let fsd build it: leave --image out",
            code=ErrorCode.IMAGE_NOT_FOUND,
        )
    return Image(repository=repository, digest=found.digest, tag=tag), ()


def _resolve_elsewhere(reference: str, registry: Registry) -> tuple[Image, tuple[Note, ...]]:
    """Of another account, another Region or another registry. ECS pulls it, and says so if it
    can't: that this role may not read it says nothing of the task's."""
    repository, tag, digest = split_reference(reference)
    image = Image(repository=repository, digest=digest, tag=tag)
    place = _ECR.fullmatch(repository)
    if digest:
        return image, ()
    if place is None:
        why: NoDigest | Quoted = NoDigest.NOT_ECR
    else:
        try:
            found = registry.find_image(
                place["name"], tag or "latest", account=place["account"], region=place["region"]
            )
        except CallFailedError as error:
            found, why = None, Quoted.of(error)
        else:
            why = NoDigest.NOT_THERE
        if found:
            return replace(image, digest=found.digest), ()
    return image, (DigestUnknown(reference=reference, why=why),)


def _has_digest(aws: Aws, uri: str, digest: str) -> bool:
    """Whether ECR has these bytes under that name; whose registry it is makes no difference."""
    place = _ECR.fullmatch(uri)
    name = place["name"] if place else _names_in_registry(uri)[-1]
    return bool(name) and aws.registry.find_image(name, digest) is not None


def _names_in_registry(uri: str) -> tuple[str, ...]:
    """What the repository may be called; the embedded AWS's path has account and Region too."""
    path = uri.partition("/")[2]
    return (path, *path.split("/", 2)[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownImage:
    """A repository of this account, and what gives the image in it."""

    repository: Repository
    image: Callable[[], RegistryImage | None]


def _find_known(aws: Aws, uri: str, tag_or_digest: str) -> _KnownImage | None:
    """This account's repository of that URI."""
    registry = aws.registry
    for name in _names_in_registry(uri):
        if not name:
            continue
        image = aws.reads.start(partial(registry.find_image, name, tag_or_digest))
        known = registry.find_repository(name)
        if known is not None and known.uri == uri:
            return _KnownImage(repository=known, image=image)
    return None


def find_known_image(aws: Aws, reference: str) -> tuple[Repository | None, str] | None:
    """The account's repository of that image (None where it has none) and the image's digest in it,
    "" where it has none. None for another registry than the account's."""
    uri, tag, digest = split_reference(reference)
    known = _find_known(aws, uri, digest or tag or "latest")
    if known is not None:
        found = known.image()
        return known.repository, found.digest if found else ""
    place, identity = _ECR.fullmatch(uri), aws.identity
    is_own = place is not None and (place["account"], place["region"]) == (
        identity.account,
        identity.region,
    )
    return (None, "") if is_own else None


def split_reference(reference: str) -> tuple[str, str, str]:
    """(repository, tag, digest); the tag's colon is the one behind the last slash.

    Raises UsageError where there is no repository.
    """
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{head}{slash}{name}"
    if not name or any(c.isspace() for c in reference):
        raise UsageError(
            f"`{reference}` is not an image reference",
            where="--image",
            fix="give registry/repository:tag or registry/repository@sha256:…",
            code=ErrorCode.IMAGE_REFERENCE,
        )
    return repository, tag, digest


def _ready(
    image: Image, origin: ImageOrigin, *, seconds: float = 0.0, parts: PushedParts | None = None
) -> ImageReady:
    return ImageReady(
        name=image.repository.rpartition("/")[2],
        digest=image.digest,
        tag=image.tag,
        origin=origin,
        seconds=seconds,
        parts=parts,
    )
