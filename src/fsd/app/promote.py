"""Take what runs in one environment to another: the same digest, never a rebuild.

What is found here becomes an ordinary deployment of an image that is given, so that it is planned,
watched and rolled back like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsd.app.account import Connection, Connector
from fsd.app.deployment import DeployOptions
from fsd.app.environments import EnvironmentsFile, find_environment
from fsd.app.manifest import read_manifest
from fsd.app.user_text import read_text
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.image.context import ask_git, show_file
from fsd.manifest import names
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.ledger import read_history, resolve_version
from fsd.release.own_name import find_own_name
from fsd.release.result import ReleaseInfo


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


def prepare_promotion(request: PromoteRequest, connect: Connector) -> Promotion:
    """Find the release and its image, in both accounts.

    Raises UsageError for a release that is not there, RefusedError where its manifest is not the
    one of the checkout, and where the image is not in the registry of the other account or Region.
    """
    _require_sense(request)
    source = find_environment(request.file, request.source, file=request.environments_file)
    target = find_environment(request.file, request.target, file=request.environments_file)
    there = connect(source, start=False)
    release = _find_release(request, there)
    _require_manifest_of(request.file, release)
    image = _image_of(request, release, there)
    here = connect(target)
    options = DeployOptions(
        file=request.file,
        environment=request.target,
        image=_image_in(here, there, image=image, release=release, service=request.service),
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


def _find_release(request: PromoteRequest, connection: Connection) -> ReleaseInfo:
    """What was asked for, else what runs: after a rollback that is not the newest."""
    ecs, cluster = connection.aws.ecs, connection.environment.cluster_name
    family = names.service_name(request.service, request.source)
    ref = job_ref(request.service, environment=request.source, cluster=cluster)
    job = find_job(connection.aws, ref)
    if job is not None:
        arn, history = job.task_definition_arn, read_job_releases(connection.aws, ref, job)
    else:
        name = find_own_name(
            connection.aws, cluster=cluster, service=request.service, environment=request.source
        )
        history = read_history(ecs, cluster=cluster, service=name, family=family)
        service = ecs.find_service(cluster, name)
        arn = service.task_definition_arn if service else ""
    if request.wanted:
        return resolve_version(history, request.wanted)
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


def _image_in(
    here: Connection, there: Connection, *, image: str, release: ReleaseInfo, service: str
) -> str:
    """The same digest in the target's own registry, or wherever both pull it from."""
    name = names.repository(service)
    own, theirs = (one.aws.registry.find_repository(name) for one in (here, there))
    if own is not None and here.aws.registry.find_image(name, release.digest) is not None:
        return f"{own.uri}@{release.digest}"
    if theirs is None or image.partition("@")[0] != theirs.uri:
        return image  # of a registry that is nobody's account
    identity = here.aws.identity
    raise RefusedError(
        f"{image} is not in the registry of {here.environment.name}",
        where=f"{identity.account} · {identity.region} · repository {name}",
        fix="copy it with its digest, as  crane copy  and  docker buildx imagetools create  do, or "
        "let ECR replicate the repository",
        code=ErrorCode.IMAGE_ELSEWHERE,
    )
