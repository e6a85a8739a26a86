"""The lines that run a folder's tests, by the files that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.scaffold.folder import MAX_BYTES, read_folder
from fsd.scaffold.testing import find_tests

TESTS = {"tests/test_a.py": "def test_a(): ...\n"}
POETRY = "[tool.poetry]\nname = 'x'\npackage-mode = false\n[build-system]\nrequires = []\n"
VENV = "python3 -m venv .venv"
CASES = [
    ({"tox.toml": ""}, ["pipx run tox"]),
    ({"pyproject.toml": "[tool.tox]\nenv_list = ['3.12']\n"}, ["pipx run tox"]),
    ({"noxfile.py": ""}, ["pipx run nox"]),
    ({"pyproject.toml": "[tool.hatch.envs.default.scripts]\ntest = 'pytest'\n"},
     ["pipx run hatch run test"]),
    ({"hatch.toml": "[envs.test.scripts]\ntest = 'pytest'\n"}, ["pipx run hatch run test:test"]),
    ({"hatch.toml": "[envs.test.scripts]\nrun = 'pytest -q'\n"}, ["pipx run hatch run test:run"]),
    ({"hatch.toml": "[envs.test.scripts]\nrun = 'main'\n"}, ["pipx run hatch test"]),
    ({"pyproject.toml": "[tool.hatch.envs.lint]\n"}, ["pipx run hatch test"]),
    ({"pdm.lock": "", "pyproject.toml": "# pytest"},
     ["pipx run pdm sync --dev", "pipx run pdm run pytest"]),
    ({"Pipfile.lock": "", "Pipfile": "[dev-packages]\npytest = '*'\n"},
     ["pipx run pipenv sync --dev", "pipx run pipenv run pytest"]),
    ({"uv.lock": "", "pyproject.toml": "[project]\nname = 'x'\n"},
     ["pipx run uv sync --frozen", "pipx run uv run --frozen --with pytest pytest"]),
    ({"poetry.lock": "#" * (MAX_BYTES + 1), "pyproject.toml": POETRY},
     ["pipx run poetry install", "pipx run poetry run pip install pytest",
      "pipx run poetry run pytest"]),
    ({"pyproject.toml": POETRY}, [VENV, ".venv/bin/pip install pytest",
                                  ".venv/bin/python -m pytest"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "lines"), CASES)
def test_find_tests__tool__its_own_lines(
    tmp_path: Path, files: dict[str, str], lines: list[str]
) -> None:
    for name, text in {**TESTS, **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    found = find_tests(read_folder(tmp_path))

    assert (list(found.lines), found.found) == (lines, True)


@pytest.mark.parametrize("name", ["shop/tests.py", "shop/tests/test_models.py"])
def test_find_tests__django__manage_py_test(tmp_path: Path, name: str) -> None:
    for path in ("manage.py", name, "requirements.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")

    found = find_tests(read_folder(tmp_path))

    assert found.lines[-1] == ".venv/bin/python manage.py test"
    assert found.found
