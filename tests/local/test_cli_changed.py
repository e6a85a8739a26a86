"""`fsd changed`: which services a deployment would change, and the matrix for a workflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.json_documents import faults
from tests.local.cli import HELLO, Fsd
from tests.local.conftest import SPEED, commit

CHANGED = ("changed", "--env", "local", "services", "--format")
NAMES = ("api", "web")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def add_service(folder: Path, name: str) -> None:
    shutil.copytree(HELLO, folder)
    change(folder / "service.yml", "name: hello", f"name: {name}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two services, and files that are none."""
    folder = tmp_path / "repository"
    for name in NAMES:
        add_service(folder / "services" / name, name)
    (folder / "services" / "compose.yml").write_text("services: {}\n")
    commit(folder, "first")
    return folder


@pytest.fixture
def fsd(tmp_path: Path, repository: Path) -> Iterator[Fsd]:
    client = Fsd(state=tmp_path / "state", cwd=repository)
    client.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        yield client
    finally:
        client.ok("local", "down")


def why(fsd: Fsd) -> dict[str, str]:
    document: dict[str, Any] = fsd.ok(*CHANGED, "json").json()
    assert [*faults(document, "fsd/changed/v1")] == []
    assert [one["file"] for one in document["services"]] == [
        f"services/{one['service']}/service.yml" for one in document["services"]
    ]
    return {one["service"]: one["why"] for one in document["services"]}


def matrix(fsd: Fsd) -> list[str]:
    out = fsd.ok(*CHANGED, "github-matrix").out
    assert out.count("\n") == 1
    return [entry["service"] for entry in json.loads(out)["include"]]


def test_changed__from_first_release_to_each_change__what_a_deployment_would_do(
    fsd: Fsd, repository: Path
) -> None:
    api, web = (repository / "services" / name for name in NAMES)
    assert why(fsd) == {"api": "new", "web": "new"}
    for name in NAMES:
        fsd.ok("deploy", "--env", "local", "--file", f"services/{name}/service.yml")

    commit(repository, "a commit alone, and so another ${VERSION}, is no change")
    change(api / "service.yml", "metadata:", "# a comment\nmetadata:")
    assert why(fsd) == {"api": "", "web": ""}
    assert fsd.ok(*CHANGED, "github-matrix").out == '{"include":[]}\n'

    change(web / "Dockerfile", "FROM", "# another\nFROM")
    assert why(fsd) == {"api": "", "web": "image"}
    assert matrix(fsd) == ["web"]

    change(api / "service.yml", "  deployment:", "  stopTimeout: 12\n  deployment:")
    assert why(fsd) == {"api": "settings", "web": "image"}
    assert fsd.ok(*CHANGED, "terminal").out == (
        "2 of 2 services changed in local\n"
        "  api  settings  services/api/service.yml\n"
        "  web  image     services/web/service.yml\n"
    )


def test_changed__one_service_is_not_valid__no_matrix_without_it(
    fsd: Fsd, repository: Path
) -> None:
    change(repository / "services" / "web" / "service.yml", "service:\n", "service:\n  cpuu: 1\n")

    ended = fsd.run(*CHANGED, "github-matrix")

    assert (ended.code, ended.out) == (3, ""), ended.text
    assert "services/web/service.yml" in ended.err


def test_changed__two_manifests_of_one_service__refused(fsd: Fsd, repository: Path) -> None:
    change(repository / "services" / "web" / "service.yml", "name: web", "name: api")

    ended = fsd.run(*CHANGED, "github-matrix")

    assert (ended.code, ended.out) == (2, ""), ended.text
    assert "are both of the service api" in ended.err


@pytest.mark.parametrize(
    "folder", ["a\nmatrix=evil", "$(touch canary)", "::set-output name=x::y", "\u202eabc", "[a]*"]
)
def test_changed__folder_with_an_odd_name__one_line_that_says_it_exactly(
    fsd: Fsd, repository: Path, folder: str
) -> None:
    odd = repository / "odd" / folder
    shutil.copytree(repository / "services" / "api", odd)

    out = fsd.ok("changed", "--env", "local", "odd", "--format", "github-matrix").out
    shown = fsd.ok("changed", "--env", "local", "odd").out

    (entry,) = json.loads(out)["include"]
    assert entry["file"] == f"odd/{folder}/service.yml"
    assert out.isascii()
    assert out.count("\n") == 1
    assert all(line.isprintable() for line in shown.split("\n"))
    assert len(shown.split("\n")) == 3
    assert not (repository / "canary").exists()


def test_changed__link_out_of_the_checkout__refused_unread(fsd: Fsd, repository: Path) -> None:
    outside = repository.parent / "outside.yml"
    outside.write_text("apiVersion: fsd/v1\nsecret: 1\n")
    (repository / "services" / "link.yml").symlink_to(outside)

    ended = fsd.run(*CHANGED, "github-matrix")

    assert (ended.code, ended.out) == (4, ""), ended.text
    assert "error[outside-checkout]" in ended.err


def test_changed__no_embedded_aws__says_so(repository: Path, tmp_path: Path) -> None:
    ended = Fsd(state=tmp_path / "none", cwd=repository).run(*CHANGED, "github-matrix")

    assert (ended.code, ended.out) == (5, ""), ended.text
    assert "error[local-not-running]" in ended.err
