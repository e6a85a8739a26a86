"""Which commands of a RUN install Python packages, and as what they are run.

Commands are told by their names and first arguments. What is not known is not run.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from fsd_local.image.files import FILE_CHANGES
from fsd_local.image.interpreters import find_uv

_PIP = re.compile(r"pip(3(\.\d+)?)?")
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_MODULES = frozenset(
    {"pip", "venv", "virtualenv", "ensurepip", "build", "compileall", "uv", "poetry", "pdm"}
    | {"pipenv"}
)
_SETUP = frozenset({"install", "develop", "build", "build_ext", "bdist_wheel", "sdist"})
_UV = frozenset({"pip", "sync", "venv", "export", "lock", "add", "build", "tool", "init"})
_SUBCOMMANDS: Mapping[str, frozenset[str]] = {
    "poetry": frozenset({"install", "sync", "config", "export", "build", "lock", "add", "self"}),
    "pdm": frozenset(
        {"install", "sync", "config", "use", "export", "build", "lock", "add", "venv"}
    ),
    "pipenv": frozenset({"install", "sync", "requirements", "lock", "verify"}),
}
_RUNNERS = frozenset({"poetry", "pdm", "pipenv", "uv"})
# What changes nothing that a process task could miss: lists of packages, caches, and users, whom
# processes do not have.
_NOTHING = frozenset(
    {"true", ":", "set", "chown", "chgrp", "useradd", "adduser", "groupadd", "addgroup", "usermod"}
    | {"groupmod", "deluser", "userdel", "delgroup", "setfacl", "shopt", "trap", "exit"}
    | {"hash", "ldconfig", "sync", "umask", "unset", "sleep", "date", "env", "ls", "pwd", "which"}
    | {"whoami", "id", "uname", "locale-gen", "update-ca-certificates", "chsh", "passwd", "su"}
)
_OF_PACKAGES = frozenset({"apt", "apt-get", "apk", "yum", "dnf", "microdnf"})
_WITHOUT_LOSS = frozenset(
    {"update", "clean", "autoclean", "autoremove", "remove", "purge", "upgrade", "dist-upgrade"}
    | {"del", "cache", "makecache", "full-upgrade"}
)
_REMOVES = re.compile(r"(/var/|/tmp|/root/\.cache|~/\.cache|\$HOME/\.cache|/usr/share/|/etc/apt/)")
# https://python-poetry.org/docs/#installing-with-the-official-installer and the like of it
_INSTALLER = re.compile(
    r"install\.python-poetry\.org|(?:install|get)-poetry\.py|astral\.sh/uv/|install-pdm\.py"
)
_FILE_TOOLS = frozenset(
    {"cp", "mv", "ln", "touch", "cat", "rm", "rmdir", "sed", "tr", "cut", "sort", "uniq", "head"}
    | {"tail", "echo", "printf", "tar", "gzip", "gunzip", "unzip", "zip", "find", "grep", "tee"}
    | {"install", "basename", "dirname", "sha256sum", "awk", "mkdir"}
)
# Of pip: where packages go to, and what speaks of a system that is not there.
_DROPPED = frozenset({"--no-cache-dir", "--break-system-packages", "--user"})


class Purpose(Enum):
    INSTALL = auto()
    FILES = auto()  # makes, copies, links or removes files: done here
    NOTHING = auto()  # nothing that could be missed
    SHELL = auto()  # a builtin that changes the shell
    TEST = auto()
    OTHER = auto()


class Shell(Protocol):
    """What a command is run in."""

    root: Path
    variables: dict[str, str]

    def mapped(self, path: str) -> str: ...

    def find_program(self, name: str) -> Path | None: ...

    @property
    def home(self) -> str: ...


def classify(words: Sequence[str]) -> Purpose:
    if not words:
        return Purpose.NOTHING
    name, rest = posixpath.basename(words[0]), list(words[1:])
    if name in ("cd", "export", ".", "source", "false"):
        return Purpose.SHELL
    if name in ("[", "test"):
        return Purpose.TEST
    if name in _NOTHING or _is_cleaning(name, rest):
        return Purpose.NOTHING
    if name in FILE_CHANGES:
        return Purpose.FILES
    return Purpose.INSTALL if _installs(name, rest) else Purpose.OTHER


def gets_a_tool(text: str) -> bool:
    """Whether a pipeline is the installer of a tool that is here anyway."""
    return _INSTALLER.search(text) is not None


def _is_cleaning(name: str, rest: Sequence[str]) -> bool:
    plain = [word for word in rest if not word.startswith("-")]
    if name in _OF_PACKAGES:
        return bool(plain) and plain[0] in _WITHOUT_LOSS
    if name == "rm":
        return all(_REMOVES.match(word) for word in plain)
    return name in ("pip", "pip3", "uv", "poetry") and plain[:1] == ["cache"]


def _installs(name: str, rest: Sequence[str]) -> bool:
    plain = [word for word in rest if not word.startswith("-")]
    first = plain[0] if plain else ""
    if _PIP.fullmatch(name) or name == "virtualenv":
        return bool(plain)
    if _PYTHON.fullmatch(name):
        return _module(rest) in _MODULES or (first == "setup.py" and bool(_SETUP & {*plain}))
    if first == "run" and name in _RUNNERS:
        return _runs_install(rest)
    if name == "uv":
        return first in _UV
    return name in _SUBCOMMANDS and bool(_SUBCOMMANDS[name] & {*plain[:2]})


def _runs_install(rest: Sequence[str]) -> bool:
    """`poetry run pip install …`: what follows is one that is done."""
    program = list(rest[rest.index("run") + 1 :])
    return bool(program) and _installs(posixpath.basename(program[0]), program[1:])


def _module(rest: Sequence[str]) -> str:
    """What `python -m` names."""
    for index, word in enumerate(rest):
        if word == "-m":
            return rest[index + 1] if index + 1 < len(rest) else ""
        if not word.startswith("-"):
            return ""
    return ""


# --- what is run -------------------------------------------------------------------------------


def make_argv(shell: Shell, words: Sequence[str]) -> list[str] | None:
    """None where the image has no Python, or not the program."""
    name, rest = posixpath.basename(words[0]), list(words[1:])
    if name in _RUNNERS and "run" in rest and _runs_install(rest):
        program, *more = rest[rest.index("run") + 1 :]
        own = f".venv/bin/{program}"
        return make_argv(shell, (own if shell.find_program(own) else program, *more))
    if _PYTHON.fullmatch(name):
        python, module = shell.find_program(words[0]), _module(rest)
        if python is None:
            return None
        if module in _PROGRAMS and module != "pip":
            return _PROGRAMS[module](shell, (module, *rest[rest.index(module) + 1 :]))
        if module == "pip":
            return _pip(shell, (words[0], *rest[rest.index("pip") + 1 :]))
        return [str(python), *(argument(shell, word) for word in rest)]
    if _PIP.fullmatch(name):
        return _pip(shell, words)
    return _PROGRAMS[name](shell, words)


def allowed_argv(shell: Shell, words: Sequence[str]) -> list[str] | None:
    """A file of the image, or a program that needs no more than files; None for all else."""
    name = posixpath.basename(words[0])
    rest = [argument(shell, word) for word in words[1:]]
    own = shell.find_program(words[0])
    if own is not None:
        return [*_with_interpreter(shell, own), *rest]
    if name in _FILE_TOOLS:
        return [name, *rest]
    if name in ("sh", "bash") and words[1:2] and (script := _file(shell, words[1])):
        return [name, script, *rest[1:]]
    return None


def _file(shell: Shell, word: str) -> str | None:
    path = argument(shell, word)
    return None if word.startswith("-") else path


def _with_interpreter(shell: Shell, program: Path) -> list[str]:
    """A script's first line names an interpreter of the image."""
    with program.open("rb") as file:
        first = file.readline(256).decode(errors="replace")
    words = first[2:].split() if first.startswith("#!") else []
    if words and posixpath.basename(words[0]) == "env":
        words = words[1:]
    if not words or words[0].startswith(str(shell.root)):
        return [str(program)]
    interpreter = shell.find_program(words[0])
    name = posixpath.basename(words[0])
    return [str(interpreter) if interpreter else name, *words[1:], str(program)]


