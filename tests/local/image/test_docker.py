"""What the docker CLI is asked for, with programs that answer as the real ones do."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fsd.errors import CallFailedError
from fsd.image.context import Source
from fsd.image.docker import Builder, BuilderKind, build_command, connect, find_builder, passed_on
from fsd.image.job import BuildJob
from fsd.image.key import Recipe
from tests.fakes.registry import FakeEcr, FakeRegistry


def docker_cli(folder: Path, *, version: str, buildx: str = "") -> str:
    """A `docker` that knows `version` and, with `buildx`, the plugin's help."""
    folder.mkdir()
    program = folder / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$1" in version) echo {version};;\n'
        f'buildx) [ -n "{buildx}" ] && echo "{buildx}" || exit 1;; esac\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


HELP = "Usage:  docker buildx build [OPTIONS] PATH"


def make_job(server: FakeRegistry, **overrides: object) -> BuildJob:
    ecr = FakeEcr(server)
    fields: dict[str, object] = {
        "source": Source(
            folder=Path("/src"),
            dockerfile=Path("/src/Dockerfile"),
            recipe=Recipe(),
            commit="c" * 40,
            title="",
            is_dirty=False,
            is_plain=True,
            key="d" * 64,
        ),
        "dockerfile": Path("/src/Dockerfile"),
        "architecture": "arm64",
        "repository": ecr.repository("hello"),
        "build_args": {"B": "2", "A": "1"},
        "build_secrets": ("id=npm,src=/x",),
        "labels": {"org.opencontainers.image.version": "v1"},
        "on_line": lambda _line: None,
    }
    return BuildJob(**(fields | overrides))  # type: ignore[arg-type]  # the table is checked above


def test_find_builder__buildx__wins(tmp_path: Path) -> None:
    docker_cli(tmp_path / "a", version="20.10.24")
    program = docker_cli(tmp_path / "b", version="28.2.2", buildx=f"{HELP} --provenance")

    found = find_builder({"PATH": f"{tmp_path}/a:{tmp_path}/b"})

    assert found == Builder(program=program, kind=BuilderKind.BUILDX, has_provenance=True)


def test_find_builder__newer_cli_without_its_plugin__older_one_with_buildkit(
    tmp_path: Path,
) -> None:
    docker_cli(tmp_path / "a", version="28.2.2")
    program = docker_cli(tmp_path / "b", version="20.10.24")

    found = find_builder({"PATH": f"{tmp_path}/a:{tmp_path}/b"})

    assert found == Builder(program=program, kind=BuilderKind.BUILDKIT)
    assert found.environment == {"DOCKER_BUILDKIT": "1"}


def test_find_builder__only_a_newer_cli_without_plugin__legacy(tmp_path: Path) -> None:
    program = docker_cli(tmp_path / "a", version="28.2.2")

    found = find_builder({"PATH": f"{tmp_path}/a"})

    assert found == Builder(program=program, kind=BuilderKind.LEGACY)
    assert found.environment == {"DOCKER_BUILDKIT": "0"}


def test_find_builder__no_cli__says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CallFailedError) as raised:
        find_builder({"PATH": str(tmp_path)})

    assert raised.value.code == "docker-unavailable"
    assert "--image" in raised.value.fix


def test_build_command__buildx__every_option(fake_registry: FakeRegistry) -> None:
    builder = Builder(program="docker", kind=BuilderKind.BUILDX, has_provenance=True)

    command = build_command(make_job(fake_registry), builder)

    assert command == [
        *("docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"),
        *("--platform", "linux/arm64", "--file", "/src/Dockerfile"),
        *("--tag", f"{fake_registry.host}/hello:content-{'d' * 40}"),
        *("--label", "org.opencontainers.image.version=v1"),
        *("--build-arg", "A=1", "--build-arg", "B=2"),
        *("--secret", "id=npm,src=/x", "/src"),
    ]


def test_build_command__without_cache__takes_nothing_of_before(fake_registry: FakeRegistry) -> None:
    builder = Builder(program="docker", kind=BuilderKind.BUILDKIT, has_provenance=False)

    command = build_command(make_job(fake_registry, cache=False), builder)

    assert command[-3:] == ["--no-cache", "--pull", "/src"]


def test_passed_on__tokens_of_the_caller__stay_behind() -> None:
    environment = {
        "PATH": "/bin",
        "HOME": "/h",
        "DOCKER_HOST": "unix:///x",
        "https_proxy": "p",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "s",
        "GITHUB_TOKEN": "s",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s",
        "INPUT_GITHUB-TOKEN": "s",
        "NPM_TOKEN": "s",
    }

    assert set(passed_on(environment)) == {"PATH", "HOME", "DOCKER_HOST", "https_proxy"}


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("id=npm,env=NPM_TOKEN", {"NPM_TOKEN"}),
        ("id=NPM_TOKEN", {"NPM_TOKEN"}),
        ("id=NPM_TOKEN,src=/file", set()),
        ("type=env,id=x,env=NPM_TOKEN", {"NPM_TOKEN"}),
    ],
)
def test_passed_on__build_secret__only_its_own_variable(secret: str, expected: set[str]) -> None:
    environment = {"NPM_TOKEN": "s", "GITHUB_TOKEN": "s"}

    assert set(passed_on(environment, secrets=[secret])) == expected


def test_connect__nobody_answers__docker_unavailable() -> None:
    with pytest.raises(CallFailedError) as raised, connect("unix:///nonexistent.sock"):
        pass

    assert raised.value.code == "docker-unavailable"
    assert raised.value.fix == "start Docker, or build elsewhere and pass --image"
