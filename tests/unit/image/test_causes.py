"""What Docker's engine says of pushes and base images, held to its own examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.image.causes import BUILD_CAUSES, PUSH_CAUSES, advise_build
from fsd.image.docker import push_failed
from fsd.rollout.known_causes import Known, QuotedText, find_known
from fsd.rollout.reasons import cut_names
from tests.mutants import without_anchors, without_one_anywhere

TABLES = (PUSH_CAUSES, BUILD_CAUSES)
ROWS = [(table, row) for table in TABLES for row in table]


def name(value: object) -> str:
    return value.words[:60] if isinstance(value, Known) else ""


def takers(said: QuotedText, table: tuple[Known, ...]) -> list[Known]:
    words = cut_names(said.text)
    matching = [row for row in table if row.matches(words)]
    return [row for row in matching if not row.is_rest] or matching


@pytest.mark.parametrize(("table", "row"), ROWS, ids=name)
def test_find_known__examples__their_row_and_no_other(table: tuple[Known, ...], row: Known) -> None:
    assert row.examples
    for said in row.examples:
        assert said.source.startswith("https://")
        assert takers(said, table) == [row], said.text
        assert find_known(table, said.text) is row
    for said in row.unlike:
        assert row not in takers(said, table), said.text


@pytest.mark.parametrize("table", TABLES, ids=("push", "build"))
def test_rows__any_alternative_taken_away__an_example_is_lost(table: tuple[Known, ...]) -> None:
    lost = {
        (name(row), part)
        for row in table
        for part, left in without_one_anywhere(row.words)
        if all(replace(row, words=left).matches(cut_names(said.text)) for said in row.examples)
    }

    assert lost == set()


@pytest.mark.parametrize("row", [row for _, row in ROWS if row.words.startswith("^")], ids=name)
def test_rows__frame_taken_away__words_of_a_step_are_taken_for_it(row: Known) -> None:
    """BuildKit prints the output of a step as `#7 12.3 …`; it may hold any words."""
    step = "#7 12.3 " + cut_names(row.examples[0].text)

    assert not row.matches(step)
    assert all(replace(row, words=mutant).matches(step) for _, mutant in without_anchors(row.words))


@pytest.mark.parametrize(
    ("said", "code", "fix", "may_pass"),
    [
        ("EOF", "push-failed", "repository exists", True),
        ("toomanyrequests: Rate exceeded", "push-failed", "wait a minute", True),
        ("denied: Your authorization token has expired. Reauthenticate and try again.",
         "login-expired", "run it again", False),
        ("no basic auth credentials", "push-denied", "login", False),
        ("received unexpected HTTP status: 500 Internal Server Error", "push-failed",
         "run it again", True),
        ("denied: User: arn:aws:sts::210987654321:assumed-role/ci/run is not authorized to "
         "perform: ecr:PutImage on resource: arn:aws:ecr:eu-west-1:310987654321:repository/web "
         "because no resource-based policy allows the ecr:PutImage action", "push-denied",
         "allow ecr:PutImage in the resource-based policy of arn:aws:ecr:eu-west-1:310987654321:"
         "repository/web", False),
    ],
)  # fmt: skip
def test_push_failed__what_the_engine_says__code_and_advice(
    said: str, code: str, fix: str, may_pass: bool
) -> None:
    error = push_failed(said, reference="210987654321.dkr.ecr.eu-west-1.amazonaws.com/web:1")

    assert (error.code, error.may_pass) == (code, may_pass)
    assert fix in error.fix
    assert error.what == f"docker push: {said}"


def test_advise_build__a_step_failed__its_own_words() -> None:
    tail = [
        "#9 0.412 pip: toomanyrequests: 429 Too Many Requests",
        'ERROR: failed to solve: process "/bin/sh -c pip install x" did not complete: exit code: 1',
    ]

    assert advise_build(tail) == ""


def test_advise_build__base_image_did_not_come__said_behind_other_lines() -> None:
    tail = [
        "#2 ERROR",
        "ERROR: failed to solve: python:9: failed to resolve source metadata for "
        "docker.io/library/python:9: docker.io/library/python:9: not found",
        "------",
    ]

    assert advise_build(tail).startswith("correct FROM")
