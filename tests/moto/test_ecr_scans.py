"""ECR's scans: basic and enhanced, in pages, and none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.ecr import MANIFEST_TYPES
from fsd.aws.ecr_scans import EcrScans
from fsd.errors import CallFailedError
from fsd.release.image_scan import ScanFinding, ScanResult
from tests.moto.conftest import TestClients

DIGEST, AMD, ARM = (f"sha256:{letter * 64}" for letter in "abc")
ASKED = {"repositoryName": "web", "imageId": {"imageDigest": DIGEST}}
ENDED = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = {**ASKED, "maxResults": 1000}


@pytest.fixture
def scans(clients: TestClients) -> EcrScans:
    return EcrScans(clients=clients)


@pytest.fixture
def aws(stub: Callable[[str], Stubber]) -> Stubber:
    return stub("ecr")


def answer(status: str, findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"imageScanStatus": {"status": status}, "imageScanFindings": findings, **more}


def test_find_scan__basic_in_two_pages__all_of_it_with_its_counts(
    scans: EcrScans, aws: Stubber
) -> None:
    first = {
        "name": "CVE-2026-1",
        "severity": "CRITICAL",
        "attributes": [
            {"key": "package_name", "value": "openssl"},
            {"key": "package_version", "value": "3.0.2"},
        ],
    }
    counts = {"CRITICAL": 1, "UNDEFINED": 1}
    aws.add_response(
        "describe_image_scan_findings",
        answer(
            "COMPLETE",
            {"findings": [first], "findingSeverityCounts": counts, "imageScanCompletedAt": ENDED},
            nextToken="2",
        ),
        PAGE,
    )
    second = {"findings": [{"name": "CVE-2026-2"}], "findingSeverityCounts": counts}
    aws.add_response(
        "describe_image_scan_findings", answer("COMPLETE", second), {**PAGE, "nextToken": "2"}
    )

    assert scans.find_scan("web", DIGEST) == ScanResult(
        status="COMPLETE",
        findings=(
            ScanFinding(name="CVE-2026-1", severity="CRITICAL", package="openssl", version="3.0.2"),
            ScanFinding(name="CVE-2026-2", severity="UNDEFINED"),
        ),
        counts=counts,
        completed_at=ENDED,
    )


def test_find_scan__enhanced__without_what_somebody_has_suppressed(
    scans: EcrScans, aws: Stubber
) -> None:
    def finding(id_: str, status: str, fixed: str) -> dict[str, Any]:
        package = {"name": "zlib", "version": "1.2", "fixedInVersion": fixed}
        details = {"vulnerabilityId": id_, "vulnerablePackages": [package]}
        return {"severity": "HIGH", "status": status, "packageVulnerabilityDetails": details}

    found = {
        "enhancedFindings": [
            finding("CVE-1", "ACTIVE", "1.3"),
            finding("CVE-2", "SUPPRESSED", "1.3"),
            finding("CVE-3", "CLOSED", "1.3"),
            finding("CVE-4", "ACTIVE", "NotAvailable"),
            {"severity": "UNTRIAGED", "title": "a title", "status": "ACTIVE"},
        ],
        "findingSeverityCounts": {"HIGH": 4, "UNTRIAGED": 1},
    }
    aws.add_response("describe_image_scan_findings", answer("ACTIVE", found), PAGE)

    assert scans.find_scan("web", DIGEST) == ScanResult(
        status="ACTIVE",
        findings=(
            ScanFinding(
                name="CVE-1", severity="HIGH", package="zlib", version="1.2", fixed_in="1.3"
            ),
            ScanFinding(name="CVE-4", severity="HIGH", package="zlib", version="1.2"),
            ScanFinding(name="a title", severity="UNTRIAGED"),
        ),
    )


def test_find_scan__none_begun__is_none_and_another_error_is_raised(
    scans: EcrScans, aws: Stubber
) -> None:
    aws.add_client_error("describe_image_scan_findings", "ScanNotFoundException")
    aws.add_client_error("describe_image_scan_findings", "AccessDeniedException", "denied")

    assert scans.find_scan("web", DIGEST) is None
    with pytest.raises(CallFailedError, match="denied"):
        scans.find_scan("web", DIGEST)


@pytest.mark.parametrize("code", ["ValidationException", "LimitExceededException"])
def test_start_scan__inspector_scans_or_too_early__is_waited_for(
    scans: EcrScans, aws: Stubber, code: str
) -> None:
    aws.add_client_error("start_image_scan", code, "This feature is disabled")
    aws.add_response("start_image_scan", {}, ASKED)
    aws.add_client_error("start_image_scan", "AccessDeniedException", "denied")

    refused = ScanResult(status="", why="This feature is disabled")
    assert scans.start_scan("web", DIGEST) == refused
    assert scans.start_scan("web", DIGEST) == ScanResult(status="IN_PROGRESS")
    with pytest.raises(CallFailedError, match="denied"):
        scans.start_scan("web", DIGEST)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UnsupportedImageTypeException", "UNSUPPORTED_IMAGE"),
        ("ImageArchivedException", "IMAGE_ARCHIVED"),
    ],
)
def test_start_scan__image_that_ecr_does_not_scan__is_an_answer_with_its_sentence(
    scans: EcrScans, aws: Stubber, code: str, status: str
) -> None:
    """https://github.com/alexjurkiewicz/ecr-scan-image/issues/43"""
    why = "An artifact with media type 'application/vnd.oci.image.index.v1+json' cannot be scanned."
    aws.add_client_error("start_image_scan", code, why)

    assert scans.start_scan("web", DIGEST) == ScanResult(status=status, why=why)


@pytest.mark.parametrize(
    ("architecture", "found"), [("X86_64", AMD), ("ARM64", ARM), ("none", None)]
)
def test_find_platform__index__the_image_for_that_processor(
    scans: EcrScans, aws: Stubber, architecture: str, found: str | None
) -> None:
    manifests = [
        {"digest": digest, "platform": {"os": system, "architecture": name}}
        for digest, system, name in (
            ("sha256:0", "unknown", "unknown"),
            (AMD, "linux", "amd64"),
            (ARM, "linux", "arm64"),
        )
    ]
    aws.add_response(
        "batch_get_image",
        {"images": [{"imageManifest": json.dumps({"manifests": manifests})}]},
        {
            "repositoryName": "web",
            "imageIds": [{"imageDigest": DIGEST}],
            "acceptedMediaTypes": list(MANIFEST_TYPES),
        },
    )

    assert scans.find_platform("web", DIGEST, architecture=architecture) == found


def test_find_platform__image__is_it(scans: EcrScans, aws: Stubber) -> None:
    aws.add_response("batch_get_image", {"images": [{"imageManifest": '{"layers": []}'}]})

    assert scans.find_platform("web", DIGEST, architecture="ARM64") == DIGEST