def argument(shell: Shell, word: str) -> str:
    """With every path of the image below its folder."""
    if word.startswith("/"):
        return shell.mapped(word)
    if word.startswith("file:///"):
        return f"file://{shell.mapped(word[7:])}"
    option, equals, value = word.partition("=")
    if equals and value.startswith("/") and option.startswith("-"):
        return f"{option}={shell.mapped(value)}"
    glued = re.fullmatch(r"(-[rcetf])(/.+)", word)
    if glued is not None:
        return f"{glued[1]}{shell.mapped(glued[2])}"
    at = re.fullmatch(r"([\w.\[\],-]+\s*@\s*file://)(/.+)", word)
    return f"{at[1]}{shell.mapped(at[2])}" if at is not None else word


def _pip(shell: Shell, words: Sequence[str]) -> list[str] | None:
    """By the Python beside that pip, so that it installs where that Python looks."""
    python = _python_beside(shell, words[0])
    if python is None:
        return None
    rest = [argument(shell, word) for word in words[1:] if word not in _DROPPED]
    if "--user" in words and "install" in words:
        # The user's own packages are no part of a virtual environment.
        rest += ["--prefix", shell.mapped(f"{shell.home}/.local")]
    return [str(python), "-m", "pip", *rest]


def _python_beside(shell: Shell, name: str) -> Path | None:
    found = shell.find_program(name)
    if found is not None and _PYTHON.fullmatch(found.name):
        return found
    for python in ("python3", "python"):
        if found is not None and os.access(found.parent / python, os.X_OK):
            return found.parent / python
    return shell.find_program("python3")


