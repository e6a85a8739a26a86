"""ECR's scans of images: basic, and enhanced by Amazon Inspector.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fsd.aws.ecr import get_manifests
from fsd.aws.errors import aws_code, aws_message, call
from fsd.aws.session import Clients
from fsd.errors import CallFailedError
from fsd.release.image_scan import ScanFinding, ScanResult

_PAGE = 1000
# Of a finding that counts. Somebody has accepted a suppressed one, and a closed one is gone.
# https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html
_OPEN = ("", "ACTIVE")
# StartImageScan's refusals, as the status that DescribeImageScanFindings has for the same. "" is
# for one that says nothing of the image: Inspector scans (ValidationException: "This feature is
# disabled"), or it is too early for another scan.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartImageScan.html
_REFUSED = {
    "ValidationException": "",
    "LimitExceededException": "",
    "UnsupportedImageTypeException": "UNSUPPORTED_IMAGE",
    "ImageArchivedException": "IMAGE_ARCHIVED",
}
_DOCKERS_NAME = {"X86_64": "amd64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrScans:
    """`fsd.release.ports.ImageScans`."""

    clients: Clients

    def find_platform(self, repository: str, digest: str, *, architecture: str) -> str | None:
        """ECR scans images, and not the index that names one for each platform."""
        answer = get_manifests(self._client, repository, digest)
        images = answer.get("images", [])
        wanted = _DOCKERS_NAME.get(architecture, architecture)
        manifest = _tree(images[0].get("imageManifest", "")) if images else {}
        if "manifests" not in manifest:
            return digest
        for one in manifest["manifests"] or []:
            platform = one.get("platform") or {}
            if platform.get("os") == "linux" and platform.get("architecture") == wanted:
                return str(one["digest"])
        return None

    def find_scan(self, repository: str, digest: str) -> ScanResult | None:
        found = ScanResult(status="")
        token: dict[str, str] = {}
        while True:
            try:
                answer = call(
                    self._client,
                    "describe_image_scan_findings",
                    f"{repository}@{digest}",
                    repositoryName=repository,
                    imageId={"imageDigest": digest},
                    maxResults=_PAGE,
                    **token,
                )
            except CallFailedError as error:
                if aws_code(error) == "ScanNotFoundException":
                    return None
                raise
            found = _joined(found, answer)
            if not answer.get("nextToken"):
                return found
            token = {"nextToken": answer["nextToken"]}

    def start_scan(self, repository: str, digest: str) -> ScanResult:
        try:
            answer = call(
                self._client,
                "start_image_scan",
                f"{repository}@{digest}",
                repositoryName=repository,
                imageId={"imageDigest": digest},
            )
        except CallFailedError as error:
            status = _REFUSED.get(aws_code(error))
            if status is None:
                raise
            return ScanResult(status=status, why=aws_message(error) or aws_code(error))
        said = answer.get("imageScanStatus") or {}
        return ScanResult(status=str(said.get("status") or "IN_PROGRESS"))

    @property
    def _client(self) -> Any:
        return self.clients.client("ecr")


def _joined(before: ScanResult, answer: Mapping[str, Any]) -> ScanResult:
    """With one more page of the answer."""
    status = answer.get("imageScanStatus") or {}
    page = answer.get("imageScanFindings") or {}
    enhanced = page.get("enhancedFindings") or []
    counts = {} if enhanced or before.findings else page.get("findingSeverityCounts") or {}
    return ScanResult(
        status=str(status.get("status", "")),
        why=str(status.get("description", "")),
        findings=(
            *before.findings,
            *(_basic(one) for one in page.get("findings") or []),
            *_enhanced(enhanced),
        ),
        counts={**before.counts, **counts},
        completed_at=before.completed_at or page.get("imageScanCompletedAt"),
    )


def _basic(finding: Mapping[str, Any]) -> ScanFinding:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFinding.html"""
    attributes = {one.get("key"): one.get("value", "") for one in finding.get("attributes") or []}
    return ScanFinding(
        name=str(finding.get("name", "")),
        severity=str(finding.get("severity", "UNDEFINED")),
        package=attributes.get("package_name", ""),
        version=attributes.get("package_version", ""),
    )


def _enhanced(findings: list[Mapping[str, Any]]) -> Iterator[ScanFinding]:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EnhancedImageScanFinding.html"""
    for finding in findings:
        if finding.get("status", "") not in _OPEN:
            continue
        details = finding.get("packageVulnerabilityDetails") or {}
        package: Mapping[str, Any] = next(iter(details.get("vulnerablePackages") or []), {})
        fixed = str(package.get("fixedInVersion", ""))
        yield ScanFinding(
            name=str(details.get("vulnerabilityId") or finding.get("title", "")),
            severity=str(finding.get("severity", "UNTRIAGED")),
            package=str(package.get("name", "")),
            version=str(package.get("version", "")),
            fixed_in="" if fixed == "NotAvailable" else fixed,
        )


def _tree(text: str) -> Mapping[str, Any]:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}
