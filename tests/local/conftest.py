from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.python_image import ensure_python_image
from tests.local.cli import HELLO, Fsd

SPEED = "40"


@pytest.fixture(params=["process", pytest.param("container", marks=pytest.mark.docker)])
def runtime(request: pytest.FixtureRequest) -> str:
    """Both runtimes; the second needs an engine, and an image to build from."""
    if request.param == "container":
        ensure_python_image(request.getfixturevalue("docker_engine"))
    return str(request.param)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A copy of the example service in a git repository with one commit."""
    folder = tmp_path / "hello"
    shutil.copytree(HELLO, folder)
    commit(folder, "first")
    return folder


def commit(folder: Path, title: str) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder)]
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", title], check=True)


@contextmanager
def own_aws(client: Fsd, *options: str) -> Iterator[Fsd]:
    """An embedded AWS that is AWS for its client's environments; it is gone afterwards."""
    client.ok("local", "up", "--runtime", "process", "--speed", SPEED, *options)
    client.extra = client.aws_environment()
    try:
        yield client
    finally:
        client.extra = {}
        client.ok("local", "down")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path, runtime: str) -> Iterator[Fsd]:
    """An embedded AWS that runs, and is gone afterwards."""
    client = Fsd(state=tmp_path / "state", cwd=hello)
    client.ok("local", "up", "--runtime", runtime, "--speed", SPEED)
    try:
        yield client
    finally:
        client.ok("local", "down")
