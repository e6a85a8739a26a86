"""What the commands make of a Service YAML on the disk, beside what loading and linting find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fsd.cli.manifest import check_manifest
from tests.fakes.clock import Unlimited
from tests.unit.spec.manifests import manifest

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
