from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fsd.errors import Location
from fsd.lint.pages import page_ids
from fsd.manifest.finding import Finding, Severity
from fsd.report.findings import FileFindings
from fsd.report.sarif import render_sarif

# The official schema, as SchemaStore publishes it and npm's @microsoft/jest-sarif ships it:
# https://raw.githubusercontent.com/schemastore/schemastore/master/src/schemas/json/sarif-2.1.0-rtm.5.json
SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
ROOT = Path("/repo")


def finding(
    id_: str = "log-retention-value",
    where: Location | str = "",
    *,
    severity: Severity = Severity.ERROR,
    message: str = "m",
    width: int = 1,
) -> Finding:
    place = where or Location(path="s.yml", line=3, column=7)
    return Finding(id=id_, severity=severity, where=place, message=message, fix="f", width=width)


def run(*findings: Finding, path: str = "s.yml") -> Any:
    """The only run, after the schema had its say."""
    file = FileFindings(path=path, findings=findings, sources={})
    document = json.loads(render_sarif([file], root=ROOT))
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft4Validator(SCHEMA).validate(document)
    return document["runs"][0]


def uri(path: str) -> str:
    result = run(finding(where=Location(path=path, line=1, column=1)))["results"][0]
    text = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert isinstance(text, str)
    return text


def test_render_sarif__a_finding__its_region_counted_in_characters_from_1() -> None:
    got = run(finding(width=5))

    assert got["columnKind"] == "unicodeCodePoints"
    assert got["results"] == [
        {
            "ruleId": "log-retention-value",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "m\nfix: f"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "s.yml"},
                        "region": {
                            "startLine": 3,
                            "startColumn": 7,
                            "endLine": 3,
                            "endColumn": 12,
                        },
                    }
                }
            ],
        }
    ]


def test_render_sarif__rules__those_found_with_help_and_a_page() -> None:
    got = run(
        finding("yaml-tab"),
        finding("log-retention-value"),
        finding("yaml-tab", Location(path="t.yml", line=1, column=1)),
    )

    rules = got["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["log-retention-value", "yaml-tab"]
    assert [result["ruleIndex"] for result in got["results"]] == [1, 0, 1]
    assert rules[0]["helpUri"].endswith("/docs/findings.md#log-retention-value")
    assert "only 22 values" in rules[0]["help"]["text"]
    assert "```yaml\n" in rules[0]["help"]["markdown"]


def test_render_sarif__every_finding_that_has_a_page__valid() -> None:
    got = run(*(finding(id_) for id_ in page_ids()), finding("manifest-unreadable", "none.yml"))

    assert len(got["tool"]["driver"]["rules"]) == len(page_ids()) + 1


def test_render_sarif__nothing_found__a_run_without_results() -> None:
    assert run()["results"] == []


def test_render_sarif__severities__the_words_of_sarif() -> None:
    got = run(*(finding(severity=severity) for severity in Severity))

    assert [result["level"] for result in got["results"]] == ["error", "warning", "note"]


def test_render_sarif__an_override__the_file_without_a_line() -> None:
    (result,) = run(finding(where="--override resources.cpu=1"))["results"]

    assert result["message"]["text"].startswith("--override resources.cpu=1: m")
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "s.yml"}}


def test_render_sarif__paths__relative_to_the_root_and_escaped() -> None:
    assert uri("a b/ü:%.yml") == "a%20b/%C3%BC%3A%25.yml"
    assert uri("/repo/x/s.yml") == "x/s.yml"
    assert uri("/other/s.yml") == "file:///other/s.yml"
    assert uri("a\udcff.yml") == "a%FF.yml"
    assert uri("<stdin>") == "%3Cstdin%3E"


def test_render_sarif__hostile_text__no_link_and_no_control_character() -> None:
    (result,) = run(finding(message="see [here](https://evil.example)\x1b[31m"))["results"]

    assert "](" not in result["message"]["text"]
    assert "\x1b" not in result["message"]["text"]
