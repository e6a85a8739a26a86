"""Take what runs in one environment to another: the same digest, never a rebuild.

What is found here becomes an ordinary deployment of an image that is given, so that it is planned,
watched and rolled back like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fsd.app.account import Connection, Connector
from fsd.app.clock import SystemClock
from fsd.app.deployment import DeployOptions
from fsd.app.environments import EnvironmentsFile, find_environment
from fsd.app.manifest import read_manifest
from fsd.app.registries import open_registry
from fsd.app.user_text import read_text
from fsd.compile.desired import Image
from fsd.errors import CallFailedError, ErrorCode, RefusedError, UsageError
from fsd.image.context import ask_git, show_file
from fsd.manifest import names
from fsd.quoted import Quoted
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.ledger import read_history, resolve_version
from fsd.release.notes import ImageCopied, ImageUntagged, OutputLine, ReferrerLeft
from fsd.release.operation import ServiceRef
from fsd.release.own_name import find_own_name
from fsd.release.ports import JobSchedule, Repository
from fsd.release.promotion import require_promotion
from fsd.release.reporter import Reporter
from fsd.release.result import ReleaseInfo

if TYPE_CHECKING:
    from fsd.image.copying import ImageCopy


_COMMIT_PART = 12  # characters with which every tag of a commit's build begins


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteRequest:
    service: str
    source: str
    target: str
    file: Path
    wanted: str = ""  # a version, a commit, a digest or a revision; "" for what runs
    environments_file: EnvironmentsFile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What goes where, before it goes."""

    release: ReleaseInfo
    options: DeployOptions


def prepare_promotion(
    request: PromoteRequest, connect: Connector, *, reporter: Reporter
) -> Promotion:
    """Find the release and its image, and copy the image where the target has a registry of its own
    that does not have it yet.

    Raises UsageError for a release that is not there, RefusedError where its manifest is not the
    one of the checkout and where it has not succeeded, CallFailedError where a registry refuses.
    """
    _require_sense(request)
    source = find_environment(request.file, request.source, file=request.environments_file)
    target = find_environment(request.file, request.target, file=request.environments_file)
    there = connect(source, start=False)
    history = _read_releases(request, there)
    release = _find_release(request, history, there)
    _require_manifest_of(request.file, release)
    image = _image_of(request, release, there)
    here = connect(target)
    move = _Move(here=here, there=there, release=release, history=history, service=request.service)
    options = DeployOptions(
        file=request.file,
        environment=request.target,
        image=_image_in(move, image, reporter=reporter),
        version=release.version,
        commit=release.commit,
        require_promotion_from=request.source,
        allow_older=True,  # what was asked for is to run here what runs there
        environments_file=request.environments_file,
    )
    return Promotion(release=release, options=options)


def _require_sense(request: PromoteRequest) -> None:
    if request.source == request.target:
        raise UsageError(
            f"{request.source} cannot be promoted to itself",
            where="--to",
            fix="name another environment",
        )
    named = read_manifest(
        request.file,
        environment=request.target,
        environments_file=request.environments_file,
    ).manifest.metadata.name
    if named != request.service:
        raise UsageError(
            f"{request.file} is of {named}, and not of {request.service}",
            where="--file",
            fix=f"name the Service YAML of {request.service}",
        )


def _read_releases(request: PromoteRequest, connection: Connection) -> Sequence[ReleaseInfo]:
    cluster = connection.environment.cluster_name
    job = _find_job(request, connection)
    if job is not None:
        return read_job_releases(connection.aws, _job_ref(request, connection), job)
    return read_history(
        connection.aws.ecs,
        cluster=cluster,
        service=_own_name(request, connection),
        family=names.service_name(request.service, request.source),
    )


def _own_name(request: PromoteRequest, connection: Connection) -> str:
    return find_own_name(
        connection.aws,
        cluster=connection.environment.cluster_name,
        service=request.service,
        environment=request.source,
    )


def _find_release(
    request: PromoteRequest, history: Sequence[ReleaseInfo], connection: Connection
) -> ReleaseInfo:
    """What was asked for, else what runs: after a rollback that is not the newest."""
    if request.wanted:
        return resolve_version(history, request.wanted)
    arn = _running_arn(request, connection)
    running = next((one for one in history if one.task_definition_arn == arn), None)
    if running is None:
        raise UsageError(
            f"{request.service} does not run in {request.source}",
            where=f"--from {request.source}",
            fix=f"fsd history --service {request.service} --env {request.source}  lists what there "
            "is; name one by --version",
            code=ErrorCode.RELEASE_UNKNOWN,
        )
    return running


def _running_arn(request: PromoteRequest, connection: Connection) -> str:
    job = _find_job(request, connection)
    if job is not None:
        return job.task_definition_arn
    cluster = connection.environment.cluster_name
    service = connection.aws.ecs.find_service(cluster, _own_name(request, connection))
    return service.task_definition_arn if service else ""


def _find_job(request: PromoteRequest, connection: Connection) -> JobSchedule | None:
    return find_job(connection.aws, _job_ref(request, connection))


def _job_ref(request: PromoteRequest, connection: Connection) -> ServiceRef:
    cluster = connection.environment.cluster_name
    return job_ref(request.service, environment=request.source, cluster=cluster)


def _require_manifest_of(file: Path, release: ReleaseInfo) -> None:
    """The manifest is of the commit that goes: an image and settings that never met would be a
    release that nobody has tried."""
    folder = file.absolute().parent
    top = ask_git(folder, "rev-parse", "--show-toplevel")
    if not release.commit or top is None:
        return
    path = (folder.resolve() / file.name).relative_to(Path(top).resolve()).as_posix()
    is_here, text = show_file(folder, release.commit, path)
    if is_here and text == read_text(file):
        return
    commit = release.commit[:7]
    raise RefusedError(
        f"{file} is not as {commit} has it"
        if is_here
        else f"this checkout does not have the commit {commit}",
        where=f"{release.revision} · {release.version or commit}",
        fix=f"git checkout {commit}  and run it again"
        if is_here
        else f"git fetch origin {release.commit}  and check it out",
        code=ErrorCode.PROMOTION_REQUIRED,
    )


def _image_of(request: PromoteRequest, release: ReleaseInfo, connection: Connection) -> str:
    """As the task definition has it, by digest."""
    definition = connection.aws.ecs.find_task_definition(release.task_definition_arn)
    containers = definition.definition.get("containerDefinitions") if definition else None
    images: Sequence[str] = [
        str(one.get("image"))
        for one in (containers if isinstance(containers, list) else ())
        if isinstance(one, dict) and str(one.get("image")).endswith(f"@{release.digest}")
    ]
    if release.digest and images:
        return images[0]
    raise RefusedError(
        f"{release.revision} was not deployed by digest, so that nobody knows which image it is",
        where=f"--from {request.source}",
        fix=f"deploy it to {request.source} again, and promote that",
        code=ErrorCode.PROMOTION_REQUIRED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """From where to where, and what."""

    here: Connection  # the target
    there: Connection  # the source
    release: ReleaseInfo
    history: Sequence[ReleaseInfo]  # the source's, newest first
    service: str

    @property
    def digest(self) -> str:
        return self.release.digest


def _image_in(move: _Move, image: str, *, reporter: Reporter) -> str:
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
    move: _Move, theirs: Repository, own: Repository, *, reporter: Reporter
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
    move: _Move, theirs: Repository, own: Repository, *, reporter: Reporter
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


def _copy(move: _Move, theirs: Repository, own: Repository, *, reporter: Reporter) -> str:
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


def _tag(move: _Move, own: Repository, *, reporter: Reporter) -> None:
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
