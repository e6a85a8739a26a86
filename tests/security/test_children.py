"""Few modules start other programs, so that only those must filter what the programs see."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fsd

SOURCE = Path(fsd.__path__[0]).parent
# A fork (multiprocessing) starts no other program: it goes on in ours.
MODULES = frozenset({"subprocess", "pty", "pexpect", "sh"})
FUNCTIONS = frozenset({"system", "popen", "fork", "forkpty", "startfile", "posix_spawn"})


def starts_children(source: str) -> bool:
    """Whether a module imports what starts programs, or calls such a function of os or asyncio."""
    return any(_is_start(node) for node in ast.walk(ast.parse(source)))


def _is_start(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] in MODULES for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] in MODULES
        case ast.Attribute(value=ast.Name(id="os"), attr=attr):
            return attr in FUNCTIONS or attr.startswith(("exec", "spawn", "posix_spawn"))
        case ast.Attribute(attr=attr):
            return attr.startswith("create_subprocess_")
    return False


@pytest.mark.parametrize(
    ("package", "starting"),
    [
        ("fsd", {"image/git.py", "image/docker.py", "aws/session_plugin.py"}),
        ("fsd_files", set()),
        # Its server, the tasks, and what kills the tasks of a server that is gone; what installs
        # the packages of an image, with the environment of image/children.py and nothing else
        # (tests/local/image/test_installs.py), and what asks which Python there is.
        (
            "fsd_local",
            {"instance.py", "runtime/processes.py", "runtime/launcher.py", "runtime/orphans.py"}
            | {"runtime/terminals.py"}
            # A lifecycle hook's command, which its user has registered.
            | {"lambda_hooks.py"}
            | {"image/programs.py", "image/interpreters.py"},
        ),
    ],
)
def test_package__modules_that_start_children__are_known(package: str, starting: set[str]) -> None:
    root = SOURCE / package
    sources = {path: path.read_text() for path in root.rglob("*.py")}
    found = {str(path.relative_to(root)) for path, text in sources.items() if starts_children(text)}

    assert found == starting


def test_starts_children__each_way__is_seen() -> None:
    for source in (
        "import subprocess",
        "from subprocess import run",
        "import os; os.system('x')",
        "import os; os.execvp('x', [])",
        "import asyncio; asyncio.create_subprocess_exec('x')",
        "import pty",
    ):
        assert starts_children(source), source
    assert not starts_children("import os; os.environ")
