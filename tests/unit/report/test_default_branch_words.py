"""What a run says of the default branch's environments file."""

from __future__ import annotations

import pytest

from fsd.report.default_branch import (
    BranchNote,
    DiffersHere,
    FileHasErrors,
    FileUnread,
    MissingHere,
    Protected,
    SourceOf,
    branch_note_text,
)

FILE = ".fsd/environments.yml"


@pytest.mark.parametrize(
    ("note", "text"),
    [
        (
            FileUnread(file=FILE, branch="main", error="GitHub answered 503"),
            f"{FILE} could not be read on main: GitHub answered 503; what the checkout says of "
            "protected environments counts",
        ),
        (
            FileHasErrors(file=FILE, branch="main"),
            f"{FILE} has errors on main; what the checkout says of protected environments counts",
        ),
        (
            MissingHere(environment="prod", why=Protected(), branch="main"),
            "prod is protected on main, and missing here: main's counts",
        ),
        (
            DiffersHere(
                environment="qa",
                why=SourceOf(environment="prod"),
                branch="main",
                keys=("account", "role"),
            ),
            "qa is the source of promotions to prod, so main's environments file counts; here it "
            "differs in account, role",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_branch_note_text__each(note: BranchNote, text: str) -> None:
    assert branch_note_text(note) == text
