from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest

from fsd.errors import CallFailedError, UsageError
from fsd.image.build import Built, build_image
from fsd.image.context import read_source
from fsd.image.docker import find_builder
from fsd.image.key import Recipe
from fsd.image.push_retries import NO_RETRIES, PushRetries
from fsd.release.phase_facts import PushedParts
from fsd.release.ports import RegistryImage
from tests.fakes.registry import FakeEcr, FakeRegistry

DOCKERFILE = """
FROM scratch
ENV GREETING="hello there"
WORKDIR /app
RUN pip install nothing
COPY app.py run.sh ./
USER 10001
EXPOSE 8000
CMD ["python", "app.py"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "app.py").write_text("print('hi')\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o700)
    return folder


@pytest.fixture
def ecr(fake_registry: FakeRegistry) -> FakeEcr:
    return FakeEcr(fake_registry)


def build(
    folder: Path,
    ecr: FakeEcr,
    *,
    version: str = "",
    on_line: Callable[[str], None] = lambda _line: None,
    retries: PushRetries = NO_RETRIES,
    **recipe: Any,
) -> Built:
    return build_image(
        read_source(folder, recipe=Recipe(**({"runtime": "process"} | recipe))),
        repository=ecr.repository("team/hello"),
        registry=ecr,
        version=version,
        on_line=on_line,
        retries=retries,
    )


def test_build_image__process__image_with_files_and_configuration(
    folder: Path, ecr: FakeEcr
) -> None:
    built = build(folder, ecr, platform="ARM64")

    server = ecr.server
    assert built.image.uri == f"{server.host}/team/hello@{built.image.digest}"
    assert server.digest_of("team/hello", built.image.tag) == built.image.digest
    assert (built.reused, built.pushed) == (False, PushedParts(pushed=2, total=2, unit="blobs"))
    assert built.skipped == ("RUN pip install nothing",)
    config = server.config_of("team/hello", built.image.tag)
    assert config["architecture"] == "arm64"
    assert config["config"] == {
        "Env": ["GREETING=hello there"],
        "WorkingDir": "/app",
        "Entrypoint": None,
        "Cmd": ["python", "app.py"],
        "ExposedPorts": {"8000/tcp": {}},
        "User": "10001",
        "Labels": {
            "fsd.runtime": "process",
            "fsd-local.left-out": '["RUN pip install nothing"]',
        },
    }
    layer = gzip.decompress(server.layer_of("team/hello", built.image.tag))
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        found = [(m.name, m.mode, m.mtime, m.uid) for m in archive]
    assert found == [
        ("app", 0o755, 0, 0),
        ("app/app.py", 0o644, 0, 0),
        ("app/run.sh", 0o755, 0, 0),
    ]


def test_build_image__same_content_elsewhere__same_digest_and_nothing_sent(
    folder: Path, ecr: FakeEcr, tmp_path: Path
) -> None:
    first = build(folder, ecr)
    key_tag = read_source(folder, recipe=Recipe(runtime="process")).key_tag
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    (copy / "run.sh").chmod(0o755)
    os.utime(copy / "app.py", (1, 1))
    ecr.forgets = True  # so that it is built again
    before = len(ecr.server.uploaded())

    with pytest.raises(CallFailedError, match="the registry says"):
        build(copy, ecr)

    assert ecr.server.digest_of("team/hello", first.image.tag) == first.image.digest
    assert ecr.server.uploaded()[before:] == [f"/v2/team/hello/manifests/{key_tag}"]


def test_build_image__built_before__reused(folder: Path, ecr: FakeEcr) -> None:
    first = build(folder, ecr)
    before = list(ecr.server.requests)

    again = build(folder, ecr)

    assert again.image == first.image
    assert again.reused
    assert ecr.server.requests == before


def test_build_image__registry_needs_a_password__shows_it(folder: Path, ecr: FakeEcr) -> None:
    ecr.server.require_password("token")

    assert not build(folder, ecr).reused


def test_build_image__push_denied__says_which_rights(folder: Path, ecr: FakeEcr) -> None:
    ecr.server.deny_pushes()

    with pytest.raises(CallFailedError) as raised:
        build(folder, ecr)

    assert raised.value.code == "push-denied"
    assert "403" in raised.value.what
    assert "ecr:PutImage" in raised.value.fix


def test_build_image__registry_gone__push_failed(folder: Path, ecr: FakeEcr) -> None:
    ecr.server.shutdown()
    ecr.server.server_close()

    with pytest.raises(CallFailedError) as raised:
        build(folder, ecr)

    assert raised.value.code == "push-failed"


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_build_image__registry_fails_twice__pushed_at_the_third_attempt(
    folder: Path, ecr: FakeEcr, method: str, status: int
) -> None:
    ecr.server.fail(method, status, times=2)
    waits: list[timedelta] = []

    built = build(folder, ecr, retries=PushRetries(wait=waits.append))

    assert ecr.server.digest_of("team/hello", built.image.tag) == built.image.digest
    assert (len(waits), ecr.server.failures) == (2, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_build_image__registry_says_no__asked_once(folder: Path, ecr: FakeEcr, status: int) -> None:
    ecr.server.fail("PUT", status, times=2)

    with pytest.raises(CallFailedError):
        build(folder, ecr, retries=PushRetries(wait=lambda _pause: None))

    assert len(ecr.server.failures) == 1


@pytest.mark.docker
@pytest.mark.parametrize("status", [0, 429, 503])
def test_build_image__docker_push_of_the_manifest_fails__tried_again(
    engine: Any, busybox_folder: Path, ecr: FakeEcr, status: int
) -> None:
    del engine
    (busybox_folder / "Dockerfile").write_text("FROM scratch\nCOPY salt /\n")
    ecr.server.fail("PUT", status, times=1)
    waits: list[timedelta] = []

    built = build(busybox_folder, ecr, runtime="container", retries=PushRetries(wait=waits.append))

    assert ecr.server.digest_of("team/hello", built.image.tag) == built.image.digest


def test_build_image__fresh__never_reused(folder: Path, ecr: FakeEcr) -> None:
    first = build(folder, ecr)
    again = [build(folder, ecr, fresh=word) for word in ("one", "two")]

    assert [built.reused for built in again] == [False, False]
    assert len({built.image.tag for built in (first, *again)}) == 3


def test_build_image__another_run_was_quicker__takes_its_image(folder: Path, ecr: FakeEcr) -> None:
    class Raced(FakeEcr):
        def find_image(
            self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
        ) -> RegistryImage | None:
            del account, region
            self.asked.append((repository, tag_or_digest))
            is_first = len(self.asked) == 1
            return None if is_first else RegistryImage(digest="sha256:theirs")

    raced = Raced(ecr.server)
    ecr.server.deny_pushes()  # as a tag that cannot be moved

    built = build(folder, raced)

    assert (built.image.digest, built.reused) == ("sha256:theirs", True)


def test_build_image__no_dockerfile__names_the_path(folder: Path, ecr: FakeEcr) -> None:
    (folder / "Dockerfile").unlink()

    with pytest.raises(CallFailedError) as raised:
        build(folder, ecr)

    assert (raised.value.code, str(raised.value.where)) == (
        "dockerfile-missing",
        str(folder / "Dockerfile"),
    )


def test_build_image__unknown_platform__usage_error(folder: Path, ecr: FakeEcr) -> None:
    with pytest.raises(UsageError, match="`MIPS` is not a platform"):
        build(folder, ecr, platform="MIPS")


# --- with a Docker engine ----------------------------------------------------------------------

CONTAINER_DOCKERFILE = """
FROM scratch
ARG GREETING=hello
COPY busybox /bin/sh
RUN echo $GREETING > /greeting
CMD ["/bin/sh"]
"""


@pytest.fixture
def busybox_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "Dockerfile").write_text(CONTAINER_DOCKERFILE)
    shutil.copy("/bin/busybox", folder / "busybox")
    (folder / "salt").write_text(os.urandom(8).hex())  # no two tests share a tag
    return folder


@pytest.fixture
def engine(docker_engine: docker.DockerClient, fake_registry: FakeRegistry) -> Iterator[Any]:
    """Removes the images of the test's registry."""
    yield docker_engine
    for image in docker_engine.images.list():
        for tag in image.tags:
            if tag.startswith(fake_registry.host):
                docker_engine.images.remove(tag, force=True)


