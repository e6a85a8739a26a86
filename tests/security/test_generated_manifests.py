"""Whatever the text: findings at places that are in it, and no error but FSD's own.

Texts are made in three ways: of YAML's own marks in any order, of any characters, and of good
manifests with a few things changed. `FSD_EXAMPLES=100000` makes that many; without it, a few
hundred.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsd.app.user_text import decode
from fsd.errors import FsdError, Location
from fsd.lint.run import lint
from fsd.manifest.finding import Finding
from fsd.manifest.load import load_manifest
from fsd.manifest.yaml_tree import split_lines
from fsd.report.findings import FileFindings, render_github, render_json, render_terminal
from tests.unit.manifest.manifests import KAFKA_CONSUMER, SMALL, manifest

EXAMPLES = int(os.environ.get("FSD_EXAMPLES", "300"))
PATH = "service.yml"
GOOD = (
    KAFKA_CONSUMER,
    SMALL,
    manifest(
        """
        environment: &common {A: 1, B: no, C: ${ENV}}
        command: ["a", 'b']  # fsd: ignore[owners-missing] why
        image: >-
          a
          b
        """
    )
    + "x:\n  <<: *common\n  A: 2\n",
)
MARKS = [
    *"-?:,[]{}#&*!|>'\"%@`~=.$\\/ \t\n\r0123456789abkxyz_<",
    *("\n  ", "\n    ", "\n- ", ": ", "? ", "- ", " #", "&a ", "*a", "<<: *a", "---\n", "...\n"),
    *(
        "!!str ",
        "!x ",
        "| \n",
        ">-\n",
        "''",
        '""',
        "\\u",
        "\\x00",
        "${ENV}",
        "${",
        "$$",
        "%YAML 1.1\n",
    ),
    *("\ufeff", "\x85", "\u2028", "\U0001f600", "\ud800", "\x00", "\x1b", "é", "\u0301"),
    *("apiVersion: fsd/v1\n", "kind: Service\n", "metadata:\n", "service:\n", "  type: ecs\n"),
    *("dependencies:\n", "  environment:\n", "    A: 1\n", "# fsd: ignore[x] y\n"),
]
VALUES = [
    *("null", "~", "true", "no", "on", "0", "-1", "0o17", "0777", "0x1F", "12:30", "1e999", ".nan"),
    *("1.5", "9" * 18, "9" * 400, "2026-01-01", "=", "<<", "''", '"\\ud800"', "[]", "{}", "[[]]"),
    *("{a: b}", "[1, x]", "*common", "*nope", "&again x", "!!int 5", "!secret x", "| x", "\ud800"),
    *(
        "${ENV}",
        "${NOPE}",
        "${",
        "a\tb",
        "- x",
        "arn:aws:s3:::x",
        "AKIAIOSFODNN7EXAMPLE",
        "s3:*",
        "*",
    ),
]
Edit = Callable[[list[str], int, int], None]


def repeat(lines: list[str], at: int, other: int) -> None:
    lines.insert(other, lines[at])


def remove(lines: list[str], at: int, _: int) -> None:
    del lines[at]


def swap(lines: list[str], at: int, other: int) -> None:
    lines[at], lines[other] = lines[other], lines[at]


def swap_keys(lines: list[str], at: int, other: int) -> None:
    one, colon, value = lines[at].partition(":")
    two, colon_too, value_too = lines[other].partition(":")
    lines[at], lines[other] = two + colon + value, one + colon_too + value_too


def swap_values(lines: list[str], at: int, other: int) -> None:
    one, colon, value = lines[at].partition(":")
    two, colon_too, value_too = lines[other].partition(":")
    lines[at], lines[other] = one + colon + value_too, two + colon_too + value


def set_value(lines: list[str], at: int, other: int) -> None:
    lines[at] = f"{lines[at].partition(':')[0]}: {VALUES[other % len(VALUES)]}"


def set_item(lines: list[str], at: int, other: int) -> None:
    text = lines[at]
    lines[at] = f"{text[: len(text) - len(text.lstrip())]}- {VALUES[other % len(VALUES)]}"


def indent(lines: list[str], at: int, other: int) -> None:
    lines[at] = " " * (other % 9) + lines[at].lstrip()


def anchor(lines: list[str], at: int, _: int) -> None:
    key, colon, value = lines[at].partition(":")
    lines[at] = f"{key}{colon} &again{value}"


def merge(lines: list[str], at: int, other: int) -> None:
    text = lines[at]
    lines.insert(
        at, " " * (len(text) - len(text.lstrip())) + ("<<: *again", "<<: *common")[other % 2]
    )


def flip(lines: list[str], at: int, other: int) -> None:
    text = lines[at]
    if text:
        place = other % len(text)
        lines[at] = text[:place] + chr(ord(text[place]) ^ (1 << other % 8)) + text[place + 1 :]


def insert_mark(lines: list[str], at: int, other: int) -> None:
    text, place = lines[at], other % (len(lines[at]) + 1)
    lines[at] = text[:place] + MARKS[other % len(MARKS)] + text[place:]


EDITS: list[Edit] = [
    *(
        repeat,
        remove,
        swap,
        swap_keys,
        swap_values,
        set_value,
        set_item,
        indent,
        anchor,
        merge,
        flip,
    ),
    insert_mark,
]
CHANGES = st.lists(
    st.tuples(st.sampled_from(EDITS), st.integers(0, 9999), st.integers(0, 9999)),
    min_size=1,
    max_size=5,
)


def changed(text: str, changes: list[tuple[Edit, int, int]]) -> str:
    lines = text.split("\n")
    for edit, at, other in changes:
        if lines:
            edit(lines, at % len(lines), other % len(lines))
    return "\n".join(lines)


TEXTS = st.one_of(
    st.builds(changed, st.sampled_from(GOOD), CHANGES),
    st.builds(changed, st.sampled_from(GOOD), CHANGES),
    st.lists(st.sampled_from(MARKS), max_size=60).map("".join),
    st.text(max_size=80),
)


def check(text: str, environment: str | None) -> tuple[Finding, ...]:
    loaded = load_manifest(
        text, path=PATH, variables={"ENV": environment} if environment is not None else {}
    )
    return (*loaded.findings, *lint(loaded, environment))


def assert_inside(findings: tuple[Finding, ...], lines: tuple[str, ...]) -> None:
    for finding in findings:
        where = finding.where
        assert isinstance(where, Location), finding
        assert 1 <= where.line <= len(lines), finding
        assert 1 <= where.column <= len(lines[where.line - 1]) + 1, finding
        assert finding.width >= 1, finding
        assert finding.message, finding
        assert finding.fix, finding


ENVIRONMENTS = st.sampled_from([None, "dev", "prod"])
ALWAYS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@ALWAYS
@given(text=TEXTS, environment=ENVIRONMENTS)
def test_validate__any_text__findings_at_places_that_are_in_it(
    text: str, environment: str | None
) -> None:
    findings = check(text, environment)

    assert_inside(findings, split_lines(text))


@ALWAYS
@given(text=TEXTS)
def test_validate__any_text__its_findings_can_be_shown(text: str) -> None:
    findings = check(text, None)

    sources = {PATH: split_lines(text)}
    shown = render_terminal(findings, sources=sources, subject=PATH)
    assert "\x1b" not in shown
    files = [FileFindings(path=PATH, findings=findings, sources=sources)]
    assert len(json.loads(render_json(files))["findings"]) == len(findings)
    assert render_github(findings, subject=PATH)


@ALWAYS
@given(
    text=st.sampled_from(GOOD),
    flips=st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), max_size=4),
)
def test_validate__any_bytes__findings_or_an_error_of_ours(
    text: str, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(text.encode())
    for place, byte in flips:
        content[place % len(content)] = byte

    try:
        read = decode(bytes(content), path=Path(PATH))
    except FsdError:
        return
    assert_inside(check(read, None), split_lines(read))
