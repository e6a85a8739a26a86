"""The policy `imageScan`: an environment takes only an image that ECR has scanned.

What cannot be shown is refused: an image of another registry, and a scan that does not end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fsd.app.deployment import Prepared
from fsd.app.image import find_known_image
from fsd.compile.desired import Image
from fsd.durations import duration_text
from fsd.errors import ErrorCode, RefusedError
from fsd.manifest import names
from fsd.release.image_scan import (
    ScanFinding,
    ScanResult,
    count_severities,
    find_blocking,
    find_unrated,
)
from fsd.release.notes import Note, ScanAhead, ScanAwaited, ScanPassed
from fsd.release.ports import Clock, ImageScans
from fsd.release.reporter import Reporter

_LONGEST = timedelta(minutes=15)
_SETTLED = timedelta(minutes=2)  # after it, an answer without anything means: nothing was found
_UNSTARTED = timedelta(minutes=5)  # after it, a scan that ECR did not start is not Inspector's
_POLL = timedelta(seconds=5)
_SHOWN = 5
_TURN_ON = (
    "turn on scanning on push for the repository, in ECR under Private registry, Features & "
    "Settings, Scanning, and deploy again"
)
# By ECR's status, where turning on scanning would not help. Inspector does not take up an image
# again whose time has expired, also where its re-scan duration is longer now.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-troubleshooting.html
# https://docs.aws.amazon.com/inspector/latest/user/scanning_resources_configure_duration_setting_ecr.html
_FIXES = {
    "FAILED": "correct what ECR names, and deploy a new image; ECR scans an image once in 24 hours",
    "UNSUPPORTED_IMAGE": "build on a base image whose operating system ECR scans, not on scratch: "
    "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-troubleshooting.html",
    "SCAN_ELIGIBILITY_EXPIRED": "build and deploy a new image; for later ones, set a longer ECR "
    "re-scan duration in Amazon Inspector's settings",
    "FINDINGS_UNAVAILABLE": "check in Amazon Inspector, under Account management, that it scans "
    "ECR in this account, and deploy again",
    "LIMIT_EXCEEDED": "deploy again when ECR's quota has room: ECR scans an image once in 24 hours",
    "IMAGE_ARCHIVED": "restore the image, and deploy again: aws ecr update-image-storage-class "
    "--repository-name {repository} --image-id imageDigest={digest} "
    "--target-storage-class STANDARD",
    "PENDING": "deploy again when the scan has ended; if it does not, check in Amazon Inspector, "
    "under Account management, that it covers the repository",
    "IN_PROGRESS": "deploy again when the scan has ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScannedImage:
    repository: str
    digest: str  # of the platform's image, where the release takes an index

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest[:19]}…"


def require_scan(
    prepared: Prepared,
    image: Image,
    *,
    timeout: timedelta | None,
    clock: Clock,
    reporter: Reporter,
) -> tuple[Note, ...]:
    """What the scan found that the environment lets pass; () where it asks for no scan.

    It waits 15 minutes for a scan, or `timeout` where that is shorter. Raises RefusedError for
    severe findings, and where there is no scan to go by.
    """
    connection = prepared.connection
    policy = connection.environment.image_scan
    if policy is None:
        return ()
    scanned = _require_in_ecr(prepared, image)
    result = _ScanWait(
        image=scanned,
        scans=connection.aws.scans,
        clock=clock,
        reporter=reporter,
        longest=_LONGEST if timeout is None else min(_LONGEST, timeout),
        speed=connection.pace.speed,
    ).find_result()
    return (_require_clean(scanned, result, block=policy.block),)


def check_scan(prepared: Prepared, image: Image, *, is_yet_to_come: bool) -> tuple[Note, ...]:
    """What `require_scan` would say by what ECR knows now, for a plan: it looks once, begins no
    scan and waits for none. An image that is yet to come is to be built, or copied from elsewhere.

    Raises as `require_scan` does, where no wait could change the answer.
    """
    policy = prepared.connection.environment.image_scan
    if policy is None:
        return ()
    if is_yet_to_come:
        return (ScanAhead(image=image.uri),)
    scanned = _require_in_ecr(prepared, image)
    result = prepared.connection.aws.scans.find_scan(scanned.repository, scanned.digest)
    return (_as_it_is(scanned, result, block=policy.block),)


def _as_it_is(scanned: _ScannedImage, result: ScanResult | None, *, block: str) -> Note:
    if result is None or not result.status or result.is_running or result.has_failed:
        return ScanAhead(image=str(scanned), status=result.status if result else "")
    if not result.is_done:
        raise _not_possible(scanned, result)
    if not result.says_something:
        return ScanAhead(image=str(scanned), status=result.status)
    return _require_clean(scanned, result, block=block)


def _require_in_ecr(prepared: Prepared, image: Image) -> _ScannedImage:
    connection = prepared.connection
    found = _find_in_ecr(prepared, image)
    if found is None:
        raise RefusedError(
            f"{image.uri} is not in this account's ECR, so that its scan cannot be read",
            where=f"imageScan of {connection.environment.name}",
            fix="push or promote the image to this account's ECR, and deploy that",
            code=ErrorCode.IMAGE_NOT_SCANNED,
        )
    repository, digest = found
    platform = prepared.manifest.service.platform
    return _find_scanned(connection.aws.scans, repository, digest, platform)


def _require_clean(scanned: _ScannedImage, result: ScanResult, *, block: str) -> ScanPassed:
    blocking = find_blocking(result, block=block)
    if blocking:
        raise _vulnerable(scanned, blocking, block=block)
    return ScanPassed(
        image=str(scanned),
        block=block,
        counts=count_severities(result.findings, result.counts),
        unrated=find_unrated(result),
        completed_at=result.completed_at,
    )


def _find_scanned(
    scans: ImageScans, repository: str, digest: str, architecture: str
) -> _ScannedImage:
    """The image that will run: the platform's, of an index."""
    found = scans.find_platform(repository, digest, architecture=architecture)
    image = _ScannedImage(repository=repository, digest=found or digest)
    if found is None:
        raise RefusedError(
            f"{image} is an index without an image for linux and {architecture}, so that there is "
            "no scan of what would run",
            where=f"imageScan · repository {repository}",
            fix="build the image for the processor of service.platform, or set service.platform to "
            "one that the index has",
            code=ErrorCode.IMAGE_NOT_SCANNED,
        )
    return image


