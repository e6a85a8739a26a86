"""Builds with the docker CLI, which has BuildKit; tags and pushes through the engine's API.

The password of the registry is in no argument and in no file: it goes with the one request. The
build sees an environment that is listed here, so that no token of the caller can leak into it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

from fsd.errors import CallFailedError, ErrorCode
from fsd.image.built import find_noted, note_built
from fsd.image.causes import advise_build, read_push
from fsd.image.job import BuildJob, BuildOutcome
from fsd.image.push_retries import PassingPushError, is_passing
from fsd.release.mask import mask, mask_lines
from fsd.release.phase_facts import PushedParts
from fsd.release.ports import Registry

_OF_BASE_IMAGES = (["python3"], ["python"], ["bash"], ["/bin/bash"], ["sh"], ["/bin/sh"])
_DEFAULT_HOST = "unix:///var/run/docker.sock"
_PING_TIMEOUT = 10  # seconds
_PUSH_TIMEOUT = 600  # seconds without a sign of life
_PROBE_TIMEOUT = 20
_TAIL = 20  # lines of a failed build that are shown
_BUILDKIT_NEEDS_PLUGIN = 23  # https://docs.docker.com/engine/release-notes/23.0/
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LANG|LC_ALL|TMPDIR|XDG_RUNTIME_DIR|XDG_CONFIG_HOME|SSH_AUTH_SOCK"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|DOCKER_(HOST|CONTEXT|CONFIG|TLS|TLS_VERIFY|CERT_PATH|API_VERSION)"
    r"|BUILDX_(BUILDER|CONFIG)|BUILDKIT_HOST|SOURCE_DATE_EPOCH"
    r"|(HTTP|HTTPS|NO|ALL)_PROXY|(http|https|no|all)_proxy"
)
_STEP = re.compile(r"#\d+ \[|Step \d+/\d+ ")
_SECRET_VARIABLE = re.compile(r"(?:^|,)env=([^,]+)")
_SECRET_ID = re.compile(r"(?:^|,)id=([^,]+)")


class BuilderKind(StrEnum):
    BUILDX = "buildx"
    BUILDKIT = "BuildKit"
    LEGACY = "legacy builder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    program: str  # path of the docker CLI
    kind: BuilderKind
    has_provenance: bool = False  # whether --provenance is known

    @property
    def command(self) -> tuple[str, ...]:
        words = ("buildx", "build", "--load") if self.kind is BuilderKind.BUILDX else ("build",)
        progress = () if self.kind is BuilderKind.LEGACY else ("--progress=plain",)
        # An attestation makes an index of the image, and its digest another one.
        provenance = ("--provenance=false",) if self.has_provenance else ()
        return (self.program, *words, *progress, *provenance)

    @property
    def environment(self) -> dict[str, str]:
        if self.kind is BuilderKind.BUILDX:
            return {}
        return {"DOCKER_BUILDKIT": "0" if self.kind is BuilderKind.LEGACY else "1"}


def build_and_push(job: BuildJob, registry: Registry) -> BuildOutcome:
    """Raises CallFailedError: docker-unavailable, build-failed, push-denied, push-failed."""
    with connect() as engine:
        is_built = bool(job.built_as) and _take_built(job, engine)
        if not is_built:
            _build_in(engine, job)
        outcome = job.retries(lambda: _push(job, registry, engine))
    return replace(outcome, built_before=is_built)


def build_in_engine(job: BuildJob, *, tag: str) -> str:
    """Build, and leave the image in the engine, by the job's reference and by `tag`.

    Returns the engine's ID of it. Raises CallFailedError: docker-unavailable, build-failed.
    """
    with connect() as engine:
        _build_in(engine, job)
        with _engine_answers(job):
            image = engine.images.get(job.reference)
            image.tag(job.repository.uri, tag=tag)
            note_built(job.source.key, str(image.id))
            return str(image.id)


def _build_in(engine: docker.DockerClient, job: BuildJob) -> None:
    builder = find_builder(os.environ)
    _build(job, builder, os.environ)
    if job.needs_command:
        _require_command(job, engine)


def _take_built(job: BuildJob, engine: docker.DockerClient) -> bool:
    """Whether the engine has, by the image's own name, the one that FSD built; it is then there by
    the registry's name, too."""
    with _engine_answers(job):
        try:
            image = engine.images.get(job.built_as)
        except docker.errors.ImageNotFound:
            return False
        if image.id != find_noted(job.source.key):
            job.on_line(f"{job.built_as} is not known as FSD's own build: it is built again")
            return False
        return bool(image.tag(job.repository.uri, tag=job.source.key_tag))


@contextmanager
def _engine_answers(job: BuildJob) -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise CallFailedError(
            f"the Docker engine does not give the image: {error}",
            where=job.reference,
            fix="run it again",
            code=ErrorCode.DOCKER_UNAVAILABLE,
        ) from error


