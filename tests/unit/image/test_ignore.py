from __future__ import annotations

from pathlib import Path

import pytest

from fsd_files.ignore import load_ignore, parse_ignore


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("*.pyc", "a.pyc", True),
        ("*.pyc", "pkg/a.pyc", False),  # anchored, unlike .gitignore
        ("**/*.pyc", "pkg/deep/a.pyc", True),
        ("**/*.pyc", "a.pyc", True),
        ("node_modules", "node_modules/x/y.js", True),
        ("/build/", "build/out", True),
        ("./build", "build/out", True),
        ("build", "rebuild", False),
        ("temp?", "tempa", True),
        ("temp?", "temp", False),
        ("[ab].txt", "b.txt", True),
        ("a.b", "axb", False),
        ("# *", "# *", False),
        ("*\n!app.py", "app.py", False),
        ("*\n!app.py", "other.py", True),
        ("!app.py\n*", "app.py", True),  # the last one wins
        ("docs\n!docs/README.md", "docs/README.md", False),
        ("docs\n!docs/README.md", "docs/a.md", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("", "anything", False),
    ],
)
def test_excludes__pattern__as_docker_has_it(patterns: str, path: str, expected: bool) -> None:
    assert parse_ignore(patterns).excludes(path) is expected


@pytest.mark.parametrize(
    ("patterns", "folder", "expected"),
    [
        ("*\n!app.py", "src", False),
        ("*\n!src/app.py", "src", True),
        ("*\n!src/app.py", "src/deep", False),
        ("*\n!**/keep", "any/where", True),
        ("docs\n!docs", "docs/deep", True),
    ],
)
def test_may_hold_exceptions__excluded_folder__entered_only_where_it_matters(
    patterns: str, folder: str, expected: bool
) -> None:
    assert parse_ignore(patterns).may_hold_exceptions(folder) is expected


def test_load_ignore__file_beside_the_dockerfile__wins(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Special.dockerignore").write_text("b\n")

    found = load_ignore(tmp_path, tmp_path / "Special")

    assert [found.excludes("a"), found.excludes("b")] == [False, True]


def test_load_ignore__no_file__excludes_nothing(tmp_path: Path) -> None:
    assert load_ignore(tmp_path, tmp_path / "Dockerfile").patterns == ()
