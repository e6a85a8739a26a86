"""The text of GitHub's annotations: a few lines of plain text beside the code. Pure."""

from __future__ import annotations

from fsd.errors import FsdError, Location
from fsd.manifest.finding import Finding
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import cause_text
from fsd.rollout.cause import Cause

SUMMARY_FULL = "the job summary is full; see the log"


def finding_annotation(finding: Finding) -> str:
    """With its place, where it stands at no line."""
    place = "" if isinstance(finding.where, Location) else f"{finding.where}: "
    return f"{place}{finding.message}\nfix: {finding.fix}"


def error_annotation(error: FsdError) -> str:
    place = "" if isinstance(error.where, Location) else f" ({error.where})"
    return f"{error.what}{place}\nfix: {error.fix}"


def cause_annotation(cause: Cause) -> str:
    said = [f"{each.source} says: {each.text}" for each in cause.evidence]
    return "\n".join([cause_text(cause), cause.where, *said, f"fix: {advice_text(cause.advice)}"])


def untold_annotation(error: Exception) -> str:
    return f"something could not be told: {error}"