def _find_in_ecr(prepared: Prepared, image: Image) -> tuple[str, str] | None:
    """(repository, digest) in this account's registry. The service's own repository is asked for
    first: a role need not be able to read any other."""
    aws = prepared.connection.aws
    own = aws.registry.find_repository(names.repository(prepared.manifest.metadata.name))
    if own is not None and own.uri == image.repository and image.digest:
        return own.name, image.digest
    repository, digest = find_known_image(aws, image.uri) or (None, "")
    return (repository.name, digest) if repository is not None and digest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScanWait:
    image: _ScannedImage
    scans: ImageScans
    clock: Clock
    reporter: Reporter
    longest: timedelta
    speed: float = 1.0

    def find_result(self) -> ScanResult:
        """Raises RefusedError where the scan cannot end, or does not in time."""
        began = self.clock.now()
        start: ScanResult | None = None
        is_told = False
        while True:
            found = self.scans.find_scan(self.image.repository, self.image.digest)
            waited = self.clock.now() - began
            settled = min(_SETTLED, self.longest)
            if found and found.is_done and (found.says_something or waited >= settled):
                return found
            if start is None and (found is None or found.has_failed):
                start = self.scans.start_scan(self.image.repository, self.image.digest)
                found = start if start.is_running else found
            self._require_going_on(found, start, waited=waited)
            if not is_told:
                self.reporter.note(ScanAwaited(image=str(self.image)))
                is_told = True
            self.clock.wait(_POLL / max(1.0, self.speed))

    def _require_going_on(
        self, found: ScanResult | None, start: ScanResult | None, *, waited: timedelta
    ) -> None:
        state = found or start or ScanResult(status="")
        refusal = start.why if start else ""
        if state.status and not state.is_running and not state.is_done:
            raise _not_possible(self.image, state, refusal=refusal if state is not start else "")
        late = duration_text(waited)
        if not state.status and waited >= min(_UNSTARTED, self.longest):
            why = f"nothing started one in {late}. StartImageScan said: {refusal or 'nothing'}"
            raise _not_scanned(self.image, why)
        if waited >= self.longest:
            why = f"its scan is {state.status} after {late}"
            raise _not_scanned(self.image, why, status=state.status)


def _not_possible(image: _ScannedImage, state: ScanResult, *, refusal: str = "") -> RefusedError:
    why = f"its scan is {state.status}: {state.why or 'no reason'}"
    if refusal:
        why += f". ECR did not start another: {refusal}"
    return _not_scanned(image, why, status=state.status)


def _not_scanned(image: _ScannedImage, why: str, *, status: str = "") -> RefusedError:
    fix = _FIXES.get(status, _TURN_ON)
    return RefusedError(
        f"ECR has no complete scan of {image}: {why}",
        where=f"imageScan · repository {image.repository}",
        fix=fix.format(repository=image.repository, digest=image.digest),
        code=ErrorCode.IMAGE_NOT_SCANNED,
    )


def _vulnerable(
    image: _ScannedImage, blocking: Sequence[ScanFinding], *, block: str
) -> RefusedError:
    counts = ", ".join(f"{count} {severity}" for severity, count in count_severities(blocking))
    named = [_described(one) for one in blocking if one.name]
    more = len(blocking) - len(named[:_SHOWN])
    shown = "; ".join([*named[:_SHOWN], *([f"and {more} more"] if more else [])])
    fixed = sorted({f"{one.package} {one.fixed_in}" for one in blocking if one.fixed_in})
    update = (
        f"update to {', '.join(fixed[:_SHOWN])}"
        if fixed
        else "update the base image or the packages"
    )
    return RefusedError(
        f"ECR's scan of {image} found {counts}: {shown}",
        where=f"imageScan.block: {block} · repository {image.repository}",
        fix=f"{update}, and deploy the new image",
        code=ErrorCode.IMAGE_VULNERABLE,
    )


def _described(finding: ScanFinding) -> str:
    """`CVE-2026-1 (CRITICAL, openssl 3.0.2, fixed in 3.0.9)`."""
    package = f"{finding.package} {finding.version}".strip()
    fixed = f"fixed in {finding.fixed_in}" if finding.fixed_in else ""
    return f"{finding.name} ({', '.join(filter(None, (finding.severity, package, fixed)))})"
