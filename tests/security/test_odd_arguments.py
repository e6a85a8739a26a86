"""Names that nobody gives on purpose, to every command: a documented error of printable text."""

from __future__ import annotations

import ast
import json
from itertools import product
from pathlib import Path

import pytest

import fsd
from fsd.cli.main import run
from fsd.error_codes import ErrorCode
from fsd.importing.values import read_values
from fsd_files.dockerfile import parse_dockerfile

SOURCES = Path(fsd.__file__).parent.parent
NAMES = (
    "p{{", "{{resolve:ssm:x}}", "${x}", "p\nq", "\x1b[31m", "\x9b2J", "\u202e", "", "A", "a" * 300,
    "é", "../x", "*", "a b", "-x", "p\0q", "::error::x", "'; rm -rf /", '"}',
)  # fmt: skip
COMMANDS = {
    "validate": [],
    "plan": [],
    "build": [],
    "push": [],
    "changed": [],
    "deploy": ["--image", "x:1"],
    "status": ["--service", "web"],
    "history": ["--service", "web"],
    "logs": ["--service", "web"],
    "rollback": ["--service", "web"],
    "scale": ["--service", "web", "--count", "1"],
    "restart": ["--service", "web"],
    "delete": ["--service", "web", "--yes"],
    "bootstrap": ["--service", "web", "--repo", "o/r", "--template"],
    "doctor": [],
    "iam": ["--service", "web", "--repo", "o/r"],
    "run": ["--service", "web"],
    "diagnose": ["--service", "web"],
}
SERVICE = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: web, pack: p, owners: ["@org/p"]}
service: {type: ecs}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "service.yml").write_text(SERVICE)
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_ACTIONS", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def check_refused(capsys: pytest.CaptureFixture[str], code: int) -> None:
    said = capsys.readouterr().err
    found = said.partition("[")[2].partition("]")[0]
    assert (code in (2, 3, 4), found in {*ErrorCode, "usage"}) == (True, True), said
    assert all(line.isprintable() for line in said.split("\n")), repr(said)


@pytest.mark.parametrize(("command", "number"), list(product(COMMANDS, range(len(NAMES)))))
@pytest.mark.usefixtures("folder")
def test_command__odd_environment__refused_in_printable_words(
    command: str, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([command, *COMMANDS[command], f"--env={NAMES[number]}"])

    check_refused(capsys, code)


@pytest.mark.parametrize(
    ("option", "number"), list(product(("--repo", "--service"), range(len(NAMES))))
)
@pytest.mark.parametrize("output", ["--template", "--terraform"])
@pytest.mark.usefixtures("folder")
def test_bootstrap__odd_name__reaches_no_template(
    option: str, number: int, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = {"--repo": "o/r", "--service": "web"}
    rest[option] = NAMES[number]
    if option == "--repo" and NAMES[number] == "":
        return  # as without it

    code = run(["bootstrap", "--env=dev", *(f"{key}={text}" for key, text in rest.items()), output])

    check_refused(capsys, code)


# What comes from our own hands.
OURS = {
    "fsd/app/saved_plan.py",
    "fsd/aws/stacks.py",
    "fsd/plan/unnamed.py",
    "fsd/account/terraform.py",
}


def test_source__json_of_others__is_caught_however_deep() -> None:
    """A parser that recurses raises RecursionError, which is no ValueError."""
    found = set()
    for package in ("fsd", "fsd_files"):
        for path in (SOURCES / package).rglob("*.py"):
            name = str(path.relative_to(SOURCES))
            if name not in OURS and _loads_unguarded(ast.parse(path.read_text())):
                found.add(name)

    assert found == set()


def _loads_unguarded(tree: ast.AST) -> bool:
    guarded = {
        call
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        and any("RecursionError" in ast.dump(handler) for handler in node.handlers)
        for part in node.body
        for call in ast.walk(part)
    }
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("json.loads", "json.load")
        and node not in guarded
        for node in ast.walk(tree)
    )


def test_exec_form__nested_beyond_all_depth__is_for_the_shell() -> None:
    (instruction,) = parse_dockerfile(f"CMD {'[' * 100_000}")[-1:]

    assert instruction.exec_form() is None


def test_read_values__half_a_character__is_no_text() -> None:
    assert read_values(json.dumps({"a": "\ud800"}), path="td.json") is None
