"""What is the same for every rule for workflows: reading, suppressing, never failing."""

from __future__ import annotations

import pytest

from fsd.lint.workflows import lint_workflows

BAD = "jobs:\n  a:\n    steps:\n      - run: curl https://a.example/x | sh"


def ids(text: str) -> list[str]:
    (checked,) = lint_workflows({"a.yml": text})
    return [finding.id for finding in checked.findings]


@pytest.mark.parametrize(
    "text",
    [
        f"{BAD} # fsd: ignore[workflow-unverified-download] ours",
        BAD.replace(
            "      - run", "      # fsd: ignore[workflow-unverified-download]\n      - run"
        ),
    ],
)
def test_lint_workflows__ignore_comment__nothing(text: str) -> None:
    assert ids(BAD) == ["workflow-unverified-download"]
    assert ids(text) == []


def test_lint_workflows__unknown_id_in_the_comment__said() -> None:
    assert ids("jobs: {} # fsd: ignore[workflow-unverifed-download]") == ["unknown-suppression"]


@pytest.mark.parametrize(
    "text",
    [
        "on: push\njobs:\n  a: {}",
        "true: push\njobs: {1: {steps: [1, {}, {run: [a]}, {uses: {}}]}}",
        "on: [push, {}]\njobs:\n  a: [b]\n  c:\n  d: text",
        "on: {push: , workflow_call: {inputs: 3}}\njobs: {a: {needs: {b: c}, steps: 3, env: 4}}",
        "on: push\njobs: {a: {needs: a, uses: ./.github/workflows/a.yml, strategy: {matrix: x}}}",
        "jobs: {a: {needs: b}, b: {needs: [a, c]}}",
        "on: ${{ x }}\njobs: {a: {strategy: {matrix: '${{ fromJSON(x) }}'}, steps: []}}",
        "x: &a {run: ls}\njobs: {a: {steps: [*a, *a]}, b: {<<: *a}}",
        "jobs: {a: {environment: {name: {}}, defaults: {run: 3}, runs-on: {group: x}}}",
        "runs: {using: composite, steps: [{uses: ./a}]}",
        "- a",
        "text",
        "",
        "a: b\n---\njobs: {}",
    ],
)
def test_lint_workflows__odd_but_yaml__no_finding_and_no_failure(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize("text", ["a: [", "\tjobs:", "jobs: \x00", "a: *b", "[" * 200])
def test_lint_workflows__not_yaml__said(text: str) -> None:
    assert len(ids(text)) == 1


def test_lint_workflows__files_beside_it__not_judged_themselves() -> None:
    (checked,) = lint_workflows({"a.yml": "jobs: {}"}, known={"b.yml": BAD})

    assert (checked.path, checked.findings) == ("a.yml", ())
