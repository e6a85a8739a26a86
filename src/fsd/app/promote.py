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
from fsd.app.image_move import ImageMove, bring_image
from fsd.app.manifest import read_manifest
from fsd.app.user_text import read_text
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.image.context import ask_git, show_file
from fsd.manifest import names
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.ledger import read_history, resolve_version
from fsd.release.operation import ServiceRef
from fsd.release.own_name import find_own_name
from fsd.release.ports import JobSchedule
from fsd.release.reporter import Reporter
from fsd.release.result import ReleaseInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteRequest:
    service: str
    source: str
    target: str
    file: Path
    wanted: str = ""  # a version, a commit, a digest or a revision; "" for what runs
    environments_file: EnvironmentsFile = None


def prepare_promotion(
    request: PromoteRequest, connect: Connector, *, reporter: Reporter
) -> DeployOptions:
    """Find the release and its image, and copy the image where the target has a registry of its own
    that does not have it yet. What is left to do is an ordinary deployment.

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
    move = ImageMove(
        here=here, there=there, release=release, history=history, service=request.service
    )
    return DeployOptions(
        file=request.file,
        environment=request.target,
        image=bring_image(move, image, reporter=reporter),
        version=release.version,
        commit=release.commit,
        require_promotion_from=request.source,
        allow_older=True,  # what was asked for is to run here what runs there
        environments_file=request.environments_file,
    )


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
        f"{release.revision} was not deployed by digest, so nobody knows which image it is",
        where=f"--from {request.source}",
        fix=f"deploy it to {request.source} again, and promote that",
        code=ErrorCode.PROMOTION_REQUIRED,
    )