def _require_command(job: BuildJob, engine: docker.DockerClient) -> None:
    """A base image's `python3` or `bash` waits for a terminal, and ends at once without one."""
    try:
        found = engine.images.get(job.reference).attrs
    except (docker.errors.DockerException, requests.RequestException):
        return  # what is wrong with the engine, the push says
    runs = found.get("Config") or {}
    command = [*(runs.get("Entrypoint") or ()), *(runs.get("Cmd") or ())]
    if command and command not in _OF_BASE_IMAGES:
        return
    says = f"the base image's `{command[0]}` ends at once" if command else "nothing would run"
    raise CallFailedError(
        f"the image has no command: the Dockerfile has neither CMD nor ENTRYPOINT, and {says}",
        where=str(job.dockerfile),
        fix='add CMD ["…"] to the Dockerfile, or `command` to the Service YAML',
        code=ErrorCode.IMAGE_WITHOUT_COMMAND,
    )


@contextmanager
def connect(base_url: str | None = None) -> Iterator[docker.DockerClient]:
    """The engine that the docker CLI would use: DOCKER_HOST, else the current context.

    Raises CallFailedError (docker-unavailable).
    """
    url = base_url or os.environ.get("DOCKER_HOST") or _host_of_context()
    try:
        _knock(url or _DEFAULT_HOST)
        client = (
            docker.DockerClient(base_url=url, timeout=_PUSH_TIMEOUT)
            if url and not os.environ.get("DOCKER_TLS_VERIFY")
            else docker.from_env(timeout=_PUSH_TIMEOUT)
        )
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise _unavailable(url, error) from error
    try:
        client.api.timeout = _PING_TIMEOUT
        client.ping()
        client.api.timeout = _PUSH_TIMEOUT
    except (docker.errors.DockerException, requests.RequestException) as error:
        client.close()
        raise _unavailable(url, error) from error
    try:
        yield client
    finally:
        client.close()


def find_builder(environment: Mapping[str, str]) -> Builder:
    """The best that this machine has: buildx, BuildKit in the CLI, the legacy builder.

    Every `docker` on the path is looked at: a newer CLI without its buildx plugin can do less than
    an older one behind it. Raises CallFailedError (docker-unavailable) without a CLI.
    """
    programs = _programs(environment.get("PATH", os.defpath))
    if not programs:
        raise CallFailedError(
            "there is no docker command, and building needs it",
            where="PATH",
            fix="install the Docker CLI, or build elsewhere and pass --image",
            code=ErrorCode.DOCKER_UNAVAILABLE,
        )
    found = [_builder_of(program, environment) for program in programs]
    order = list(BuilderKind)
    return min(found, key=lambda builder: order.index(builder.kind))


def passed_on(environment: Mapping[str, str], *, secrets: Sequence[str] = ()) -> dict[str, str]:
    """What of the environment a docker command sees; a secret's variable only where it is named."""
    named = {m[1] for secret in secrets for m in _SECRET_VARIABLE.finditer(secret)}
    # `--secret id=TOKEN` alone reads the variable of that name.
    named |= {
        m[1]
        for secret in secrets
        if not re.search(r"(?:^|,)(env|src|source)=", secret)
        for m in _SECRET_ID.finditer(secret)
    }
    return {
        name: value
        for name, value in environment.items()
        if _PASSED_ON.fullmatch(name) or name in named
    }


def build_command(job: BuildJob, builder: Builder) -> list[str]:
    command = [*builder.command, "--platform", f"linux/{job.architecture}"]
    command += ["--file", str(job.dockerfile), "--tag", job.reference]
    for name, value in sorted(job.labels.items()):
        command += ["--label", f"{name}={value}"]
    for name, value in sorted(job.build_args.items()):
        command += ["--build-arg", f"{name}={value}"]
    for secret in job.build_secrets:
        command += ["--secret", secret]
    if job.target:
        command += ["--target", job.target]
    if not job.cache:
        command += ["--no-cache", "--pull"]
    return [*command, str(job.source.folder)]


# --- build -------------------------------------------------------------------------------------


def _build(job: BuildJob, builder: Builder, environment: Mapping[str, str]) -> None:
    if job.build_secrets and builder.kind is BuilderKind.LEGACY:
        raise CallFailedError(
            "build secrets need BuildKit, and this machine has only the legacy builder",
            where=builder.program,
            fix="install the buildx plugin (docker-buildx-plugin)",
            code=ErrorCode.BUILD_FAILED,
        )
    seen = passed_on(environment, secrets=job.build_secrets) | builder.environment
    code, tail = _run(build_command(job, builder), seen, job.on_line)
    if code == 0:
        return
    raise CallFailedError(
        f"docker build ended with {code} ({builder.kind}):\n" + "\n".join(tail),
        where=str(job.dockerfile),
        fix=advise_build(tail) or "correct the step that the lines above name, and run it again",
        code=ErrorCode.BUILD_FAILED,
    )


