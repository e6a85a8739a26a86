"""The table of error codes and the errors that FSD raises say the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fsd
from fsd.aws import errors as aws_errors
from fsd.aws.causes import API_CAUSES
from fsd.errors import (
    CallFailedError,
    ExitCode,
    FsdError,
    Interrupted,
    ManifestError,
    RefusedError,
    TimedOutError,
    UsageError,
)
from fsd.image.causes import PUSH_CAUSES
from fsd.lint.pages import page_ids
from fsd.release.ports import PermissionDenied, Throttled
from fsd.report.error_codes import ERROR_CODES
from fsd.report.explanations import failure_codes

SOURCE = Path(fsd.__file__).parent
ERRORS: tuple[type[FsdError], ...] = (
    FsdError,
    UsageError,
    ManifestError,
    RefusedError,
    CallFailedError,
    TimedOutError,
    Interrupted,
    PermissionDenied,
    Throttled,
)


def raised() -> Iterator[tuple[str, ExitCode]]:
    """(code, exit code) of every error, from the calls that make one and from AWS's table."""
    classes = {error.__name__: error for error in ERRORS}
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                error = classes.get(node.func.id)
                if error is not None:
                    yield from ((code, error.exit_code) for code in codes_in(node))
    yield from ((error.code, error.exit_code) for error in ERRORS)
    known = [row.code for row in API_CAUSES if row.code] + [row.code for row in PUSH_CAUSES]
    local = [code for _, code, _ in aws_errors._LOCAL]
    yield from ((code, ExitCode.CALL_FAILED) for code in (*known, *local))


def codes_in(call: ast.Call) -> Iterator[str]:
    """The texts of `code=…`; `"a" if x else "b"` has two."""
    for keyword in call.keywords:
        if keyword.arg == "code":
            value = keyword.value
            branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            for node in branches:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_error_codes__every_code_that_is_raised__is_explained() -> None:
    explained = {row.code for row in ERROR_CODES} | {*page_ids(), *failure_codes()}
    missing = {code for code, _ in raised()} - explained

    assert missing == set(), "add a row to fsd.report.error_codes"


def test_error_codes__every_row__is_raised_with_this_exit_code() -> None:
    exits: dict[str, set[ExitCode]] = {}
    for code, exit_code in raised():
        exits.setdefault(code, set()).add(exit_code)
    exits["interrupted"].add(ExitCode.TERMINATED)

    assert {row.code: set(row.exits) for row in ERROR_CODES} == {
        row.code: exits.get(row.code) for row in ERROR_CODES
    }


def test_error_codes__ids__are_used_once() -> None:
    codes = [row.code for row in ERROR_CODES]

    assert len(set(codes)) == len(codes)
    assert not set(codes) & set(page_ids())
