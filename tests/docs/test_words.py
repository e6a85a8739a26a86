"""The word list of docs/style.md holds for every text that a user reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import DOCS, ROOT

STYLE = DOCS / "style.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *(page for page in sorted(DOCS.glob("*.md")) if page != STYLE),
    *sorted((ROOT / "src/fsd/lint/pages").glob("*.md")),
]
MODULES = sorted((ROOT / "src/fsd").rglob("*.py"))
ROW = re.compile(r"^\| `(?P<pattern>.+)` \| (?P<instead>.+) \|$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$|``.*?``|`[^`\n]*`|https?://\S+", re.MULTILINE | re.DOTALL)


def read_rules() -> list[tuple[re.Pattern[str], str]]:
    table = STYLE.read_text().partition("<!-- words -->")[2].partition("<!-- end words -->")[0]
    return [
        (re.compile(rf"\b(?:{row['pattern']})", re.IGNORECASE), row["instead"])
        for row in ROW.finditer(table)
    ]


RULES = read_rules()


def findings(text: str) -> list[str]:
    """What the list finds in a text, with what to write instead."""
    plain = " ".join(CODE.sub("`…`", text).split())
    return [
        f"{match[0]!r} in …{plain[max(0, match.start() - 30) : match.end() + 20]}…: write {instead}"
        for pattern, instead in RULES
        for match in pattern.finditer(plain)
    ]


def shown_texts(module: Path) -> Iterator[tuple[int, str]]:
    """String constants and the texts of f-strings; no docstrings, and nothing that AWS says."""
    tree = ast.parse(module.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    quoted = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and "Quoted" in ast.unparse(node.func)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_text = " " in node.value and id(node) not in docstrings | quoted
            if is_text and "\\" not in node.value:  # a pattern is none
                yield node.lineno, node.value


def test_rules__table__is_read() -> None:
    assert len(RULES) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__says_nothing_of_the_list(page: Path) -> None:
    assert findings(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_module__texts__say_nothing_of_the_list(module: Path) -> None:
    found = [f"{line}: {each}" for line, text in shown_texts(module) for each in findings(text)]

    assert found == []


def test_action__inputs_and_outputs__say_nothing_of_the_list() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    entries = [action, *action["inputs"].values(), *action["outputs"].values()]

    assert [found for entry in entries for found in findings(entry["description"])] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("AWS keeps it for ever", 1),
        ("it is built Anew, whilst", 2),
        ("`for ever` is code, and so is `anew`", 0),
        ("forever, again", 0),
        ("what stays so, and what is sound", 1),
    ],
)
def test_findings__texts__as_the_table_says(text: str, count: int) -> None:
    assert len(findings(text)) == count


def test_glossary__words__in_order_and_once() -> None:
    rows = re.findall(
        r"^\| ([\w ]+?)(?: \*)? \| ", (DOCS / "glossary.md").read_text(), re.MULTILINE
    )
    words = [row for row in rows if row != "word"]

    assert words == sorted(set(words))
    assert {"release", "revision", "rollout", "verdict", "outcome", "service deployment"} <= {
        *words
    }