def _run(
    command: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], None]
) -> tuple[int, Sequence[str]]:
    """(exit code, last lines). Steps are told; a child that is left behind is killed."""
    tail: deque[str] = deque(maxlen=_TAIL)
    # BuildKit needs a folder of its own for its state where HOME is not writable or not there.
    with tempfile.TemporaryDirectory(prefix="fsd-build-") as folder:
        child_environment = {"HOME": folder, **environment}
        process = subprocess.Popen(
            command,
            env=child_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                text = mask(line.rstrip())
                if text:
                    tail.append(text)
                if _STEP.match(text):
                    on_line(text)
            return process.wait(), tuple(mask_lines(tail))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


# --- push --------------------------------------------------------------------------------------


def _push(job: BuildJob, registry: Registry, engine: docker.DockerClient) -> BuildOutcome:
    user, password, endpoint = registry.login()
    credentials = {"username": user, "password": password, "serveraddress": endpoint}
    layers: dict[str, str] = {}
    digest = ""
    for event in _push_events(job, engine, credentials):
        if "error" in event:
            raise push_failed(str(event["error"]), reference=job.reference)
        status, layer = str(event.get("status", "")), str(event.get("id", ""))
        if layer and status in ("Preparing", "Waiting", "Pushed", "Layer already exists"):
            layers[layer] = status
        digest = str((event.get("aux") or {}).get("Digest") or digest)
    if not digest:
        raise push_failed("the engine named no digest", reference=job.reference)
    pushed = sum(1 for status in layers.values() if status == "Pushed")
    job.on_line(f"pushed {pushed} of {len(layers)} layers")
    parts = PushedParts(pushed=pushed, total=len(layers), unit="layers")
    return BuildOutcome(digest=digest, pushed=parts)


def _push_events(
    job: BuildJob, engine: docker.DockerClient, credentials: dict[str, str]
) -> Iterator[dict[str, Any]]:
    try:
        yield from engine.api.push(
            job.repository.uri,
            tag=job.source.key_tag,
            stream=True,
            decode=True,
            auth_config=credentials,
        )
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise push_failed(str(error), reference=job.reference) from error


def push_failed(said: str, *, reference: str) -> CallFailedError:
    """Of the kind that may pass, where the engine's words sound so."""
    cause = read_push(said)
    error = PassingPushError if cause.can_pass and is_passing(said) else CallFailedError
    return error(
        f"docker push: {said}",
        where=reference,
        fix=cause.fix or "check that the engine reaches the registry, and run it again",
        code=cause.code,
    )


# --- what there is -----------------------------------------------------------------------------


def _unavailable(url: str | None, error: Exception) -> CallFailedError:
    return CallFailedError(
        f"no Docker engine answers: {error}",
        where=url or _DEFAULT_HOST,
        fix="start Docker, or build elsewhere and pass --image",
        code=ErrorCode.DOCKER_UNAVAILABLE,
    )


def _knock(url: str) -> None:
    """The SDK leaves its socket open where nobody answers. Raises OSError."""
    if url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PING_TIMEOUT)
            probe.connect(url.removeprefix("unix://"))


def _host_of_context() -> str | None:
    """The SDK does not follow `docker context use`, which Docker Desktop relies on."""
    from docker.context import ContextAPI

    try:
        context = ContextAPI.get_current_context()
    except (docker.errors.DockerException, OSError, ValueError, KeyError):
        return None
    host = context.Host if context is not None else None
    return str(host) if host and "://" in str(host) and not str(host).startswith("http") else None


def _programs(path: str) -> list[str]:
    found = (shutil.which("docker", path=folder) for folder in path.split(os.pathsep) if folder)
    return list(dict.fromkeys(str(Path(program)) for program in found if program))


def _builder_of(program: str, environment: Mapping[str, str]) -> Builder:
    seen = passed_on(environment)
    usage = _ask([program, "buildx", "build", "--help"], seen)
    if usage is not None and "docker buildx build" in usage:
        return Builder(
            program=program, kind=BuilderKind.BUILDX, has_provenance="--provenance" in usage
        )
    version = _ask([program, "version", "--format", "{{.Client.Version}}"], seen) or ""
    major = int(match[0]) if (match := re.match(r"\d+", version)) else 0
    has_buildkit = 18 <= major < _BUILDKIT_NEEDS_PLUGIN
    return Builder(
        program=program, kind=BuilderKind.BUILDKIT if has_buildkit else BuilderKind.LEGACY
    )


def _ask(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    try:
        answer = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PROBE_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
