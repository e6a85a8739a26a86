"""The architecture page draws the layers that are checked, and names what exists."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:src|tests)/[\w/.]+?\.py)(?:::(\w+))?`", PAGE)))
TO_BE_WRITTEN = {"ID.py", "NAME.py"}


def names_in(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name):
                names.add(name)
    return names


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_architecture__files_and_functions__exist(path: str, name: str) -> None:
    file = ROOT / path
    if file.name in TO_BE_WRITTEN:
        assert file.parent.is_dir()
        return
    assert file.is_file()
    assert not name or name in names_in(file)


def test_architecture__layers__are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    drawing = PAGE.partition("```text\n")[2].partition("```")[0].splitlines()

    assert [re.split(r" {2,}", line)[0] for line in drawing] == layers


def test_architecture__long_files_of_the_embedded_aws__each_has_its_reason() -> None:
    long = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "src" / "fsd_local").rglob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > 500
    }
    reasons = set(re.findall(r"^\| `(src/fsd_local/[\w/]+\.py)` \|", PAGE, re.MULTILINE))

    assert long <= reasons