@pytest.mark.docker
@pytest.mark.parametrize("which", ["best", "newest CLI only"])
def test_build_image__docker__pushed_by_digest_with_labels(
    engine: Any,
    busybox_folder: Path,
    ecr: FakeEcr,
    which: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del engine
    if which == "newest CLI only":
        only = tmp_path / "bin"
        only.mkdir()
        (only / "docker").symlink_to(str(shutil.which("docker")))
        monkeypatch.setenv("PATH", str(only))
    ecr.server.require_password("token")
    lines: list[str] = []

    built = build(
        busybox_folder,
        ecr,
        runtime="container",
        build_args={"GREETING": "good day"},
        version="v1.2.3",
        on_line=lines.append,
    )

    assert ecr.server.digest_of("team/hello", built.image.tag) == built.image.digest
    assert (built.reused, built.skipped) == (False, ())
    assert built.pushed == PushedParts(pushed=2, total=2, unit="layers")
    config = ecr.server.config_of("team/hello", built.image.tag)
    assert (config["architecture"], config["config"]["Cmd"]) == ("amd64", ["/bin/sh"])
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == "v1.2.3"
    layer = gzip.decompress(ecr.server.layer_of("team/hello", built.image.tag))
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        greeting = archive.extractfile("greeting")
        assert greeting is not None
        assert greeting.read() == b"good day\n"
    assert any("COPY" in line for line in lines)


@pytest.mark.docker
def test_build_image__docker_step_fails__its_last_lines_verbatim(
    engine: Any, busybox_folder: Path, ecr: FakeEcr
) -> None:
    del engine
    (busybox_folder / "Dockerfile").write_text(
        'FROM scratch\nCOPY busybox /bin/sh\nRUN echo "no such package: flask"; exit 3\n'
    )

    with pytest.raises(CallFailedError) as raised:
        build(busybox_folder, ecr, runtime="container")

    assert raised.value.code == "build-failed"
    assert "no such package: flask" in raised.value.what
    assert ecr.server.manifests == {}


@pytest.mark.docker
def test_build_image__docker_push_denied__says_so(
    engine: Any, busybox_folder: Path, ecr: FakeEcr
) -> None:
    del engine
    ecr.server.deny_pushes()

    with pytest.raises(CallFailedError) as raised:
        build(busybox_folder, ecr, runtime="container")

    assert raised.value.code == "push-denied"


@pytest.mark.docker
def test_build_image__docker_secret__in_the_step_and_in_no_layer(
    engine: Any, busybox_folder: Path, ecr: FakeEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    del engine
    if find_builder(os.environ).kind == "legacy builder":
        pytest.skip("build secrets need BuildKit")
    monkeypatch.setenv("NPM_TOKEN", "s3cret-of-the-build")
    (busybox_folder / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/sh\n"
        'RUN --mount=type=secret,id=npm read x < /run/secrets/npm; echo "${#x}" > /length\n'
    )

    built = build(busybox_folder, ecr, runtime="container", build_secrets=("id=npm,env=NPM_TOKEN",))

    layer = gzip.decompress(ecr.server.layer_of("team/hello", built.image.tag))
    assert b"s3cret-of-the-build" not in layer
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        length = archive.extractfile("length")
        assert length is not None
        assert length.read() == b"19\n"


def test_build_image__no_engine__says_what_to_do(
    folder: Path, ecr: FakeEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")

    with pytest.raises(CallFailedError) as raised:
        build(folder, ecr, runtime="container")

    assert raised.value.code == "docker-unavailable"
