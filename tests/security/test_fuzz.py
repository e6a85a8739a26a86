"""A slice of the fuzz, with a fixed seed; `python -m tests.security.fuzz` tries more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fsd.manifest.ref_patterns import matches
from tests.security.fuzz import PARSERS, inputs, run
from tests.security.test_hostile_contexts import in_time

SLICE = 1_500


@pytest.mark.parametrize("seed", [1, 2])
def test_parsers__damaged_texts__an_answer_or_an_error_of_ours(
    seed: int, count_inputs: Callable[[int], None]
) -> None:
    faults, tried, _ = run(seed, SLICE)
    count_inputs(tried.total())

    assert [str(fault) for fault in faults] == []
    assert set(tried) == {parser.name for parser in PARSERS}


@pytest.mark.parametrize(
    ("pattern", "name", "is_in"),
    [
        ("[" + "1-" * 2_000, "1", False),
        ("[" + "a-z" * 2_000 + "$", "a", False),
        ("[a--b]", "-", True),
        ("[.-a]", "-", True),
        ("[0-9-]+", "1-2", True),
        ("[a-c]x", "bx", True),
    ],
)
def test_matches__class_that_a_fuzz_found__in_time_and_as_written(
    pattern: str, name: str, is_in: bool
) -> None:
    with in_time():
        assert matches([pattern], name) is is_in


def test_inputs__same_seed__same_texts() -> None:
    assert [text for _, text in inputs(3, 50)] == [text for _, text in inputs(3, 50)]
