"""No text of the Action names an option of the command line: every error of the source is tried."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fsd.action.remedies import (
    INPUTS,
    error_in_workflow,
    finding_in_workflow,
    in_workflow,
    result_in_workflow,
)
from fsd.app.user_text import InvalidFileError
from fsd.cli.main import cli
from fsd.error_codes import ErrorCode
from fsd.errors import RefusedError
from fsd.manifest.finding import Finding, Severity
from fsd.release.result import Outcome
from fsd.report.follow_ups import follow_up_texts
from fsd.report.messages import message_text
from tests.unit.report.results import make_result

SOURCE = Path(__file__).parent.parent.parent.parent / "src" / "fsd"
# Never run by the Action: the embedded AWS, and commands that only a person gives.
ELSEWHERE = (
    "local/",
    "cli/init.py",
    "app/import_.py",
    "app/init.py",
    "app/init_answers.py",
    "app/new_files.py",
    "app/saved_plan.py",
    "cli/import_.py",
    "importing/",
    "aws/running_service.py",
    "cli/validate.py",
    "cli/delete.py",
    "app/workflow_files.py",
    "app/validate.py",
    "app/fixes.py",
    "app/manifest_files.py",
    "scaffold/",
    "lint/workflows/",
    "cli/fixes.py",
    "cli/local.py",
    "cli/import_.py",
    "aws/running_service.py",
)
WORDS = ("what", "where", "fix", "message", "advice", "next_steps", "summary")


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (name for name in parameter.opts if name.startswith("--"))
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _options(each)


def _deploying() -> set[str]:
    context = click.Context(cli)
    names = ("deploy", "plan", "rollback", "restart", "scale", "status", "history")
    commands = [cli.get_command(context, name) for name in names]
    found = {name for each in commands if each is not None for name in _options(each)}
    return found - {"--help"}


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.FormattedValue():
            return "value"
        case ast.BinOp(left=left, right=right):
            return _text(left) + _text(right)
    return ""


def _texts() -> Iterator[tuple[str, str]]:
    """(place, text) of every string literal that reads like a sentence with an option."""
    for file in sorted(SOURCE.rglob("*.py")):
        name = str(file.relative_to(SOURCE))
        if name.startswith(ELSEWHERE):
            continue
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "--" in source else ():
            values: list[ast.expr] = []
            if isinstance(node, ast.Call):
                raises = getattr(node.func, "id", "").endswith("Error")
                values += node.args[:1] if raises else []
                values += [k.value for k in node.keywords if k.arg in WORDS]
            if isinstance(node, ast.Assign):
                values += [
                    node.value
                    for target in node.targets
                    if isinstance(target, ast.Name) and target.id in WORDS
                ]
            for value in values:
                for text in (_text(each) for each in ast.walk(value) if isinstance(each, ast.expr)):
                    if "--" in text:
                        yield f"{name}:{value.lineno}", text


TEXTS = sorted(dict.fromkeys(_texts()))
CODES = [(row, row.advice) for row in ErrorCode if "--" in row.advice]
EXAMPLES = (
    (
        "wait for it with --wait-for-lock, or take over with --supersede",
        "wait for it with `in-flight: wait`, or take over with `in-flight: supersede`",
    ),
    (
        "deploy the newer commit; to go back:  fsd rollback --service x --env prod, "
        "or --allow-older",
        "deploy the newer commit; to go back:  a run with the input `rollback-to: previous`, "
        "or `allow-older: true`",
    ),
    (
        "run the same fsd deploy again: it attaches to the deployment in flight",
        "run this workflow again: it attaches to the deployment in flight",
    ),
    ("wait for it: fsd status --watch", "wait for it: fsd status"),
    (
        "correct it; `fsd validate --file x.yml` checks the file again",
        "correct it; `fsd validate` checks the file again",
    ),
    (
        "write one there, name another with --dockerfile, or pass --image",
        "write one there, name another with `dockerfile`, or pass `image`",
    ),
    (
        "set `minCount: 2`, or use `--override resources.minCount=2` for prod only",
        "set `minCount: 2`, or use `overrides: resources.minCount=2` for prod only",
    ),
    ("git config --global --add safe.directory /x", "git config --global --add safe.directory /x"),
    (
        "aws secretsmanager describe-secret --secret-id a --query ARN",
        "aws secretsmanager describe-secret --secret-id a --query ARN",
    ),
)


def test_inputs__every_option_of_the_commands_that_deploy__is_said() -> None:
    assert {o for o in _deploying() if o not in INPUTS} <= NOT_IN_A_FIX


# They shape what a command shows, or are of commands that the Action does not run.
NOT_IN_A_FIX = frozenset(
    {
        "--allow-run",
        "--format",
        "--out",
        "--plan",
        "--watch",
        "--detailed-exitcode",
        "--count",
        "--limit",
        "--drift",
        "--cluster",
        "--exit-zero",
    }
)


@pytest.mark.parametrize(("place", "text"), [*TEXTS, *CODES])
def test_in_workflow__every_error_of_the_source__names_no_option(place: str, text: str) -> None:
    said = in_workflow(text)

    ours = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said))
    assert not ours & _deploying(), (place, said)


def test_texts__of_the_source__are_many() -> None:
    assert len(TEXTS) > 15


def test_error_in_workflow__with_findings__all_of_it_is_said_for_a_workflow() -> None:
    finding = Finding(
        id="x", severity=Severity.ERROR, where="--override", message="m", fix="say --override"
    )
    error = InvalidFileError([finding], sources={}, path="a.yml")

    told = error_in_workflow(error)

    assert isinstance(told, InvalidFileError)
    assert told.findings == (finding_in_workflow(finding),)
    assert "--" not in str(told).replace("-->", "")
    assert str(error) != str(told)  # the error itself is left alone


def test_error_in_workflow__plain__keeps_code_and_exit() -> None:
    error = RefusedError(
        "a --image", where="--image", fix="leave --image out", code=ErrorCode.IMAGE_REFERENCE
    )

    told = error_in_workflow(error)

    assert (told.what, told.where, told.fix) == ("a `image`", "`image`", "leave `image` out")
    assert (told.code, told.exit_code, str(error.where)) == (error.code, error.exit_code, "--image")


def test_result_in_workflow__message_and_next_steps__name_inputs() -> None:
    result = make_result(
        outcome=Outcome.ROLLBACK_FAILED,
        message="not rolled back (--no-rollback)",
        next_steps=("fsd status --service x --env dev --watch",),
    )

    told = result_in_workflow(result)

    assert message_text(told.message) == "not rolled back (`rollback: false`)"
    assert follow_up_texts(told.next_steps) == ("fsd status",)


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_in_workflow__sentence__is_still_one(text: str, expected: str) -> None:
    assert in_workflow(text) == expected
