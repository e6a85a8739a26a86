"""What ECR's scan of an image says, and whether an environment takes the image. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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

    status: str  # ECR's word for it
    why: str = ""  # and its sentence
    findings: tuple[ScanFinding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    is_dated: bool = False  # whether ECR says when it ended

    @property
    def is_running(self) -> bool:
        return self.status in _RUNNING

    @property
    def is_done(self) -> bool:
        return self.status in _DONE

    @property
    def says_something(self) -> bool:
        """Not for an answer that has neither findings nor an end: ECR gives it for some seconds
        before it has the findings of Amazon Inspector.

        https://github.com/aws/aws-sdk/issues/289
        """
        return self.is_dated or bool(self.findings or self.counts)


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


def count_severities(findings: Sequence[ScanFinding]) -> tuple[tuple[str, int], ...]:
    """(severity, how many), the worst first."""
    counted = Counter(one.severity for one in findings)
    order = (*reversed(_SEVERITIES), *sorted(set(counted) - set(_SEVERITIES)))
    return tuple((severity, counted[severity]) for severity in order if counted[severity])
