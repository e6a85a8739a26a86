"""Every finding has a page, and what the page shows is what FSD finds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest

import fsd.lint
from fsd.errors import Location
from fsd.lint.pages import (
    MANIFEST,
    Example,
    ExamplePlace,
    PageError,
    page_ids,
    parse_page,
    read_page,
)
from fsd.lint.registry import list_rules
from fsd.lint.run import ALL_RULES, lint
from fsd.lint.workflows import lint_workflows
from fsd.lint.workflows.run import WORKFLOW_RULES
from fsd.manifest.environments import Environment, find_document, load_environments
from fsd.manifest.finding import Finding, FindingId
from fsd.manifest.load import load_manifest

ENVIRONMENTS = ".fsd/environments.yml"
PAGE = """\
# some-finding

*warning*: something is not as it should be. It
goes on.

## Why

Because.

Source: https://example.com/why

## Before

```yaml
a: 1
```

Found at line 1, column 4.

## After

```diff
-a: 1
+a: 2
```
"""


def find(example: Example) -> tuple[Finding, ...]:
    """What `fsd validate` finds in an example, without a file."""
    text = example.files.get(ENVIRONMENTS, "")
    known, found = load_environments(text, path=ENVIRONMENTS) if text else ({}, ())
    findings = [*found, *_in_manifest(example, known)]
    workflows = {path: text for path, text in example.files.items() if path.startswith(".github/")}
    for checked in lint_workflows(workflows, environments=known):
        assert checked.is_workflow
        findings += checked.findings
    return tuple(dict.fromkeys(findings))


def _in_manifest(example: Example, known: Mapping[str, Environment]) -> tuple[Finding, ...]:
    if MANIFEST not in example.files:
        return ()
    environment, overrides = _arguments(example.arguments)
    chosen = known.get(environment) if environment else None
    written = (
        find_document(example.files[ENVIRONMENTS], path=ENVIRONMENTS, name=chosen.name)
        if chosen
        else None
    )
    loaded = load_manifest(
        example.files[MANIFEST],
        path=MANIFEST,
        overrides=overrides,
        variables={"ENV": environment} if environment else {},
        environment_overrides=chosen.overrides if chosen else {},
        environment_document=written,
    )
    return (*loaded.findings, *lint(loaded, environment, environments=known.values()))


def _arguments(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """`--env` and every `--override`."""
    flags = list(zip(arguments[::2], arguments[1::2], strict=True))
    assert {flag for flag, _ in flags} <= {"--env", "--override"}
    environments = [value for flag, value in flags if flag == "--env"]
    overrides = [value for flag, value in flags if flag == "--override"]
    return (environments[0] if environments else None), overrides


def place_of(finding: Finding) -> ExamplePlace:
    match finding.where:
        case Location(path=path, line=line, column=column):
            return ExamplePlace(path=path, line=line, column=column)
        case where:
            return ExamplePlace(where=where)


@pytest.mark.parametrize("id_", page_ids())
def test_page__before__has_this_finding_at_this_place_and_no_other(id_: str) -> None:
    page = read_page(id_)

    found = [(item.id, str(item.severity), place_of(item)) for item in find(page.before)]

    assert found == [(id_, page.severity, page.place)]


@pytest.mark.parametrize("id_", page_ids())
def test_page__after__is_clean(id_: str) -> None:
    assert find(read_page(id_).after) == ()


@pytest.mark.parametrize("id_", page_ids())
def test_page__sources__are_https_addresses(id_: str) -> None:
    page = read_page(id_)

    assert page.sources
    assert all(re.fullmatch(r"https://[\w.-]+/\S*", source) for source in page.sources)


@pytest.mark.parametrize("id_", page_ids())
def test_page__words__say_what_and_why(id_: str) -> None:
    page = read_page(id_)

    assert page.summary
    assert page.what.endswith(".")
    assert page.why.endswith(".")


def test_pages__findings__each_has_one_and_none_is_left_over() -> None:
    rules = [*(rule.id for rule in ALL_RULES), *(rule.id for rule in WORKFLOW_RULES)]

    assert page_ids() == tuple(sorted([*FindingId, *rules]))


def test_list_rules__rules__have_the_severity_of_their_page() -> None:
    severities = {rule.id: rule.severity for rule in ALL_RULES}
    severities |= {rule.id: rule.severity for rule in WORKFLOW_RULES}

    assert {id_: read_page(id_).severity for id_ in severities} == severities


def test_list_rules__module_without_check__cannot_be_a_rule() -> None:
    with pytest.raises(AttributeError, match="check"):
        list_rules(fsd.lint)


def test_parse_page__whole__is_read() -> None:
    page = parse_page(PAGE, id_="some-finding")

    assert page.severity == "warning"
    assert page.summary == "something is not as it should be"
    assert page.what == "something is not as it should be. It goes on."
    assert page.why == "Because."
    assert page.sources == ("https://example.com/why",)
    assert page.before == Example(files={"service.yml": "a: 1\n"})
    assert page.place == ExamplePlace(path="service.yml", line=1, column=4)
    assert page.after == Example(files={"service.yml": "a: 2\n"})


def test_parse_page__with__holds_for_both_examples() -> None:
    page = parse_page(PAGE.replace("4.\n", "4, with `--env prod`.\n"), id_="some-finding")

    assert page.before.arguments == page.after.arguments == ("--env", "prod")


def test_parse_page__found_at_an_override__is_an_argument_as_well() -> None:
    text = PAGE.replace("line 1, column 4", "`--override cpu=1`") + "\nUse `--override cpu=2`.\n"

    page = parse_page(text, id_="some-finding")

    assert page.place == ExamplePlace(where="--override cpu=1")
    assert page.before.arguments == ("--override", "cpu=1")
    assert page.after.arguments == ("--override", "cpu=2")


def test_parse_page__block_of_another_file__is_under_its_name() -> None:
    name = ".github/workflows/deploy.yml"
    text = PAGE.replace("```yaml\n", f"```yaml {name}\n").replace("diff\n", f"diff {name}\n")

    page = parse_page(text, id_="some-finding")

    assert page.before.files == {name: "a: 1\n"}
    assert page.after.files == {name: "a: 2\n"}
    assert page.place == ExamplePlace(path=name, line=1, column=4)


def test_parse_page__two_places_of_a_file__both_are_changed() -> None:
    text = PAGE.replace("a: 1\n```", "a: 1\nb:\n  c: 1\n\nd: 1\n```")
    text = text.replace("+a: 2\n", "+a: 2\n b:\n@@\n-  c: 1\n\n-d: 1\n+d:\n+  - 2\n")

    page = parse_page(text, id_="some-finding")

    assert page.after.files == {"service.yml": "a: 2\nb:\n\nd:\n  - 2\n"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# some-finding", "# other-finding"),
        ("*warning*: ", ""),
        ("## Why", "## Because"),
        ("Found at line 1, column 4.", ""),
        ("Found at line 1, column 4.", "Found somewhere."),
        ("```diff\n-a: 1\n+a: 2\n```\n", "nothing\n"),
        ("```diff\n-a: 1\n+a: 2\n```\n", ""),
        ("-a: 1\n", "-a: 3\n"),
        ("```yaml\na: 1\n", "```yaml\na: 1\na: 1\n"),
        ("```diff\n", "```diff other.yml\n"),
        ("```yaml\na: 1\n```\n", ""),
    ],
)
def test_parse_page__another_form__is_an_error(old: str, new: str) -> None:
    with pytest.raises(PageError, match="some-finding"):
        parse_page(PAGE.replace(old, new), id_="some-finding")


def test_read_page__unknown_id__is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_page("no-such-finding")
