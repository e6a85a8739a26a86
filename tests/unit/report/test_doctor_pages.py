from __future__ import annotations

import pytest

from fsd.account.checks import Check
from fsd.report.doctor_pages import DOCTOR_PAGES
from fsd.report.explanations import explanation_json, explanation_text, find_explanation, known_ids


@pytest.mark.parametrize("check", Check)
def test_find_explanation__every_finding_of_doctor__has_a_page(check: Check) -> None:
    explanation = find_explanation(check)

    assert explanation is not None
    text = explanation_text(explanation)
    assert text.startswith(f"{check} · finding of fsd doctor\n")
    assert "  what to do          " in text
    assert explanation_json(explanation)["kind"] == "doctor"
    assert check in known_ids()


def test_doctor_pages__none_is_left_over() -> None:
    assert DOCTOR_PAGES.keys() == {str(check) for check in Check}
