"""Bad input to `fsd deploy`: a clear error, the documented exit code, nothing half-done."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.plain_aws import plain_aws
from tests.local.cli import HELLO, Fsd

pytestmark = pytest.mark.parametrize("runtime", ["process"], indirect=True)

GOOD = (HELLO / "service.yml").read_text()


def missing(path: Path) -> None:
    del path


def folder(path: Path) -> None:
    path.mkdir()


def text(content: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(content)

    return write


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(missing, "no such file", id="no file"),
        pytest.param(folder, "folder", id="a folder"),
        pytest.param(text(""), "empty", id="empty"),
        pytest.param(text("a: [b"), "bad.yml:1", id="not YAML"),
        pytest.param(text("- a\n- b\n"), "bad.yml:1:1", id="a list"),
        pytest.param(text(GOOD.replace("fsd/v1", "fsd/v9")), "fsd/v9", id="wrong apiVersion"),
        pytest.param(text(GOOD.replace("port: 8000", "port: eighty")), "eighty", id="wrong type"),
        pytest.param(text(GOOD + "\nsurprise: 1\n"), "surprise", id="unknown key"),
    ],
)
def test_deploy__bad_manifest__exit_3_and_nothing_made(
    fsd: Fsd, tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    before = fsd.status()["resources"]
    make(tmp_path / "bad.yml")

    ended = fsd.run("deploy", "--env", "local", "--file", str(tmp_path / "bad.yml"))

    assert ended.code == 3, ended.text
    assert says in ended.err
    assert "fix:" in ended.err
    assert "Traceback" not in ended.text
    assert fsd.status()["resources"] == before


def test_deploy__unknown_environment__exit_3_and_the_known_ones(fsd: Fsd, hello: Path) -> None:
    (hello / ".fsd").mkdir()
    (hello / ".fsd" / "environments.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata:\n  name: dev\nspec: {}\n"
    )

    ended = fsd.run("deploy", "--env", "prod")

    assert ended.code == 3, ended.text
    assert "dev" in ended.err


def test_deploy__no_credentials__exit_5_and_what_to_do(fsd: Fsd, tmp_path: Path) -> None:
    fsd.extra = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }

    ended = fsd.run("deploy", "--env", "dev")

    assert ended.code == 5, ended.text
    assert "no-credentials" in ended.err
    assert "--env local" in ended.err or "aws" in ended.err


def test_deploy__no_docker_and_no_image__exit_5(fsd: Fsd, tmp_path: Path) -> None:
    """Against an AWS that does not say that it runs processes, the image must be Docker's."""
    with plain_aws(fsd.status()["endpoint"]) as endpoint:
        fsd.extra = {
            **fsd.aws_environment(),
            "AWS_ENDPOINT_URL": endpoint,
            "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        }
        ended = fsd.run("deploy", "--env", "dev")

    assert ended.code == 5, ended.text
    assert "docker-unavailable" in ended.err
    assert "--image" in ended.err
    assert not fsd.status()["services"]


def test_deploy__image_that_is_not_in_ecr__exit_5_and_nothing_made(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")
    endpoint = fsd.status()["endpoint"].removeprefix("http://")
    before = fsd.status()["resources"]

    ended = fsd.run("deploy", "--env", "local", "--image", f"{endpoint}/hello:nope")

    assert ended.code == 5, ended.text
    assert "image-not-found" in ended.err
    assert fsd.status()["resources"] == before


def test_deploy__image_of_an_unknown_registry__the_rollout_says_so(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    ended = fsd.run("deploy", "--env", "local", "--image", "127.0.0.1:9/hello:v1")

    assert ended.code == 6, ended.text
    assert "CannotPullContainerError" in ended.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("deploy", "--env", "local", "--image", "x", "--context", "."),
        ("deploy",),
        ("deploy", "--env", "local", "--timeout", "soon"),
        ("deploy", "--env", "local", "--image", ":x"),
        ("deploi",),
        ("scale", "--service", "hello", "--env", "local", "--count", "-1"),
        ("rollback", "--service", "hello", "--env", "local"),
        ("status", "--service", "nobody", "--env", "local"),
    ],
)
def test_usage__wrong_words__exit_2(fsd: Fsd, arguments: tuple[str, ...]) -> None:
    ended = fsd.run(*arguments)

    assert ended.code == 2, ended.text
    assert ended.err


def test_local_up__port_in_use__exit_5_and_the_port(fsd: Fsd, tmp_path: Path) -> None:
    other = Fsd(state=tmp_path / "other", cwd=tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = other.run("local", "up", "--port", port)

    assert ended.code == 5, ended.text
    assert port in ended.err
    assert fsd.status()["running"]


def test_delete__no_terminal_and_no_yes__refused(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    ended = fsd.run("delete", "--service", "hello", "--env", "local")

    assert ended.code == 4, ended.text
    assert "--yes" in ended.err
    assert len(fsd.status()["services"]) == 1
