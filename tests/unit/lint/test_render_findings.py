from __future__ import annotations

import json

from fsd.errors import Location
from fsd.manifest.finding import Finding, Severity
from fsd.report.findings import (
    FileFindings,
    printable,
    render_finding,
    render_github,
    render_json,
    render_terminal,
    summarize,
)
from tests.golden import golden

LINES = ["service:", "  permissions:", "    - dynamodb:GetItems"]
SOURCES = {"service.yml": LINES}
UNKNOWN = Finding(
    id="unknown-permission",
    severity=Severity.ERROR,
    where=Location(path="service.yml", line=3, column=7),
    message="`dynamodb:GetItems` is not an IAM action",
    fix="`dynamodb:GetItem` or `dynamodb:BatchGetItem`",
    key_path=("dependencies", 0, "permissions", 0),
    width=17,
)
OVERRIDDEN = Finding(
    id="wrong-type",
    severity=Severity.WARNING,
    where="--override resources.cpu=abc",
    message="100% wrong",
    fix="write\na number",
)


def test_render_terminal__two_findings__as_on_the_screen() -> None:
    text = render_terminal([UNKNOWN, OVERRIDDEN], sources=SOURCES, subject="service.yml")

    assert text == golden("validate/two-findings.txt", text)


def test_render_terminal__several_ids__how_to_learn_of_each() -> None:
    text = render_terminal([OVERRIDDEN, UNKNOWN], sources=SOURCES, subject="service.yml")

    assert text.endswith("1 error, 1 warning · `fsd explain ID` explains each")


def test_render_terminal__nothing_found__the_count_alone() -> None:
    assert render_terminal([], sources={}, subject="a.yml") == "a.yml: 0 errors, 0 warnings"


def test_summarize__notes__counted_apart() -> None:
    note = Finding(id="x", severity=Severity.INFO, where="", message="", fix="")

    assert summarize([note, UNKNOWN, UNKNOWN], subject="f") == "f: 2 errors, 0 warnings, 1 note"


def test_render_finding__color__only_the_head() -> None:
    text = render_finding(UNKNOWN, sources=SOURCES, color=True)

    assert text.startswith("\x1b[31;1merror[unknown-permission]:\x1b[0m `dynamodb")
    assert text.count("\x1b") == 2


def test_render_finding__long_line__cut_around_the_place() -> None:
    line = "x" * 300 + "HERE" + "y" * 300
    finding = Finding(
        id="x",
        severity=Severity.ERROR,
        where=Location(path="f", line=1, column=301),
        message="m",
        fix="f",
        width=4,
    )

    _, _, source, caret, _ = render_finding(finding, sources={"f": [line]}).splitlines()

    assert len(source) <= 100
    assert source[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_render_finding__place_beyond_the_file__no_source() -> None:
    assert "|" not in render_finding(UNKNOWN, sources={"service.yml": LINES[:1]})


def test_render_finding__control_characters__escaped() -> None:
    finding = Finding(
        id="x",
        severity=Severity.ERROR,
        where=Location(path="f", line=1, column=1),
        message="\x1b[2J",
        fix="\u202e",
    )

    text = render_finding(finding, sources={"f": ["\x1b]0;title\x07"]})

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J" in text


def test_render_finding__secret__not_repeated() -> None:
    finding = Finding(
        id="secret-in-environment",
        severity=Severity.WARNING,
        where=Location(path="f", line=1, column=11),
        message="m",
        fix="f",
        width=7,
    )

    text = render_finding(finding, sources={"f": ["PASSWORD: hunter2 # x"]})

    assert "hunter2" not in text
    assert "1 | PASSWORD: h•••••• # x" in text


def test_render_terminal__two_secrets_in_a_line__neither_is_shown_by_another_finding() -> None:
    line = "a: {K: ghp_0123456789abcdef, L: xoxb-0123456789abcdef, M: 0}"
    first, second, other = (
        Finding(
            id=id_,
            severity=Severity.WARNING,
            where=Location(path="f", line=1, column=column),
            message="m",
            fix="f",
            width=width,
        )
        for id_, column, width in (
            ("secret-in-environment", 8, 20),
            ("secret-in-environment", 33, 21),
            ("wrong-type", 59, 1),
        )
    )

    text = render_terminal([first, second, other], sources={"f": [line]}, subject="f")

    assert text.count("1 | a: {K: ghp_••••••••••••••••, L: xoxb•••••••••••••••••, M: 0}") == 3


def test_render_github__two_findings__workflow_commands() -> None:
    assert render_github([UNKNOWN, OVERRIDDEN], subject="service.yml") == (
        "::error title=error[unknown-permission],file=service.yml,line=3,col=7,endColumn=24::"
        "`dynamodb:GetItems` is not an IAM action%0A"
        "fix: `dynamodb:GetItem` or `dynamodb:BatchGetItem`\n"
        "::warning title=warning[wrong-type]::--override resources.cpu=abc: 100%25 wrong%0A"
        "fix: write%0Aa number\n"
        "service.yml: 1 error, 1 warning"
    )


def test_render_github__hostile_path__cannot_end_the_command() -> None:
    finding = Finding(
        id="x",
        severity=Severity.ERROR,
        where=Location(path="a,b::c\n::set-output", line=1, column=1),
        message="\n::add-mask::x",
        fix="f",
    )

    command, _ = render_github([finding], subject="f").splitlines()

    assert "file=a%2Cb%3A%3Ac%0A%3A%3Aset-output," in command


def test_render_json__findings__every_fact() -> None:
    file = FileFindings(path="service.yml", findings=[UNKNOWN, OVERRIDDEN], sources={})
    counts = {"valid": False, "errors": 1, "warnings": 1, "infos": 0}

    assert json.loads(render_json([file])) == {
        "schema": "fsd/findings/v1",
        "file": "service.yml",
        **counts,
        "files": [{"file": "service.yml", **counts}],
        "findings": [
            {
                "id": "unknown-permission",
                "severity": "error",
                "path": "service.yml",
                "line": 3,
                "column": 7,
                "source": None,
                "key": "dependencies[0].permissions[0]",
                "message": "`dynamodb:GetItems` is not an IAM action",
                "fix": "`dynamodb:GetItem` or `dynamodb:BatchGetItem`",
                "fixable": False,
            },
            {
                "id": "wrong-type",
                "severity": "warning",
                "path": None,
                "line": None,
                "column": None,
                "source": "--override resources.cpu=abc",
                "key": None,
                "message": "100% wrong",
                "fix": "write\na number",
                "fixable": False,
            },
        ],
    }


def test_render_json__several_files__counts_of_each_and_of_all() -> None:
    files = [
        FileFindings(path="a.yml", findings=[], sources={}),
        FileFindings(path="b.yml", findings=[UNKNOWN], sources={}),
    ]

    document = json.loads(render_json(files))

    assert (document["file"], document["valid"], document["errors"]) == (None, False, 1)
    assert [(file["file"], file["valid"]) for file in document["files"]] == [
        ("a.yml", True),
        ("b.yml", False),
    ]


def test_printable__text_of_any_script__left_alone() -> None:
    assert printable("Grüße 日本 🚀 ok") == "Grüße 日本 🚀 ok"
