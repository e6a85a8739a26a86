"""Only two modules start other programs, so that only two must filter what those get to see."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fsd

ROOT = Path(fsd.__path__[0])
# The embedded AWS runs services: what its children get is its whole job.
LOCAL = ROOT / "local"
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


def sources() -> Iterator[Path]:
    return (path for path in ROOT.rglob("*.py") if LOCAL not in path.parents)


def test_fsd__modules_that_start_children__git_and_docker() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if starts_children(path.read_text())}

    assert found == {"image/git.py", "image/docker.py"}


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
