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
from fsd.errors import ErrorCode, RefusedError
from fsd.manifest import names
from fsd.release.image_scan import ScanFinding, ScanResult, count_severities, find_blocking
from fsd.release.notes import Note, ScanAwaited, ScanPassed
from fsd.release.ports import Clock, ImageScans
from fsd.release.reporter import Reporter

_LONGEST = timedelta(minutes=15)
_SETTLED = timedelta(minutes=2)  # after it, an answer without anything means: nothing was found
_POLL = timedelta(seconds=5)
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScannedImage:
    repository: str
    digest: str  # of the platform's image, where the release takes an index

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest[:19]}…"


def require_scan(
    prepared: Prepared, image: Image, *, clock: Clock, reporter: Reporter
) -> tuple[Note, ...]:
    """What the scan found that the environment lets pass; () where it asks for no scan.

    Raises RefusedError for severe findings, and where there is no scan to go by.
    """
    connection = prepared.connection
    policy = connection.environment.image_scan
    if policy is None:
        return ()
    found = _find_in_ecr(prepared, image)
    if found is None:
        raise RefusedError(
            f"{image.uri} is not in this account's ECR, so that its scan cannot be read",
            where=f"imageScan of {connection.environment.name}",
            fix="push or promote the image to this account's ECR, and deploy that",
            code=ErrorCode.IMAGE_NOT_SCANNED,
        )
    repository, digest = found
    scans = connection.aws.scans
    digest = scans.find_platform(
        repository, digest, architecture=prepared.manifest.service.platform
    )
    scanned = _ScannedImage(repository=repository, digest=digest)
    result = _wait(scanned, scans, clock=clock, reporter=reporter, speed=connection.pace.speed)
    blocking = find_blocking(result, block=policy.block)
    if blocking:
        raise _vulnerable(scanned, blocking, block=policy.block)
    counts = count_severities(result.findings)
    return (ScanPassed(image=str(scanned), block=policy.block, counts=counts),)


def _find_in_ecr(prepared: Prepared, image: Image) -> tuple[str, str] | None:
    """(repository, digest) in this account's registry. The service's own repository is asked for
    first: a role need not be able to read any other."""
    aws = prepared.connection.aws
    own = aws.registry.find_repository(names.repository(prepared.manifest.metadata.name))
    if own is not None and own.uri == image.repository and image.digest:
        return own.name, image.digest
    repository, digest = find_known_image(aws, image.uri) or (None, "")
    return (repository.name, digest) if repository is not None and digest else None


def _wait(
    image: _ScannedImage, scans: ImageScans, *, clock: Clock, reporter: Reporter, speed: float
) -> ScanResult:
    began, is_started = clock.now(), False
    while True:
        result = scans.find_scan(image.repository, image.digest)
        waited = clock.now() - began
        if result is not None and result.is_done:
            if result.says_something or waited >= _SETTLED:
                return result
        elif result is not None and not result.is_running:
            raise _not_scanned(image, f"its scan is {result.status}: {result.why or 'no reason'}")
        if not is_started:
            reporter.note(ScanAwaited(image=str(image)))
            if result is None:
                scans.start_scan(image.repository, image.digest)
            is_started = True
        if waited >= _LONGEST:
            minutes = _LONGEST // timedelta(minutes=1)
            state = f"{result.status} after" if result else "not there after"
            raise _not_scanned(image, f"its scan is {state} {minutes} minutes")
        clock.wait(_POLL / max(1.0, speed))


def _not_scanned(image: _ScannedImage, why: str) -> RefusedError:
    return RefusedError(
        f"ECR has no complete scan of {image}: {why}",
        where=f"imageScan · repository {image.repository}",
        fix="turn on scanning on push for the repository, in ECR under Private registry, Features "
        "& Settings, Scanning, and deploy again",
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
