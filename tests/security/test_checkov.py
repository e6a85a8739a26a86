"""The reasons for what Checkov says are complete, and none is left over: `scripts/checkov`."""

from __future__ import annotations

from tests.security.checkov import REASONS, compare, load_reasons, templates


def test_compare__finding_without_a_reason__is_told() -> None:
    assert compare({("CKV_AWS_1", "Role")}, {}) == ["CKV_AWS_1 on Role: no written reason"]


def test_compare__reason_without_its_finding__is_told() -> None:
    assert compare(set(), {("CKV_AWS_1", "Role")}) == ["CKV_AWS_1 on Role: not found any more"]


def test_reasons__each__says_something_about_a_resource_that_is_there() -> None:
    known = load_reasons(REASONS.read_text())

    names = {name for _, template in templates() for name in _resources(template)}
    assert {resource for _, resource in known} <= names
    assert all(len(reason.split()) > 2 for reason in known.values())


def _resources(template: object) -> list[str]:
    assert isinstance(template, dict)
    return [*template["Resources"]]
