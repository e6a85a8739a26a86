"""Where Poetry installs to in an image's folder, and what it asks without a JSON API."""

from __future__ import annotations

import pytest

from fsd_local.image.poetry import export_argv, found_no_packages, installs_into_system

NONE = "  Unable to find installation candidates for anyio (4.2.0)"
CONFIG = "[virtualenvs]\ncreate = {}\n"


@pytest.mark.parametrize(
    ("variables", "files", "is_system"),
    [
        ({}, {}, False),
        ({"POETRY_VIRTUALENVS_CREATE": "false"}, {}, True),
        ({"POETRY_VIRTUALENVS_CREATE": "0"}, {}, True),
        ({"POETRY_VIRTUALENVS_CREATE": "true"}, {"/app/poetry.toml": "false"}, False),
        ({}, {"/root/.config/pypoetry/config.toml": "false"}, True),
        ({}, {"/root/.config/pypoetry/config.toml": "true"}, False),
        ({"POETRY_CONFIG_DIR": "/etc/poetry"}, {"/etc/poetry/config.toml": "false"}, True),
        ({}, {"/app/poetry.toml": "true", "/root/.config/pypoetry/config.toml": "false"}, False),
        # An environment that the image made is the active one already.
        ({"VIRTUAL_ENV": "/opt/venv", "POETRY_VIRTUALENVS_CREATE": "false"}, {}, False),
    ],
)
def test_installs_into_system(
    variables: dict[str, str], files: dict[str, str], is_system: bool
) -> None:
    def read(path: str) -> str:
        return CONFIG.format(files[path]) if path in files else ""

    assert installs_into_system(variables, "/root", "/app", read) is is_system


def test_installs_into_system__file_that_is_not_toml__is_not_read() -> None:
    assert not installs_into_system({}, "/root", "/app", lambda _path: "[virtualenvs")


@pytest.mark.parametrize(
    ("argv", "lines", "is_found"),
    [
        (["/usr/local/bin/python", "/usr/local/bin/poetry", "install"], [NONE], True),
        (["uv", "tool", "run", "--from", "poetry", "poetry", "sync"], [NONE], True),
        (["/usr/local/bin/poetry", "build"], [NONE], False),
        (["/usr/local/bin/poetry", "install"], ["SolverProblemError"], False),
        (["/usr/local/bin/python", "-m", "pip", "install", "poetry-core"], [NONE], False),
    ],
)
def test_found_no_packages(argv: list[str], lines: list[str], is_found: bool) -> None:
    assert found_no_packages(argv, lines) is is_found


@pytest.mark.parametrize(
    ("words", "project", "chosen"),
    [
        (["--only", "main", "--no-root", "--no-interaction"], "", ["--only", "main"]),
        (["--no-dev", "-E", "pg"], "", ["--only", "main", "-E", "pg"]),
        (["--without=dev", "--all-extras"], "", ["--without=dev", "--all-extras"]),
        ([], "[tool.poetry.group.test]\n[tool.poetry.group.docs]\noptional = true\n",
         ["--with", "test"]),
        (["--no-root"], "[tool.poetry.dev-dependencies]\n", ["--with", "dev"]),
        ([], "", []),
    ],
)  # fmt: skip
def test_export_argv__groups_of_the_installation(
    words: list[str], project: str, chosen: list[str]
) -> None:
    argv = ["/usr/local/bin/poetry", "install", *words]

    found = export_argv(argv, "/usr/local/bin/python", project, "/image/locked.txt")

    assert found is not None
    assert found[found.index("/image/locked.txt") + 1 :] == chosen


def test_export_argv__version_that_is_named__is_the_one_that_reads_the_lock() -> None:
    tool = ["uv", "tool", "run", "--from", "poetry==1.4.0", "poetry", "install"]

    found = export_argv(tool, "/usr/local/bin/python", "", "/image/locked.txt")

    assert found is not None
    assert found[found.index("--from") + 1] == "poetry==1.4.0"
