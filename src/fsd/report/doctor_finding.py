"""A finding of `fsd doctor` in words, as its screen, JSON and Markdown show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fsd.account.checks import Check
from fsd.manifest.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorFinding:
    check: Check
    severity: Severity
    what: str
    where: str
    fix: str


def error(check: Check, what: str, *, where: str, fix: str) -> DoctorFinding:
    return DoctorFinding(check=check, severity=Severity.ERROR, what=what, where=where, fix=fix)


def warning(check: Check, what: str, *, where: str, fix: str) -> DoctorFinding:
    return DoctorFinding(check=check, severity=Severity.WARNING, what=what, where=where, fix=fix)


def by_severity(findings: Iterable[DoctorFinding]) -> tuple[DoctorFinding, ...]:
    """Errors first; within a severity as they are."""
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return tuple(sorted(findings, key=lambda one: order.index(one.severity)))
