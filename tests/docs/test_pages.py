"""What the pages say holds: made parts are current, tables complete, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fsd.lint.pages import page_ids
from fsd.lint.run import lint
from fsd.manifest.finding import Severity
from fsd.manifest.load import load_manifest
from fsd.release.result import Outcome
from tests.docs.pages import DOCS, MADE_PAGES, ROOT, make_page

PAGES = sorted(
    [
        *DOCS.rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    ]
)
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


def blocks(page: Path, info: str) -> Iterator[str]:
    for match in FENCE.finditer(page.read_text()):
        if match["info"].strip() == info:
            yield match["body"]


@pytest.mark.parametrize("page", MADE_PAGES, ids=lambda page: page.name)
def test_page__made_parts__are_what_the_code_says(page: Path) -> None:
    text = page.read_text()

    assert make_page(text) == text, "run: python -m tests.docs.pages"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__links__lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(without_code(page.read_text())):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"]:
            assert link["anchor"] in anchors(target), link[0]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


# The examples of findings.md are wrong on purpose; tests/unit/lint/test_pages.py runs them.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "findings.md"], ids=lambda page: page.name
)
def test_page__whole_manifests__have_no_errors(page: Path) -> None:
    manifests = [body for body in blocks(page, "yaml") if "kind: Service" in body]

    for manifest in manifests:
        loaded = load_manifest(manifest, path="service.yml")
        findings = (*loaded.findings, *lint(loaded, None))
        assert [found for found in findings if found.severity is Severity.ERROR] == []


@pytest.mark.parametrize("outcome", list(Outcome), ids=str)
def test_commands__exit_codes_of_deploy__every_outcomes_is_among_them(outcome: Outcome) -> None:
    usage = (DOCS / "commands.md").read_text().partition("## fsd deploy\n")[2].partition("## ")[0]
    numbers = re.findall(r"\d+", usage.partition("Exit codes:")[2])

    assert str(int(outcome.exit_code)) in numbers


def test_action__output_outcome__names_every_one() -> None:
    """`started` is the command line's: the Action always waits."""
    outputs = yaml.safe_load((ROOT / "action.yml").read_text())["outputs"]
    named = set(re.findall(r"[a-z-]+", outputs["outcome"]["description"]))

    assert {str(outcome) for outcome in Outcome} - {str(Outcome.STARTED)} <= named


def test_failures__ends_of_a_deployment__each_has_its_line() -> None:
    """Refusals come before there is a deployment."""
    text = (DOCS / "failures.md").read_text().partition("## After the failure\n")[2]
    section = text.partition("\n## ")[0]
    ends = {int(outcome.exit_code) for outcome in Outcome} - {0, int(Outcome.REFUSED.exit_code)}

    assert {int(number) for number in re.findall(r"\*\* \(exit (\d+)\)", section)} == ends


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__exit_code_with_an_outcome__it_is_the_outcomes(page: Path) -> None:
    named = re.findall(r"exit (?:code )?(\d+) \(`?([a-z-]+)`?\)", page.read_text())

    assert [(code, name) for code, name in named if int(Outcome(name).exit_code) != int(code)] == []


def test_findings__every_page__has_its_section_once() -> None:
    page = (DOCS / "findings.md").read_text()

    for id_ in page_ids():
        assert page.count(f"### {id_}\n") == 1


def test_dependencies__every_one__has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["local"],
        *(item for group in project["dependency-groups"].values() for item in group),
    ]
    # A table includes another group, whose packages are in the list anyway.
    names = {re.split(r"[<>=~\[ ]", each)[0] for each in wanted if isinstance(each, str)}
    rows = re.findall(
        r"^\| ([\w, -]+?) \|", (DOCS / "adr/0002-dependencies.md").read_text(), re.MULTILINE
    )
    listed = {name for row in rows for name in row.split(", ")} - {"package", "---"}

    assert listed == names
