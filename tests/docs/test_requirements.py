"""The exports in requirements/ say what uv.lock says.

They are made by `uv export --frozen --no-emit-project --no-header --format requirements-txt` with
`--no-dev` (action.txt), `--no-dev --extra provenance` (provenance.txt), `--no-dev --all-extras`
(local.txt), `--all-extras --group dev` (dev.txt), `--only-group build` (build.txt),
`--only-group installer` (uv.txt).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)", re.MULTILINE)
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")

Pins = dict[tuple[str, str], frozenset[str]]


def locked_packages() -> list[dict[str, Any]]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages: list[dict[str, Any]] = lock["package"]
    return packages


def locked_pins() -> Pins:
    return {
        (package["name"], package["version"]): frozenset(
            file["hash"] for file in (*package.get("wheels", ()), package.get("sdist")) if file
        )
        for package in locked_packages()
        if package["name"] != "fsd-deploy"
    }


def exported_pins(name: str) -> Pins:
    text = (ROOT / "requirements" / name).read_text()
    starts = [*PIN.finditer(text)]
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        (match["name"], match["version"]): frozenset(HASH.findall(text[match.start() : end]))
        for match, end in zip(starts, ends, strict=True)
    }


def wanted_by_project(*, extras: bool) -> set[str]:
    project = next(p for p in locked_packages() if p["name"] == "fsd-deploy")
    wanted = {dependency["name"] for dependency in project["dependencies"]}
    if extras:
        local = project["optional-dependencies"]["local"]
        wanted |= {dependency["name"] for dependency in local}
    return wanted


@pytest.mark.parametrize(
    "name", ["action.txt", "build.txt", "local.txt", "dev.txt", "provenance.txt", "uv.txt"]
)
def test_requirements__every_pin__is_the_locks_with_all_its_hashes(name: str) -> None:
    locked = locked_pins()

    for pin, hashes in exported_pins(name).items():
        assert hashes == locked[pin], pin


def test_setup__whatever_it_installs__has_a_hash_or_is_this_checkout() -> None:
    script = (ROOT / "scripts" / "setup").read_text().replace("\\\n", " ")
    installs = [
        line for line in script.splitlines() if re.search(r"\binstall\b.*(-r|-e|--editable)", line)
    ]

    assert len(installs) == 4
    for line in installs:
        is_checkout = "--no-deps --no-build-isolation --editable ." in line
        assert is_checkout or "--require-hashes --no-deps -r" in line, line
    assert {name for name, _ in exported_pins("build.txt")} >= {"hatchling", "uv", "editables"}


def test_requirements__dev__has_all_that_is_locked() -> None:
    assert exported_pins("dev.txt").keys() == locked_pins().keys()


@pytest.mark.parametrize(("name", "extras"), [("action.txt", False), ("local.txt", True)])
def test_requirements__others__have_what_the_project_wants(name: str, extras: bool) -> None:
    exported = {name for name, _ in exported_pins(name)}

    assert wanted_by_project(extras=extras) <= exported
    assert "pytest" not in exported
