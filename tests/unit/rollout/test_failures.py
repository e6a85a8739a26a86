"""The table of failures, held to its own examples: each is its row's, and no other's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fsd.rollout import reasons
from fsd.rollout.failures import EVENT_FAILURES, FAILURES, Failure
from fsd.rollout.known_causes import QuotedText
from tests.mutants import without_anchors, without_one_anywhere

ACCOUNT = "210987654321"
TABLES = (FAILURES, EVENT_FAILURES)
ROWS = tuple((row, table) for table in TABLES for row in table)


def name(value: object) -> str:
    return f"{value.code} {value.summary}"[:60] if isinstance(value, Failure) else ""


def exit_code(row: Failure) -> int | None:
    return row.exit_codes[0] if row.exit_codes else None


def takers(said: QuotedText, table: tuple[Failure, ...], code: int | None = None) -> list[Failure]:
    """Every row that would take it; a rest, the first of them, only where no other does."""
    reason = reasons.read_reason(said.text, account=ACCOUNT)
    matching = [row for row in table if row.matches(reason, code)]
    return [row for row in matching if not row.is_rest] or matching[:1]


@pytest.mark.parametrize(("row", "table"), ROWS, ids=name)
def test_rows__examples__their_row_and_no_other(row: Failure, table: tuple[Failure, ...]) -> None:
    for said in row.examples():
        assert takers(said, table, exit_code(row)) == [row], said.text


@pytest.mark.parametrize(("row", "table"), [x for x in ROWS if x[0].unlike], ids=name)
def test_rows__looks_alike__another_row(row: Failure, table: tuple[Failure, ...]) -> None:
    for said in row.unlike:
        assert len(takers(said, table)) == 1, said.text
        assert row not in takers(said, table)


@pytest.mark.parametrize("row", EVENT_FAILURES, ids=name)
def test_rows__examples_of_events__no_task_is_known_in_them(row: Failure) -> None:
    for said in row.examples():
        assert all(taker.is_rest for taker in takers(said, FAILURES)), said.text


@pytest.mark.parametrize("row", FAILURES, ids=name)
def test_rows__examples_of_tasks__no_event_is_known_in_them(row: Failure) -> None:
    for said in row.examples():
        assert takers(said, EVENT_FAILURES) == [], said.text


@pytest.mark.parametrize("row", [row for row, _ in ROWS], ids=name)
def test_rows__sources__are_addresses(row: Failure) -> None:
    for said in (*row.examples(), *row.unlike):
        assert said.source.startswith("https://"), said.text


def answers(row: Failure) -> list[bool]:
    """What a row says to its own examples, and to what only looks like them."""
    return [
        row.matches(reasons.read_reason(said.text, account=ACCOUNT), exit_code(row))
        for said in (*row.examples(), *row.unlike)
    ]


@pytest.mark.parametrize("table", TABLES, ids=["tasks", "events"])
def test_rows__any_alternative_or_anchor_taken_away__an_example_is_lost(
    table: tuple[Failure, ...],
) -> None:
    """The rows share words: one row's example is enough for each."""
    noticed: set[str] = set()
    unnoticed: set[str] = set()
    for row in table:
        for part, left in (*without_one_anywhere(row.pattern), *without_anchors(row.pattern)):
            is_noticed = answers(replace(row, pattern=left)) != answers(row)
            (noticed if is_noticed else unnoticed).add(part)
        for part, left in without_one_anywhere(row.where):
            is_noticed = answers(replace(row, where=left)) != answers(row)
            (noticed if is_noticed else unnoticed).add(part)

    assert unnoticed - noticed == set()


@pytest.mark.parametrize("field", ["where", "unless"])
@pytest.mark.parametrize(("row", "table"), [x for x in ROWS if x[0].unless or x[0].where], ids=name)
def test_rows__what_narrows_it_taken_away__an_example_changes(
    row: Failure, table: tuple[Failure, ...], field: str
) -> None:
    if not getattr(row, field):
        return
    bare = replace(row, where="") if field == "where" else replace(row, unless="")
    texts = [said for other in table for said in (*other.examples(), *other.unlike)]

    assert any(
        bare.matches(reason, exit_code(row)) and not row.matches(reason, exit_code(row))
        for reason in (reasons.read_reason(said.text, account=ACCOUNT) for said in texts)
    )


def everything() -> Iterator[tuple[QuotedText, Failure, tuple[Failure, ...]]]:
    for row, table in ROWS:
        for said in (*row.examples(), *row.unlike):
            yield said, row, table


def verdicts() -> Iterator[list[Failure]]:
    for said, row, table in everything():
        yield takers(said, table, exit_code(row))


def test_stages__any_frame_or_anchor_taken_away__an_example_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = list(verdicts())
    unnoticed = []
    frames = reasons._STAGES
    for index, (pattern, stage) in enumerate(frames):
        others = (*frames[:index], *frames[index + 1 :])
        changed = [(pattern.pattern, others)]
        for part, left in (
            *without_one_anywhere(pattern.pattern),
            *without_anchors(pattern.pattern),
        ):
            mutant = (re.compile(left, re.IGNORECASE), stage)
            changed.append((part, (*others[:index], mutant, *others[index:])))
        for part, stages in changed:
            monkeypatch.setattr(reasons, "_STAGES", stages)
            if all(now == then for now, then in zip(verdicts(), before, strict=True)):
                unnoticed.append((stage, part))

    assert unnoticed == []


@pytest.mark.parametrize("filler", ["x ", "quay.io/a ", "a.", "task ", '"', "<", "arn:aws:x "])
def test_classify__long_hostile_text__in_time(filler: str) -> None:
    text = f"CannotPullContainerError: {filler * 50_000}"
    started = time.process_time()

    reason = reasons.read_reason(text)
    for row, _ in ROWS:
        row.matches(reason, None)

    assert time.process_time() - started < 3
