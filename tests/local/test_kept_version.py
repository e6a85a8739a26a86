"""A commit that changes nothing of a service does not roll it, by the real CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")


@pytest.fixture
def runtime() -> str:
    return "process"


def test_deploy__commit_of_something_else__service_stays_as_it_is(fsd: Fsd, hello: Path) -> None:
    first = fsd.ok(*DEPLOY).json()
    commit(hello, "something else in the repository")

    planned = fsd.run("plan", "--env", "local", "--detailed-exitcode")
    second = fsd.ok(*DEPLOY)
    result = second.json()

    assert planned.code == 0, planned.text
    assert (result["outcome"], result["running"]["version"]) == (
        "unchanged",
        first["release"]["version"],
    )
    assert result["release"]["commit"] != first["release"]["commit"]
    kept = first["release"]["version"]
    said = f"only the version and the commit differ from the running release, so {kept} stays"
    assert said in planned.out
    assert said in result["notes"]

    named = fsd.ok(*DEPLOY, "--version", "v2").json()
    assert (named["outcome"], named["running"]["version"]) == ("succeeded", "v2")
