"""The registry with a real Docker client and engine."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.local.server.conftest import Clients

BUSYBOX = Path("/bin/busybox")


@pytest.mark.docker
def test_docker_push__login_push_and_pull__are_the_same_digest(
    docker_engine: object, aws: Clients, account: str, tmp_path: Path
) -> None:
    del docker_engine
    ecr = aws("ecr")
    uri = ecr.create_repository(repositoryName=f"pushed-{account}")["repository"]["repositoryUri"]
    docker = Docker(tmp_path)
    docker.login(ecr)
    (tmp_path / "context").mkdir()
    shutil.copy(BUSYBOX, tmp_path / "context" / "busybox")
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch\nCOPY busybox /busybox\n")
    docker("build", "-q", "-t", f"{uri}:v1", str(tmp_path / "context"))
    try:
        docker("push", f"{uri}:v1")
        docker("rmi", f"{uri}:v1")
        pulled = docker("pull", f"{uri}:v1")
    finally:
        docker("rmi", "-f", f"{uri}:v1")
    (image,) = ecr.describe_images(
        repositoryName=f"pushed-{account}", imageIds=[{"imageTag": "v1"}]
    )["imageDetails"]
    assert image["imageDigest"] in pulled
    assert image["imageSizeInBytes"] > 100_000


class Docker:
    """The docker command, with a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "DOCKER_CONFIG": str(folder / "docker")}

    def __call__(self, *arguments: str, text: str = "") -> str:
        ended = subprocess.run(
            ["docker", *arguments],
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def login(self, ecr: Any) -> None:
        (token,) = ecr.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
        self("login", "-u", user, "--password-stdin", token["proxyEndpoint"], text=password)
