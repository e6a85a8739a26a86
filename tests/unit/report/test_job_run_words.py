from __future__ import annotations

import pytest

from fsd.report.job_runs import run_start_text


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (("python", "manage.py", "migrate"), "web-dev:42: python manage.py migrate"),
        ((), "web-dev:42: its own command"),
    ],
    ids=["given", "none"],
)
def test_run_start_text__command__the_given_or_its_own(command: tuple[str, ...], text: str) -> None:
    assert run_start_text("web-dev:42", command) == text
