"""What ECR's scan of an image says, and whether an environment takes the image. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

# From the mildest to the worst. Of UNDEFINED and UNTRIAGED nobody knows how bad they are.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFindings.html
_SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_RUNNING = frozenset({"IN_PROGRESS", "PENDING"})
# ACTIVE: Amazon Inspector has scanned it, and goes on scanning.
_DONE = frozenset({"COMPLETE", "ACTIVE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFinding:
    name: str  # CVE-2026-1234
    severity: str
    package: str = ""
    version: str = ""  # of the package
    fixed_in: str = ""  # "" where ECR does not say

    @property
    def rank(self) -> int:
        return _SEVERITIES.index(self.severity) if self.severity in _SEVERITIES else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """`counts` are ECR's own, by severity: of basic scanning, which suppresses nothing."""

    status: str  # ECR's word for it; "" where it did not begin one
    why: str = ""  # and its sentence
    findings: tuple[ScanFinding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None  # None where ECR does not say when it ended

    @property
    def is_running(self) -> bool:
        return self.status in _RUNNING

    @property
    def is_done(self) -> bool:
        return self.status in _DONE

    @property
    def has_failed(self) -> bool:
        """So that another scan may succeed. The other ends stay as they are."""
        return self.status == "FAILED"

    @property
    def says_something(self) -> bool:
        """Not for an answer that has neither findings nor an end: ECR gives it for some seconds
        before it has the findings of Amazon Inspector.

        https://github.com/aws/aws-sdk/issues/289
        """
        return self.completed_at is not None or bool(self.findings or self.counts)


def find_blocking(result: ScanResult, *, block: str) -> tuple[ScanFinding, ...]:
    """Those at or above the severity, the worst first. `block` is critical or high.

    What ECR only counts is among them without a name: a list that is cut short opens nothing.
    """
    lowest = _SEVERITIES.index(block.upper())
    named = [one for one in result.findings if one.rank >= lowest]
    listed = Counter(one.severity for one in named)
    unnamed = [
        ScanFinding(name="", severity=severity)
        for severity in _SEVERITIES[lowest:]
        for _ in range(result.counts.get(severity, 0) - listed[severity])
    ]
    return tuple(sorted((*named, *unnamed), key=lambda one: (-one.rank, one.name == "", one.name)))


def find_unrated(result: ScanResult) -> tuple[str, ...]:
    """The names of those whose severity nobody knows, in order. No severity to block reaches them.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-troubleshooting.html
    """
    return tuple(sorted({one.name for one in result.findings if one.rank < 0 and one.name}))


def count_severities(
    findings: Sequence[ScanFinding], counts: Mapping[str, int] | None = None
) -> tuple[tuple[str, int], ...]:
    """(severity, how many), the worst first; of `counts` where ECR counts more than it lists."""
    counted = Counter(one.severity for one in findings)
    counted |= Counter(counts or {})
    order = (*reversed(_SEVERITIES), *sorted(set(counted) - set(_SEVERITIES)))
    return tuple((severity, counted[severity]) for severity in order if counted[severity])
