"""What the commands make of a Service YAML on the disk, beside what loading and linting find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fsd.app.environments import find_environment
from fsd.app.manifest import check_manifest
from fsd.errors import ManifestError
from tests.fakes.clock import Unlimited
from tests.unit.manifest.manifests import manifest

UNKNOWN = manifest(
    dependencies="""
        - type: aws_s3_bucket
          name: ${ENV}-offers
          permissions: [s3:FoldObject]
    """
)


class Clock(Unlimited):
    def __init__(self, year: int) -> None:
        self.year = year

    def now(self) -> datetime:
        return datetime(self.year, 1, 1, tzinfo=UTC)

    def wait(self, duration: timedelta) -> None:
        raise AssertionError(duration)


@pytest.mark.parametrize(("year", "severity"), [(2020, "error"), (2090, "warning")])
def test_check_manifest__action_that_is_not_known__judged_by_the_clock(
    tmp_path: Path, year: int, severity: str
) -> None:
    path = tmp_path / "service.yml"
    path.write_text(UNKNOWN, encoding="utf-8")

    loaded = check_manifest(path, clock=Clock(year))

    found = {each.id: str(each.severity) for each in loaded.findings}
    assert found["unknown-permission"] == severity


ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: production}
"""


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("lcoal", "did you mean `local`? If not, use one of dev, production, local, or add a "),
        ("prodcution", "did you mean `production`? If not, use one of dev, production, local, or "),
        ("DEV", "did you mean `dev`? If not, use one of dev, production, local, or add a "),
        ("nope", "use one of dev, production, local, or add a document for `nope` to the file"),
    ],
)
def test_find_environment__not_in_the_file__refused(tmp_path: Path, name: str, fix: str) -> None:
    file = tmp_path / "environments.yml"
    file.write_text(ENVIRONMENTS, encoding="utf-8")

    with pytest.raises(ManifestError) as caught:
        find_environment(None, name, file=file)

    assert caught.value.code == "unknown-environment"
    assert caught.value.where == str(file)
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize("name", ["lcoal", "loacl", "locl", "locall", "Local", "LOCAL"])
def test_find_environment__no_file_and_almost_local__refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ManifestError, match=f"there is no environment `{name}`") as caught:
        find_environment(None, name)

    assert caught.value.fix == (
        f"did you mean `local`? If not, write a document for `{name}` in .fsd/environments.yml"
    )


@pytest.mark.parametrize("name", ["dev", "local", "local2", "local-anna", "nope"])
def test_find_environment__no_file__any_other_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert find_environment(None, name).name == name
