"""Findings → terminal text, annotations, JSON.

    error[unknown-permission]: `dynamodb:GetItems` is not an IAM action
      --> service.yml:41:9
    41 |         - dynamodb:GetItems
       |           ^^^^^^^^^^^^^^^^^
      fix: `dynamodb:GetItem` or `dynamodb:BatchGetItem`

What a file contains is shown, so it is made harmless first: no control character reaches a
terminal, and no line break or `::` a workflow's log.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fsd.errors import Location
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.key_path import dotted
from fsd.streams import columns

# Path → lines of the file, for the lines that are shown.
Sources = Mapping[str, Sequence[str]]

# Findings whose value must not be repeated: logs have more readers than the file.
_SECRETS = frozenset({"secret-in-environment"})
_SEEN = 4  # characters, and no more than one in as many
_COLORS = {Severity.ERROR: "31;1", Severity.WARNING: "33;1", Severity.INFO: "36;1"}
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFindings:
    """A file that was checked, and what was found; `sources` are the lines to show."""

    path: str
    findings: Sequence[Finding]
    sources: Sources


def render_terminal(
    findings: Iterable[Finding], *, sources: Sources, subject: str, color: bool = False
) -> str:
    """Every finding with its line, and a last line that counts them. Ends without a newline."""
    every = tuple(findings)
    sources = _without_secrets(every, sources)
    blocks = [render_finding(finding, sources=sources, color=color) for finding in every]
    last = summarize(every, subject=subject) + _more(every)
    return "\n\n".join([*blocks, last])


def _more(findings: Sequence[Finding]) -> str:
    """How to learn why, once a run: with the first of the worst."""
    worst = list(_COLORS)
    first = min(findings, key=lambda finding: worst.index(finding.severity), default=None)
    if first is None:
        return ""
    if len({finding.id for finding in findings}) > 1:
        return " · `fsd explain ID` explains each"
    return f" · more: fsd explain {first.id}"


def render_finding(finding: Finding, *, sources: Sources, color: bool = False) -> str:
    head = f"{finding.severity}[{finding.id}]:"
    if color:
        head = f"\x1b[{_COLORS[finding.severity]}m{head}\x1b[0m"
    lines = [f"{head} {printable(finding.message)}", f"  --> {printable(str(finding.where))}"]
    if isinstance(finding.where, Location):
        hidden = _without_secrets((finding,), sources)
        lines += _source(finding.where, finding.width, hidden)
    by_itself = "" if finding.edit is None else "  [--fix can do this]"
    lines.append(f"  fix: {printable(finding.fix)}{by_itself}")
    return "\n".join(lines)


def render_github(findings: Iterable[Finding], *, subject: str) -> str:
    """Workflow commands, which GitHub shows on the changed lines; the count as a plain line.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    every = tuple(findings)
    return "\n".join([*(_command(finding) for finding in every), summarize(every, subject=subject)])


def render_json(files: Sequence[FileFindings]) -> str:
    """`fsd/findings/v1`: one document whatever the number of files."""
    every = [finding for file in files for finding in file.findings]
    document = {
        "schema": "fsd/findings/v1",
        "file": files[0].path if len(files) == 1 else None,
        **_counts(every),
        "files": [{"file": file.path, **_counts(file.findings)} for file in files],
        "findings": [_as_json(finding) for finding in every],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _counts(findings: Iterable[Finding]) -> dict[str, object]:
    count = Counter(finding.severity for finding in findings)
    return {
        "valid": count[Severity.ERROR] == 0,
        "errors": count[Severity.ERROR],
        "warnings": count[Severity.WARNING],
        "infos": count[Severity.INFO],
    }


def summarize(findings: Iterable[Finding], *, subject: str) -> str:
    """`service.yml: 1 error, 2 warnings`; notes only where there are any."""
    count = Counter(finding.severity for finding in findings)
    parts = [_count(count[Severity.ERROR], "error"), _count(count[Severity.WARNING], "warning")]
    if count[Severity.INFO]:
        parts.append(_count(count[Severity.INFO], "note"))
    return f"{printable(subject)}: {', '.join(parts)}"


def printable(text: str) -> str:
    """One line without control characters; each becomes an escape that can be read."""
    return "".join(
        character
        if character.isprintable()
        else " "
        if unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _without_secrets(findings: Sequence[Finding], sources: Sources) -> Sources:
    """All of them, as one line may have several and be shown for another reason."""
    changed = {path: list(lines) for path, lines in sources.items()}
    for finding in findings:
        where = finding.where
        if finding.id not in _SECRETS or not isinstance(where, Location):
            continue
        lines = changed.get(where.path, [])
        if where.line <= len(lines):
            line, start = lines[where.line - 1], where.column - 1
            seen = start + min(_SEEN, finding.width // _SEEN)
            shown, secret = line[:seen], line[seen : start + finding.width]
            lines[where.line - 1] = shown + "•" * len(secret) + line[start + finding.width :]
    return changed


def _source(where: Location, width: int, sources: Sources) -> list[str]:
    """The line and a caret below; a long line is cut around the place."""
    lines = sources.get(where.path, ())
    if where.line > len(lines):
        return []
    line = lines[where.line - 1]
    column = min(where.column - 1, len(line))
    number = str(where.line)
    room = columns() - len(number) - 3
    before, after = _escaped(line[:column]), _escaped(line[column:])
    if len(before) + len(after) > room and len(before) > room // 2:
        before = "…" + before[-(room // 2) :]
    shown = (before + after)[:room]
    caret = "^" * max(1, min(width, len(shown) - len(before)))
    gutter = " " * len(number)
    return [
        f"{number} | {shown}".rstrip(),
        f"{gutter} | {' ' * len(before)}{caret}",
    ]


def _escaped(text: str) -> str:
    return printable(text.replace("\t", " "))


def _command(finding: Finding) -> str:
    properties = {"title": f"{finding.severity}[{finding.id}]"}
    message = f"{finding.message}\nfix: {finding.fix}"
    match finding.where:
        case Location(path=path, line=line, column=column):
            end = str(column + finding.width)
            properties |= {"file": path, "line": str(line), "col": str(column), "endColumn": end}
        case override:
            message = f"{override}: {message}"
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {shown}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _as_json(finding: Finding) -> dict[str, object]:
    place: dict[str, object] = {"path": None, "line": None, "column": None, "source": None}
    match finding.where:
        case Location(path=path, line=line, column=column):
            place |= {"path": path, "line": line, "column": column}
        case override:
            place["source"] = override
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        **place,
        "key": dotted(finding.key_path) or None,
        "message": finding.message,
        "fix": finding.fix,
        "fixable": finding.edit is not None,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
