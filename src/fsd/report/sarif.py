"""Findings → SARIF 2.1.0, which GitHub code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and what GitHub makes of it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from fsd import __version__
from fsd.errors import Location
from fsd.lint.pages import Page, read_page
from fsd.manifest.finding import Finding, Severity
from fsd.report.findings import FileFindings, printable

HOME = "https://github.com/org/fsd-deploy"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(files: Sequence[FileFindings], *, root: Path) -> str:
    """One run for all files. Paths below `root` become relative: GitHub matches them with the
    repository's."""
    every = dict.fromkeys((finding, file.path) for file in files for finding in file.findings)
    rules = _rules([finding for finding, _ in every])
    places = {str(rule["id"]): index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "fsd",
                "version": __version__,
                "informationUri": HOME,
                "rules": rules,
            }
        },
        # Positions count characters: in UTF-16 code units an emoji before a place would move it.
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, file=file, rule=places[finding.id], root=root)
            for finding, file in every
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _rules(findings: Sequence[Finding]) -> list[Mapping[str, object]]:
    first = {finding.id: finding for finding in reversed(findings)}
    return [_rule(first[id_]) for id_ in sorted(first)]


def _rule(finding: Finding) -> Mapping[str, object]:
    try:
        page = read_page(finding.id)
    except KeyError:
        return {
            "id": finding.id,
            "shortDescription": {"text": finding.id.replace("-", " ")},
            "defaultConfiguration": {"level": _LEVELS[finding.severity]},
            "helpUri": f"{HOME}/blob/main/docs/findings.md",
        }
    return {
        "id": page.id,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.what},
        "defaultConfiguration": {"level": _LEVELS[Severity(page.severity)]},
        "helpUri": f"{HOME}/blob/main/docs/findings.md#{page.id}",
        "help": {"text": _help(page), "markdown": _help_markdown(page)},
    }


def _help(page: Page) -> str:
    return "\n\n".join([page.what, page.why, *page.sources])


def _help_markdown(page: Page) -> str:
    before, after = ("".join(each.files.values()) for each in (page.before, page.after))
    blocks = [f"Before:\n\n```yaml\n{before}```", f"After:\n\n```yaml\n{after}```"]
    return "\n\n".join([page.what, page.why, *(f"<{url}>" for url in page.sources), *blocks])


def _result(finding: Finding, *, file: str, rule: int, root: Path) -> Mapping[str, object]:
    text = f"{finding.message}\nfix: {finding.fix}"
    match finding.where:
        case Location(path=path, line=line, column=column):
            region = {
                "startLine": line,
                "startColumn": column,
                "endLine": line,
                "endColumn": column + max(1, finding.width),
            }
            physical = {"artifactLocation": {"uri": _uri(path, root)}, "region": region}
        case where:
            text = text if where == file else f"{where}: {text}"
            physical = {"artifactLocation": {"uri": _uri(file, root)}}
    return {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(text)},
        "locations": [{"physicalLocation": physical}],
    }


def _message(text: str) -> str:
    """`[text](target)` in a message is a link to a reader of SARIF (3.11.6): none comes from a
    manifest."""
    lines = (printable(line) for line in text.split("\n"))
    return "\n".join(lines).replace("](", "]\N{ZERO WIDTH SPACE}(")


def _uri(path: str, root: Path) -> str:
    absolute = Path(path) if Path(path).is_absolute() else root / path
    if absolute.is_relative_to(root):
        return _quoted(absolute.relative_to(root))
    return f"file://{_quoted(absolute)}"


def _quoted(path: Path) -> str:
    # A name that is no UTF-8 has its bytes as surrogates.
    return quote(path.as_posix().encode("utf-8", "surrogateescape"))
