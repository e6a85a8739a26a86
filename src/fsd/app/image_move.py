"""Bring an image into the registry of another account or Region: the same digest, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsd.app.account import Connection
from fsd.app.clock import SystemClock
from fsd.app.registries import open_registry
from fsd.compile.desired import Image
from fsd.errors import CallFailedError, ErrorCode
from fsd.manifest import names
from fsd.quoted import Quoted
from fsd.release.notes import ImageCopied, ImageUntagged, OutputLine, ReferrerLeft
from fsd.release.ports import Repository
from fsd.release.promotion import require_promotion
from fsd.release.reporter import Reporter
from fsd.release.result import ReleaseInfo

if TYPE_CHECKING:
    from fsd.image.copying import ImageCopy


_COMMIT_PART = 12  # characters with which every tag of a commit's build begins


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMove:
    """From where to where, and what."""

    here: Connection  # the target
    there: Connection  # the source
    release: ReleaseInfo
    history: Sequence[ReleaseInfo]  # the source's, newest first
    service: str

    @property
    def digest(self) -> str:
        return self.release.digest


def bring_image(move: ImageMove, image: str, *, reporter: Reporter) -> str:
    """The same digest in the target's own registry, or wherever both pull it from."""
    here, name = move.here.aws.registry, names.repository(move.service)
    own, theirs = here.find_repository(name), move.there.aws.registry.find_repository(name)
    has = here.find_image(name, move.digest) if own is not None else None
    if own is not None and has is not None:
        if not has.tags:
            _tag(move, own, reporter=reporter)
        if theirs is not None and theirs.uri != own.uri:
            _copy_what_was_left(move, theirs, own, reporter=reporter)
        return f"{own.uri}@{move.digest}"
    if theirs is None or image.partition("@")[0] != theirs.uri:
        return image  # of a registry that is nobody's account
    # Before anything is copied: an image that has not succeeded leaves nothing behind.
    require_promotion(
        Image(repository=theirs.uri, digest=move.digest),
        move.history,
        service=move.service,
        environment=move.here.environment.name,
        source=move.there.environment.name,
    )
    tags = {"fsd:service": move.service, "fsd:created-by": "promote"}
    own = own or here.create_repository(name, tags=tags)
    return _copy(move, theirs, own, reporter=reporter)


def _copy_what_was_left(
    move: ImageMove, theirs: Repository, own: Repository, *, reporter: Reporter
) -> None:
    """What refers to an image that is there already: an earlier promotion may have left it.

    The image is whole without it, so that this stops no promotion.
    """
    try:
        copy = _open_copy(move, theirs, own, reporter=reporter)
        copy.run(move.digest)
    except CallFailedError as error:
        reporter.note(ReferrerLeft(digest=move.digest, to=own.uri, error=Quoted.of(error)))
        return
    for digest, why in copy.left:
        reporter.note(ReferrerLeft(digest=digest, to=own.uri, error=Quoted.of(why)))


def _open_copy(
    move: ImageMove, theirs: Repository, own: Repository, *, reporter: Reporter
) -> ImageCopy:
    from fsd.image.copying import ImageCopy
    from fsd.image.push_retries import PushRetries

    def tell(line: str) -> None:
        reporter.note(OutputLine(text=line))

    return ImageCopy(
        source=open_registry(move.there.aws.registry, theirs),
        target=open_registry(move.here.aws.registry, own),
        retries=PushRetries(wait=SystemClock().wait, on_line=tell),
    )


def _copy(move: ImageMove, theirs: Repository, own: Repository, *, reporter: Reporter) -> str:
    clock = SystemClock()
    began = clock.now()
    copy = _open_copy(move, theirs, own, reporter=reporter)
    try:
        copy.run(move.digest)
    except CallFailedError as error:
        raise CallFailedError(
            f"{error.what}; {move.service}@{move.digest} is in {theirs.uri}, and not in {own.uri}",
            where=str(error.where),
            fix=f"{error.fix}; by hand: crane copy {theirs.uri}@{move.digest} {own.uri}",
            code=ErrorCode.IMAGE_NOT_COPIED,
        ) from error
    if move.here.aws.registry.find_image(own.name, move.digest) is None:
        raise CallFailedError(
            f"{own.uri} took {move.digest}, and does not list it",
            where=own.uri,
            fix="run it again",
            code=ErrorCode.IMAGE_NOT_COPIED,
        )
    for digest, why in copy.left:
        reporter.note(ReferrerLeft(digest=digest, to=own.uri, error=Quoted.of(why)))
    _tag(move, own, reporter=reporter)
    if copy.manifests:
        seconds = (clock.now() - began).total_seconds()
        reporter.note(ImageCopied(to=own.uri, sent=copy.sent, seconds=seconds))
    return f"{own.uri}@{move.digest}"


def _tag(move: ImageMove, own: Repository, *, reporter: Reporter) -> None:
    """An image without a tag is deleted after days by the lifecycle rule of `fsd bootstrap`. It is
    told, and stops no promotion: the image is there, and is deployed by its digest."""
    from fsd.image.tags import put_free_tag

    commit = move.release.commit[:_COMMIT_PART]
    theirs = move.there.aws.registry.find_image(names.repository(move.service), move.digest)
    tags = theirs.tags if theirs and commit else ()
    _, said = put_free_tag(
        (*sorted(tag for tag in tags if tag.startswith(commit)), f"promoted-{move.digest[-12:]}"),
        move.digest,
        repository=own.name,
        registry=move.here.aws.registry,
    )
    if said is not None:
        image = f"{own.uri}@{move.digest}"
        reporter.note(ImageUntagged(image=image, error=Quoted.of(said)))
