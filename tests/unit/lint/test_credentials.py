from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.lint.credentials import KNOWN


@pytest.mark.parametrize(("marks", "pattern", "what"), KNOWN, ids=[what for *_, what in KNOWN])
def test_known__whatever_the_pattern_takes__has_one_of_the_marks(
    marks: tuple[str, ...], pattern: str, what: str
) -> None:
    del what

    @given(st.from_regex(pattern))
    def look(text: str) -> None:
        assert any(mark in text for mark in marks)

    look()
