"""`fsd build` and `fsd push`: the first parts of the main job, each for itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.json_documents import faults
from tests.local.cli import Fsd
from tests.local.conftest import commit

JSON = ("--format", "json")
LOCAL = ("--env", "local")


@pytest.fixture
def lone(tmp_path: Path, hello: Path) -> Fsd:
    """Without an embedded AWS."""
    return Fsd(state=tmp_path / "state", cwd=hello)


@pytest.fixture
def engine_images() -> Iterator[list[str]]:
    """Names that the engine forgets afterwards."""
    names: list[str] = []
    yield names
    subprocess.run(["docker", "image", "rm", "--force", *names], check=False, capture_output=True)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_push__then_deploy__built_once_and_deployed_by_that_digest(fsd: Fsd, hello: Path) -> None:
    first = fsd.ok("push", *LOCAL, *JSON).json()
    again = fsd.ok("push", *LOCAL, *JSON).json()
    named = fsd.ok("push", *LOCAL)
    deployed = fsd.ok("deploy", *LOCAL, *JSON).json()
    given = fsd.ok("deploy", *LOCAL, "--image", first["image"], *JSON).json()
    change(hello / "Dockerfile", "FROM", "# another\nFROM")
    changed = fsd.ok("push", *LOCAL, *JSON).json()

    assert [*faults(first, "fsd/image/v1")] == []
    assert (first["origin"], again["origin"], changed["origin"]) == ("built", "reused", "built")
    assert named.out == f"{first['image']}\n" == f"{again['image']}\n"
    assert first["image"].endswith(f"/hello@{first['digest']}")
    assert (deployed["image"], given["image"]) == (first["image"], first["image"])
    assert changed["contentTag"] != first["contentTag"]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_push__repository_of_another_pack__refused_before_it_is_built(
    fsd: Fsd, hello: Path
) -> None:
    fsd.ok("push", *LOCAL)
    change(hello / "service.yml", "pack: ", "pack: other-")
    change(hello / "Dockerfile", "FROM", "# another\nFROM")

    refused = fsd.run("push", *LOCAL)

    assert refused.code == 4, refused.text
    assert "error[name-taken]" in refused.err
    assert "built" not in refused.err


@pytest.mark.docker
@pytest.mark.parametrize("runtime", ["container"], indirect=True)
def test_build__then_push__the_very_image_goes(
    fsd: Fsd, hello: Path, engine_images: list[str]
) -> None:
    commit(hello, "second")
    fsd.extra["XDG_STATE_HOME"] = str(hello.parent / "state-home")
    built = fsd.ok("build", *LOCAL, *JSON).json()
    engine_images += [built["image"], f"hello:{built['contentTag']}"]
    ran = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python3", built["image"], "-c", "print(7)"],
        capture_output=True,
        text=True,
        check=False,
    )
    # Whoever builds it again does not get far.
    (hello.parent / "docker").write_text("#!/bin/sh\nexit 1\n")
    (hello.parent / "docker").chmod(0o755)
    fsd.extra["PATH"] = str(hello.parent)
    pushed = fsd.ok("push", *LOCAL, *JSON).json()
    again = fsd.ok("push", *LOCAL, *JSON).json()

    assert [*faults(built, "fsd/image/v1"), *faults(pushed, "fsd/image/v1")] == []
    assert (built["origin"], built["digest"]) == ("built", "")
    assert built["image"] == f"hello:{built['tag']}"
    assert ran.stdout == "7\n", ran.stderr
    assert (pushed["origin"], again["origin"]) == ("pushed", "reused")
    assert pushed["contentTag"] == built["contentTag"]
    assert pushed["digest"] == again["digest"] != ""


@pytest.mark.docker
@pytest.mark.parametrize("runtime", ["container"], indirect=True)
def test_push__another_image_with_the_tag__is_built_again(
    fsd: Fsd, hello: Path, engine_images: list[str]
) -> None:
    commit(hello, "second")
    fsd.extra["XDG_STATE_HOME"] = str(hello.parent / "state-home")
    built = fsd.ok("build", *LOCAL, *JSON).json()
    name = f"hello:{built['contentTag']}"
    engine_images += [built["image"], name]
    recipe = f"FROM {name}\nLABEL whose=theirs\n"
    subprocess.run(["docker", "build", "-t", name, "-"], input=recipe, text=True, check=True)

    pushed = fsd.ok("push", *LOCAL, *JSON).json()

    assert pushed["origin"] == "built", pushed


@pytest.mark.parametrize("command", ["build", "push"])
def test_command__manifest_with_an_image__nothing_to_build(
    lone: Fsd, hello: Path, command: str
) -> None:
    change(hello / "service.yml", "service:\n", "service:\n  image: nginx:1\n")

    ended = lone.run(command, *LOCAL)

    assert (ended.code, ended.out) == (2, ""), ended.text
    assert "names the image nginx:1" in ended.err
    assert "--context" in ended.err


def test_build__no_engine__says_so_and_names_no_option_that_it_lacks(lone: Fsd) -> None:
    lone.extra["DOCKER_HOST"] = "unix:///nonexistent.sock"

    ended = lone.run("build", *LOCAL)

    assert (ended.code, ended.out) == (5, ""), ended.text
    assert "error[docker-unavailable]" in ended.err
    assert "--image" not in ended.err


def test_build__no_dockerfile__says_where_it_belongs(lone: Fsd, hello: Path) -> None:
    (hello / "Dockerfile").unlink()

    ended = lone.run("build", *LOCAL, *JSON)

    assert ended.code == 5, ended.text
    assert ended.json()["code"] == "dockerfile-missing"
    assert "--image" not in ended.text
