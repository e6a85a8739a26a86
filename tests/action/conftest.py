from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.action.act import Act
from tests.action.workflow import ActionStep, make_action, make_repository
from tests.fakes.github_api import GithubApi, serve_github_api
from tests.fakes.oidc import REQUEST_TOKEN, Issuer, serve_issuer
from tests.fakes.python_image import ensure_python_image
from tests.local.cli import Fsd

SPEED = "40"


@dataclass(frozen=True, kw_only=True)
class World:
    """What a job of org/hello meets: AWS, GitHub's API and its OIDC issuer, all on loopback."""

    fsd: Fsd
    github: GithubApi
    issuer: Issuer
    repository: Path

    @property
    def environ(self) -> dict[str, str]:
        """A job's variables. Without AWS credentials: the role is to be assumed."""
        return {
            "AWS_ENDPOINT_URL": self.fsd.status()["endpoint"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "GITHUB_API_URL": self.github.url,
            "ACTIONS_ID_TOKEN_REQUEST_URL": self.issuer.request_url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }


@pytest.fixture(params=["process", pytest.param("container", marks=pytest.mark.docker)])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "container":
        ensure_python_image(request.getfixturevalue("docker_engine"))
    return str(request.param)


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_action(tmp_path_factory.mktemp("action") / "fsd-deploy")


@pytest.fixture
def github_api() -> Iterator[GithubApi]:
    with serve_github_api() as api:
        yield api


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, runtime: str, github_api: GithubApi, issuer: Issuer) -> Iterator[World]:
    repository = make_repository(tmp_path / "hello", branch="staging")
    fsd = Fsd(state=tmp_path / "state", cwd=repository)
    fsd.ok("local", "up", "--runtime", runtime, "--speed", SPEED)
    try:
        yield World(fsd=fsd, github=github_api, issuer=issuer, repository=repository)
    finally:
        fsd.ok("local", "down")
    assert github_api.unknown == []
    assert github_api.unauthorized == []


@pytest.fixture
def act(world: World, action: Path, tmp_path: Path) -> Act:
    return Act(
        repository=world.repository,
        action=action,
        home=tmp_path / "act",
        environ=world.environ,
    )


@pytest.fixture
def step(world: World, action: Path, tmp_path: Path) -> ActionStep:
    return ActionStep(
        action=action,
        repository=world.repository,
        folder=tmp_path / "runner",
        environ=world.environ,
    )
