"""Waiting for a scan: until it ends, not for ever, and not for one that cannot."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fsd.app.image_scan import _ScannedImage, _wait
from fsd.errors import ErrorCode, RefusedError
from fsd.release.image_scan import ScanFinding, ScanResult
from fsd.release.reporter import Silent
from tests.fakes.aws import FakeScans
from tests.fakes.clock import FakeClock

IMAGE = _ScannedImage(repository="web", digest=f"sha256:{'a' * 64}")
DONE, PENDING = ScanResult(status="ACTIVE", is_dated=True), ScanResult(status="PENDING")


def wait(scans: FakeScans, clock: FakeClock) -> ScanResult:
    return _wait(IMAGE, scans, clock=clock, reporter=Silent(), speed=1.0)


def test_wait__scan_that_ended__is_read_once() -> None:
    clock = FakeClock()

    assert wait(FakeScans(results=[DONE]), clock) == DONE
    assert clock.waits == []


@pytest.mark.parametrize("status", ["ACTIVE", "COMPLETE"])
def test_wait__end_without_findings_or_a_date__is_looked_at_again(status: str) -> None:
    """https://github.com/aws/aws-sdk/issues/289, https://github.com/aws/aws-cli/issues/6759"""
    empty, clock = ScanResult(status=status), FakeClock()
    found = ScanResult(status=status, findings=(ScanFinding(name="CVE-1", severity="HIGH"),))

    assert wait(FakeScans(results=[empty, empty, found]), clock) == found
    assert wait(FakeScans(results=[empty]), FakeClock()) == empty
    assert clock.waits == [timedelta(seconds=5)] * 2


def test_wait__nobody_has_begun_one__begins_it_once() -> None:
    scans, clock = FakeScans(results=[None, PENDING, PENDING, DONE]), FakeClock()

    assert wait(scans, clock) == DONE
    assert scans.started == [f"web@{IMAGE.digest}"]
    assert clock.waits == [timedelta(seconds=5)] * 3


@pytest.mark.parametrize("last", [None, PENDING])
def test_wait__no_end_of_it__is_refused_after_a_quarter_of_an_hour(
    last: ScanResult | None,
) -> None:
    clock = FakeClock()

    with pytest.raises(RefusedError, match="after 15 minutes") as caught:
        wait(FakeScans(results=[last]), clock)

    assert caught.value.code is ErrorCode.IMAGE_NOT_SCANNED
    assert sum(clock.waits, timedelta()) == timedelta(minutes=15)


@pytest.mark.parametrize(
    "status", ["FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED", "LIMIT_EXCEEDED"]
)
def test_wait__scan_that_cannot_end__is_refused_at_once_with_ecrs_words(status: str) -> None:
    result = ScanResult(status=status, why="UnsupportedImageError: The operating system is …")
    clock = FakeClock()

    with pytest.raises(RefusedError, match=f"{status}: UnsupportedImageError: The operating"):
        wait(FakeScans(results=[result]), clock)

    assert clock.waits == []
