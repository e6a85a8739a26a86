"""Clients that nobody here wrote, against the embedded AWS: they judge it by their exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.cli import Fsd

BIN = Path(sys.executable).parent
WEB = ("local", "hello-local")  # cluster, service


def run(fsd: Fsd, *command: str, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**fsd.environment(), **fsd.aws_environment()},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def aws(fsd: Fsd, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(fsd, str(BIN / "aws"), *arguments)


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_wait_services_stable__after_a_rollback__comes_back(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")
    broken = fsd.run("deploy", "--env", "local", "--override", "environment.HELLO_CRASH=1")

    waited = aws(fsd, "ecs", "wait", "services-stable", "--cluster", WEB[0], "--services", WEB[1])

    assert broken.code == 6, broken.text
    assert (waited.returncode, waited.stderr) == (0, "")


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_ecs_deploy__scale_and_deploy__succeed(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    scaled = run(fsd, str(BIN / "ecs"), "scale", *WEB, "3", "--timeout", "60")
    deployed = run(
        fsd, str(BIN / "ecs"), "deploy", *WEB, "-e", "hello", "GREETING", "hi", "--timeout", "60"
    )

    assert scaled.returncode == 0, scaled.stdout + scaled.stderr
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    status = fsd.ok("status", "--service", "hello", "--env", "local", "--format", "json").json()
    assert status["service"]["running"] == 3
    assert status["running"]["revision"] == "hello-local:2"


@pytest.mark.docker
@pytest.mark.parametrize("runtime", ["container"], indirect=True)
def test_docker_push__to_the_repository_uri__has_ecrs_digest(fsd: Fsd, tmp_path: Path) -> None:
    created = aws(
        fsd, "ecr", "create-repository", "--repository-name", "busy", "--query",
        "repository.repositoryUri", "--output", "text",
    )  # fmt: skip
    reference = f"{created.stdout.strip()}:v1"
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text("FROM scratch\nCOPY hello /\n")
    (tmp_path / "image" / "hello").write_text("hello\n")
    docker = ("docker",)

    subprocess.run(
        [*docker, "build", "-q", "-t", reference, str(tmp_path / "image")],
        env={**fsd.environment(), "DOCKER_BUILDKIT": "0"},
        check=True,
        capture_output=True,
    )
    try:
        pushed = run(fsd, *docker, "push", reference)
        found = aws(
            fsd, "ecr", "describe-images", "--repository-name", "busy", "--image-ids",
            "imageTag=v1", "--query", "imageDetails[0].imageDigest", "--output", "text",
        )  # fmt: skip
    finally:
        run(fsd, *docker, "image", "rm", "-f", reference)

    assert pushed.returncode == 0, pushed.stderr
    assert f"digest: {found.stdout.strip()}" in pushed.stdout
