"""Waiting for a scan: until it ends, not for ever, and not for one that cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fsd.app.image_scan import _as_it_is, _find_scanned, _ScannedImage, _ScanWait
from fsd.errors import ErrorCode, RefusedError
from fsd.release.image_scan import ScanFinding, ScanResult
from fsd.release.notes import ScanAhead, ScanPassed
from fsd.release.reporter import Silent
from tests.fakes.aws import FakeScans
from tests.fakes.clock import FakeClock

IMAGE = _ScannedImage(repository="web", digest=f"sha256:{'a' * 64}")
DONE = ScanResult(status="ACTIVE", completed_at=datetime(2026, 11, 22, tzinfo=UTC))
PENDING = ScanResult(status="PENDING")
QUARTER = timedelta(minutes=15)
DISABLED = ScanResult(status="", why="This feature is disabled")


def wait(scans: FakeScans, clock: FakeClock, longest: timedelta = QUARTER) -> ScanResult:
    waiting = _ScanWait(image=IMAGE, scans=scans, clock=clock, reporter=Silent(), longest=longest)
    return waiting.find_result()


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

    with pytest.raises(RefusedError, match="after 15m00s") as caught:
        wait(FakeScans(results=[last]), clock)

    assert caught.value.code is ErrorCode.IMAGE_NOT_SCANNED
    assert sum(clock.waits, timedelta()) == QUARTER
    assert caught.value.fix.startswith("deploy again when the scan has ended")


@pytest.mark.parametrize("last", [None, PENDING, ScanResult(status="ACTIVE")])
def test_wait__shorter_time_limit__is_not_waited_past(last: ScanResult | None) -> None:
    clock, minute = FakeClock(), timedelta(minutes=1)

    if last is None or last.is_running:
        with pytest.raises(RefusedError, match="after 1m00s"):
            wait(FakeScans(results=[last]), clock, minute)
    else:
        assert wait(FakeScans(results=[last]), clock, minute) == last

    assert sum(clock.waits, timedelta()) == minute


def test_wait__inspector_does_not_take_it_up__is_refused_with_ecrs_sentence() -> None:
    """https://github.com/alexjurkiewicz/ecr-scan-image/issues/44"""
    clock = FakeClock()

    with pytest.raises(RefusedError, match=r"in 5m00s.*: This feature is disabled") as caught:
        wait(FakeScans(results=[None], start=DISABLED), clock)

    assert caught.value.fix.startswith("turn on scanning on push for the repository")
    assert sum(clock.waits, timedelta()) == timedelta(minutes=5)


def test_wait__inspector_begins_late__is_waited_for() -> None:
    scans = FakeScans(results=[*[None] * 40, PENDING, DONE], start=DISABLED)

    assert wait(scans, FakeClock()) == DONE
    assert len(scans.started) == 1


FIXES = {
    "UNSUPPORTED_IMAGE": "build on a base image whose operating system ECR scans",
    "SCAN_ELIGIBILITY_EXPIRED": "build and deploy a new image",
    "FINDINGS_UNAVAILABLE": "check in Amazon Inspector",
    "LIMIT_EXCEEDED": "deploy again when ECR's quota has room",
    "IMAGE_ARCHIVED": "restore the image, and deploy again: aws ecr update-image-storage-class "
    f"--repository-name web --image-id imageDigest={IMAGE.digest} --target-storage-class STANDARD",
    "SOMETHING_NEW": "turn on scanning on push for the repository",
}


@pytest.mark.parametrize("status", FIXES)
def test_wait__scan_that_cannot_end__is_refused_at_once_with_ecrs_words(status: str) -> None:
    result = ScanResult(status=status, why="UnsupportedImageError: The operating system is …")
    clock, scans = FakeClock(), FakeScans(results=[result])

    with pytest.raises(RefusedError, match=f"{status}: UnsupportedImageError: The op") as caught:
        wait(scans, clock)

    assert caught.value.fix.startswith(FIXES[status])
    assert (clock.waits, scans.started) == ([], [])


@pytest.mark.parametrize("status", ["UNSUPPORTED_IMAGE", "IMAGE_ARCHIVED"])
def test_wait__start_says_that_ecr_does_not_scan_it__is_refused_at_once(status: str) -> None:
    clock, start = FakeClock(), ScanResult(status=status, why="An artifact with media type …")

    with pytest.raises(RefusedError, match=f"is {status}: An artifact with media type …") as caught:
        wait(FakeScans(results=[None], start=start), clock)

    assert caught.value.code is ErrorCode.IMAGE_NOT_SCANNED
    assert caught.value.fix.startswith(FIXES[status])
    assert clock.waits == []


def test_wait__failed_scan__is_started_once_more() -> None:
    failed = ScanResult(status="FAILED", why="no layer")
    scans = FakeScans(results=[failed, PENDING, DONE])

    assert wait(scans, FakeClock()) == DONE
    assert scans.started == [f"web@{IMAGE.digest}"]
    with pytest.raises(RefusedError) as caught:
        wait(FakeScans(results=[failed]), FakeClock())
    assert caught.value.what.endswith("its scan is FAILED: no layer")


def test_wait__failed_scan_that_ecr_does_not_start_again__is_refused_with_both_sentences() -> None:
    failed, clock = ScanResult(status="FAILED", why="no layer"), FakeClock()

    with pytest.raises(RefusedError) as caught:
        wait(FakeScans(results=[failed], start=DISABLED), clock)

    said = "FAILED: no layer. ECR did not start another: This feature is disabled"
    assert caught.value.what.endswith(said)
    assert clock.waits == []


@pytest.mark.parametrize(
    "result",
    [
        None,
        ScanResult(status=""),
        PENDING,
        ScanResult(status="FAILED"),
        ScanResult(status="ACTIVE"),
    ],
    ids=["none", "unnamed", "pending", "failed", "empty"],
)
def test_as_it_is__scan_that_a_deployment_waits_for__is_told(result: ScanResult | None) -> None:
    status = result.status if result else ""

    assert _as_it_is(IMAGE, result, block="high") == ScanAhead(image=str(IMAGE), status=status)


def test_as_it_is__scan_that_ended_or_cannot__ends_as_the_deployment_does() -> None:
    found = replace(DONE, findings=(ScanFinding(name="CVE-1", severity="HIGH"),))

    assert isinstance(_as_it_is(IMAGE, DONE, block="high"), ScanPassed)
    assert isinstance(_as_it_is(IMAGE, found, block="critical"), ScanPassed)
    with pytest.raises(RefusedError, match="found 1 HIGH: CVE-1") as severe:
        _as_it_is(IMAGE, found, block="high")
    with pytest.raises(RefusedError, match="its scan is UNSUPPORTED_IMAGE: scratch") as never:
        _as_it_is(IMAGE, ScanResult(status="UNSUPPORTED_IMAGE", why="scratch"), block="high")
    assert severe.value.code is ErrorCode.IMAGE_VULNERABLE
    assert never.value.code is ErrorCode.IMAGE_NOT_SCANNED


class _OtherIndex(FakeScans):
    """An index that has no image for the service's processor."""

    def find_platform(self, repository: str, digest: str, *, architecture: str) -> None:
        del repository, digest, architecture


def test_find_scanned__index_without_the_platform__is_refused() -> None:
    with pytest.raises(RefusedError, match="without an image for linux and ARM64") as caught:
        _find_scanned(_OtherIndex(), "web", IMAGE.digest, "ARM64")

    assert caught.value.code is ErrorCode.IMAGE_NOT_SCANNED
    assert _find_scanned(FakeScans(), "web", IMAGE.digest, "ARM64") == IMAGE