def _uv(shell: Shell, words: Sequence[str]) -> list[str] | None:
    """`--system` is the Python of the image, not this machine's."""
    uv = find_uv()
    if uv is None:
        return None
    rest = [argument(shell, word) for word in words[1:] if word not in ("--no-cache", "--system")]
    for_system = "--system" in words or bool(shell.variables.get("UV_SYSTEM_PYTHON"))
    python = shell.find_program("/usr/local/bin/python")
    is_ours = for_system or not _has_environment(shell)
    if rest[:1] == ["pip"] and python is not None and is_ours and not _names_a_place(rest):
        rest[2:2] = ["--python", str(python)]
    if rest[:1] != ["pip"] and python is not None and not _names_a_place(rest):
        rest[1:1] = ["--python", str(shell.find_program("python3") or python)]
    return [uv, *rest]


def _names_a_place(words: Sequence[str]) -> bool:
    options = {word.partition("=")[0] for word in words}
    return bool(options & {"--python", "-p", "--target", "--prefix"})


def _has_environment(shell: Shell) -> bool:
    """One that is active, or that uv finds in the folder."""
    is_active = bool(shell.variables.get("VIRTUAL_ENV"))
    return is_active or shell.find_program(".venv/bin/python") is not None


def _virtualenv(shell: Shell, words: Sequence[str]) -> list[str] | None:
    python = shell.find_program("python3")
    places = [argument(shell, word) for word in words[1:] if not word.startswith("-")]
    return [str(python), "-m", "venv", *places[-1:]] if python and places else None


def _project_tool(shell: Shell, words: Sequence[str]) -> list[str] | None:
    """The image's own, else one that uv gets for itself alone."""
    name = posixpath.basename(words[0])
    rest = [argument(shell, word) for word in words[1:]]
    own = shell.find_program(words[0]) or shell.find_program(name)
    if own is not None:
        return [*_with_interpreter(shell, own), *rest]
    uv = find_uv()
    version = shell.variables.get(f"{name.upper()}_VERSION", "")
    wanted = f"{name}=={version}" if re.fullmatch(r"\d+(\.\d+)*", version) else name
    python = shell.find_program("/usr/local/bin/python")
    if uv is None or python is None:
        return None
    # By the image's Python: what the tool makes an environment of is its own.
    return [uv, "tool", "run", "--quiet", "--python", str(python), "--from", wanted, name, *rest]


_PROGRAMS: Mapping[str, Callable[[Shell, Sequence[str]], list[str] | None]] = {
    "pip": _pip,
    "uv": _uv,
    "virtualenv": _virtualenv,
    "poetry": _project_tool,
    "pdm": _project_tool,
    "pipenv": _project_tool,
}
