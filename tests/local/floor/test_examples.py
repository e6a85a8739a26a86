"""The example services: each loads, has no finding, and is deployed to the embedded AWS."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.cli import ROOT, Fsd
from tests.local.conftest import commit

EXAMPLES = ROOT / "examples" / "services"
NAMES = ("public-web", "internal-api", "queue-worker", "web-with-migration")
JOBS = ("scheduled-job",)  # deployed in test_jobs.py
DEPLOY = ("deploy", "--env", "local", "--format", "json")


@pytest.mark.parametrize("name", [*NAMES, *JOBS])
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_example__validate__finds_nothing_wrong(name: str, env: str, tmp_path: Path) -> None:
    fsd = Fsd(state=tmp_path / "state", cwd=EXAMPLES / name)

    ended = fsd.ok("validate", "--file", "service.yml", "--env", env, "--format", "json")

    assert ended.json()["errors"] == 0, ended.text


@pytest.fixture
def example(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fsd]:
    """The example of the test's parameter, with an embedded AWS that runs processes."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLES / request.param, folder)
    commit(folder, "first")
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    fsd.ok("local", "up", "--runtime", "process", "--speed", "40")
    try:
        yield fsd
    finally:
        fsd.ok("local", "down")


@pytest.mark.parametrize("example", NAMES[:3], indirect=True, ids=NAMES[:3])
def test_example__deploy__succeeds_and_is_unchanged_after_it(example: Fsd) -> None:
    first, second = example.ok(*DEPLOY), example.ok(*DEPLOY)

    assert first.json()["outcome"] == "succeeded"
    assert second.json()["outcome"] == "unchanged"


@pytest.mark.parametrize("example", NAMES[3:], indirect=True, ids=NAMES[3:])
def test_migration__fails_once__nothing_changed_and_the_next_one_goes_on(example: Fsd) -> None:
    first = example.ok(*DEPLOY, "--version", "v1")
    (service,) = example.status()["services"]
    broken = example.run(
        *DEPLOY, "--version", "v2", "--override", "environment.EXTRA_MIGRATION=DROP TABLE absent"
    )
    after = urllib.request.urlopen(service["urls"][-1], timeout=10).read()
    good = example.ok(*DEPLOY, "--version", "v3", "--override", "environment.COLOUR=blue")

    assert "migration 2 done" in first.err
    assert broken.code == 6, broken.text
    assert "no such table: absent" in broken.out
    assert broken.json()["running"]["version"] == "v1"
    assert after == b"0 notes\n"
    assert good.json()["running"]["version"] == "v3"
