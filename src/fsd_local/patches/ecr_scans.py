"""ECR's scans of images. Nothing is scanned here: a scan finds what was planted, else nothing.

As on AWS a scan is begun by a push where the repository says so, or by StartImageScan; a planted
one has begun already.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.services import ecr

from fsd_local.patches.scope import current, json_answer, json_error, read_parameters

_RUNNING = ("IN_PROGRESS", "PENDING")


@dataclass(slots=True, kw_only=True)
class PlantedScan:
    """`statuses` are said one after another; the last one stays."""

    statuses: list[str]
    description: str = ""
    findings: Sequence[Mapping[str, Any]] = ()  # as ECR's answer has them
    is_enhanced: bool = False

    def next_status(self) -> str:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


class PlantedScans:
    """The scans of every account and Region. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By account, Region and repository: of each image that it has or gets.
        self._planted: dict[tuple[str, str, str], PlantedScan] = {}
        self._begun: dict[tuple[str, str, str, str], PlantedScan] = {}  # by digest

    def plant(self, scan: PlantedScan, *, account: str, region: str, repository: str) -> None:
        with self._lock:
            self._planted[account, region, repository] = scan

    def reset(self) -> None:
        with self._lock:
            self._planted.clear()
            self._begun.clear()

    def describe(self, parameters: Mapping[str, Any]) -> Any:
        """DescribeImageScanFindings, in one page."""
        repository, wanted = parameters.get("repositoryName", ""), parameters.get("imageId") or {}
        image = _find(repository, wanted)
        if not isinstance(image, dict):
            return image
        digest = image["imageDigest"]
        with self._lock:
            scan = self._scan(repository, digest)
            status = scan.next_status() if scan else ""
        if scan is None:
            return json_error(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{{imageDigest:'{digest}'}}' in the "
                f"repository with name '{repository}' in the registry with id '{current()[0]}'",
            )
        is_done = status not in _RUNNING
        answer = {
            "registryId": current()[0],
            "repositoryName": repository,
            "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": status, "description": scan.description},
            **({"imageScanFindings": _findings(scan)} if is_done else {}),
        }
        return json_answer(answer)

    def start(self, parameters: Mapping[str, Any]) -> Any:
        """StartImageScan."""
        repository, wanted = parameters.get("repositoryName", ""), parameters.get("imageId") or {}
        image = _find(repository, wanted)
        if not isinstance(image, dict):
            return image
        digest = image["imageDigest"]
        with self._lock:
            if self._scan(repository, digest) is not None:
                return json_error(
                    "LimitExceededException",
                    "The scan quota per image has been exceeded. Wait and try again.",
                )
            begun = PlantedScan(statuses=["IN_PROGRESS", "COMPLETE"])
            self._begun[*current(), repository, digest] = begun
        answer = {
            "registryId": current()[0],
            "repositoryName": repository,
            "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": "IN_PROGRESS"},
        }
        return json_answer(answer)

    def _scan(self, repository: str, digest: str) -> PlantedScan | None:
        planted = self._planted.get((*current(), repository))
        begun = self._begun.get((*current(), repository, digest))
        if planted is not None or begun is not None:
            return planted or begun
        settings = ecr._repositories[repository].get("imageScanningConfiguration") or {}
        return PlantedScan(statuses=["COMPLETE"]) if settings.get("scanOnPush") else None


def mount(scans: PlantedScans) -> None:
    """MiniStack's ECR does not know the two actions."""
    calls = {"DescribeImageScanFindings": scans.describe, "StartImageScan": scans.start}
    before = ecr.handle_request

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        call = calls.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if call is None:
            return await before(method, path, headers, body, query_params)
        parameters = read_parameters(body)
        return call(parameters) if isinstance(parameters, dict) else parameters

    ecr.handle_request = handle_request


def _find(repository: str, wanted: Mapping[str, Any]) -> Any:
    """The image, or the answer that there is none."""
    if repository not in ecr._repositories:
        return json_error(
            "RepositoryNotFoundException",
            f"The repository with name '{repository}' does not exist in the registry with id "
            f"'{current()[0]}'",
        )
    found = ecr._find_image(repository, wanted)
    if found is not None:
        return found
    return json_error(
        "ImageNotFoundException",
        f"The image with imageId {dict(wanted)} does not exist within the repository with name "
        f"'{repository}' in the registry with id '{current()[0]}'",
    )


def _findings(scan: PlantedScan) -> dict[str, Any]:
    counts = Counter(str(one.get("severity", "UNDEFINED")) for one in scan.findings)
    kind = "enhancedFindings" if scan.is_enhanced else "findings"
    return {
        "imageScanCompletedAt": int(time.time()),
        kind: [*scan.findings],
        "findingSeverityCounts": dict(counts),
    }
