"""The table of AWS's refusals, held to its own examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.aws.causes import API_CAUSES, ApiCause, find_cause
from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import cut_names
from tests.mutants import alternatives, without_one_anywhere


def parts(said: QuotedText) -> tuple[str, str]:
    code, _, message = said.text.partition(": ")
    return code, message


def name(row: ApiCause) -> str:
    return f"{row.code or 'call-failed'} {row.words or row.aws}"[:60]


def takers(said: QuotedText, rows: tuple[ApiCause, ...] = API_CAUSES) -> list[ApiCause]:
    """Every row that would take it; those of a code alone only where no words are known."""
    code, message = parts(said)
    words = cut_names(message)
    matching = [row for row in rows if row.answers(code, words)]
    return [row for row in matching if row.words] or matching


@pytest.mark.parametrize("row", API_CAUSES, ids=name)
def test_find_cause__examples__their_row_and_no_other(row: ApiCause) -> None:
    assert row.examples
    for said in row.examples:
        assert takers(said) == [row], said.text
        assert find_cause(*parts(said)) is row


@pytest.mark.parametrize("row", [row for row in API_CAUSES if row.unlike], ids=name)
def test_find_cause__looks_alike__another_row(row: ApiCause) -> None:
    for said in row.unlike:
        assert len(takers(said)) == 1, said.text
        assert row not in takers(said)


@pytest.mark.parametrize("row", API_CAUSES, ids=name)
def test_rows__sources__are_addresses(row: ApiCause) -> None:
    for said in (*row.examples, *row.unlike):
        assert said.source.startswith("https://")


def test_rows__any_alternative_taken_away__an_example_is_lost() -> None:
    lost = {
        (name(row), part)
        for row in API_CAUSES
        for part, left in without_one_anywhere(row.words)
        if all(replace(row, words=left).answers(parts(s)[0], cut_names(parts(s)[1]))
               for s in row.examples)
    }  # fmt: skip

    assert lost == set()


@pytest.mark.parametrize(
    ("pattern", "parts_"),
    [("a|b", ("a", "b")), ("a(b|c)|d", ("a(b|c)", "d")), (r"a\|b", (r"a\|b",)), ("[|]", ("[|]",))],
)
def test_alternatives__only_those_of_the_whole(pattern: str, parts_: tuple[str, ...]) -> None:
    assert alternatives(pattern) == parts_
