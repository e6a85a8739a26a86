"""A check that is silenced says why, in its line: `# type: ignore[arg-type]  # fields of Look`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("src", "tests", "scripts", "benchmarks", "examples")
# What silences ruff, mypy, coverage and vulture; then the check's name; then the reason.
SILENCE = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma:|ruff:)")
REASONED = re.compile(r"#\s*(?:noqa:\s*\w+(?:,\s*\w+)*|type:\s*ignore\[[\w, -]+\])\s*#\s*\w.*")


def silenced(source: str) -> Iterator[str]:
    """The comments that silence a check, and do not name it and say why."""
    if not SILENCE.search(source):  # Most files: nothing to tokenize.
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_silencing = token.type == tokenize.COMMENT and SILENCE.search(token.string)
        if is_silencing and not REASONED.fullmatch(token.string):
            yield f"{token.start[0]}: {token.string}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_silenced_checks__every_file__each_names_the_check_and_says_why(folder: str) -> None:
    found = {
        str(file.relative_to(ROOT)): lines
        for file in sorted((ROOT / folder).rglob("*.py"))
        if (lines := list(silenced(file.read_text(encoding="utf-8"))))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("x = 1  # noqa", True),
        ("x = 1  # noqa: E501", True),
        ("x = 1  # type: ignore  # why", True),
        ("x = 1  # type: ignore[misc]", True),
        ("x = 1  # pragma: no cover", True),
        ("x = 1  # type: ignore[misc, arg-type]  # a default", False),
        ("x = 1  # noqa: SIM905, E501  # reads better", False),
        ("x = '# noqa'", False),
        ("x = 1  # says what noqa means", False),
    ],
)
def test_silenced__kinds__only_those_without_name_or_reason(line: str, is_found: bool) -> None:
    assert bool(list(silenced(f"{line}\n"))) is is_found
