"""The findings of `fsd doctor`, on a terminal, as JSON and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fsd.account.facts import ManifestNeeds
from fsd.manifest.finding import Severity
from fsd.report.doctor_finding import DoctorFinding
from fsd.streams import printable

SCHEMA = "fsd/doctor/v1"


def doctor_text(
    wants: ManifestNeeds, findings: Sequence[DoctorFinding], *, who: str, role: str
) -> str:
    blocks = [
        "\n".join(
            (
                f"{one.severity}[{one.check}]: {printable(one.what)}",
                f"  --> {printable(one.where)}",
                f"  fix: {printable(one.fix)}",
                "",
            )
        )
        for one in findings
    ]
    return "\n".join([_headline(wants, who=who, role=role), "", *blocks, _count(findings)])


def _headline(wants: ManifestNeeds, *, who: str, role: str) -> str:
    subject = f"{wants.service} → {wants.environment}" if wants.service else wants.environment
    about = f"\nfor the role {role}" if role and role != who else ""
    return f"{subject}    {wants.region} · as {who}{about}"


def _count(findings: Sequence[DoctorFinding]) -> str:
    number = Counter(one.severity for one in findings)
    errors, warnings = number[Severity.ERROR], number[Severity.WARNING]
    if not errors and not warnings:
        return "nothing would stop a deployment"
    return (
        f"{errors} error{'' if errors == 1 else 's'}, "
        f"{warnings} warning{'' if warnings == 1 else 's'}"
    )


def doctor_json(
    wants: ManifestNeeds, findings: Sequence[DoctorFinding], *, who: str, role: str
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "environment": wants.environment,
        "service": wants.service,
        "region": wants.region,
        "caller": who,
        "role": role,
        "findings": [
            {
                "id": str(one.check),
                "severity": str(one.severity),
                "message": one.what,
                "where": one.where,
                "fix": one.fix,
            }
            for one in findings
        ],
    }


def doctor_markdown(wants: ManifestNeeds, findings: Sequence[DoctorFinding]) -> str:
    sign = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
    subject = f"{wants.service} on {wants.environment}" if wants.service else wants.environment
    lines = [f"### Pre-flight: {subject}", "", _count(findings), ""]
    for one in findings:
        lines += [
            f"- {sign[one.severity]} **{one.check}** {_escaped(one.what)} ({_escaped(one.where)})",
            f"  **Fix:** {_escaped(one.fix)}",
        ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Names of an account are foreign text in a page."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>|#@" else sign for sign in printable(text))
