"""An error has the exit code and the documentation of its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.errors import CallFailedError, ErrorCode, ExitCode, FsdError, RefusedError, UsageError
from fsd.lint.pages import page_ids

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (RefusedError("x", where="y", fix="z"), ErrorCode.REFUSED, ExitCode.REFUSED),
        (
            UsageError("x", where="y", fix="z", code=ErrorCode.SERVICE_NOT_FOUND),
            ErrorCode.SERVICE_NOT_FOUND,
            ExitCode.USAGE,
        ),
        (
            CallFailedError("x", where="y", fix="z", code=ErrorCode.SERVICE_NOT_FOUND),
            ErrorCode.SERVICE_NOT_FOUND,
            ExitCode.CALL_FAILED,
        ),
        (
            CallFailedError("x", where="y", fix="z", code=ErrorCode.POLICY_TOO_LONG),
            ErrorCode.POLICY_TOO_LONG,
            ExitCode.INVALID_MANIFEST,
        ),
        (
            FsdError("x", where="y", fix="z", exit_code=ExitCode.TERMINATED),
            ErrorCode.INTERNAL,
            ExitCode.TERMINATED,
        ),
    ],
)
def test_error__code_and_class__exit_code_that_the_code_documents(
    error: FsdError, code: ErrorCode, exit_code: ExitCode
) -> None:
    assert (error.code, error.exit_code) == (code, exit_code)


def test_error__as_text__code_what_where_fix() -> None:
    error = RefusedError("it runs", where="dev", fix="wait", code=ErrorCode.DEPLOYMENT_IN_FLIGHT)

    assert str(error) == "error[deployment-in-flight]: it runs\n  --> dev\n  fix: wait"


@pytest.mark.parametrize("code", ErrorCode)
def test_page__every_code__exists_and_has_its_heading_or_row(code: ErrorCode) -> None:
    page, _, anchor = code.page.partition("#")
    text = (ROOT / page).read_text()

    assert f"\n### {anchor}\n" in text or f"\n| `{code}` |" in text
    assert (code in page_ids()) == (not code.meaning)


@pytest.mark.parametrize("code", ErrorCode)
def test_error_code__name__is_its_id(code: ErrorCode) -> None:
    assert code.name.lower().replace("_", "-") == code.value
