"""Poetry in a folder that stands for an image's root: where it installs to, and what it asks.

Where it is told to make no environment it takes the Python below every environment, which is this
machine's: it has to be told that the image's is the active one.
https://python-poetry.org/docs/configuration/#virtualenvscreate
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fsd_local.image.interpreters import find_uv

# It asks PyPI's JSON API, which a mirror may not have; pip asks the simple index.
# https://docs.pypi.org/api/json/
_FOUND_NONE = "Unable to find installation candidates"
_TAKES_VALUE = ("--only", "--without", "--with", "--extras", "-E")
_FLAGS = ("--all-extras", "--all-groups")
_INSTALLS = frozenset({"install", "sync"})


def installs_into_system(
    variables: Mapping[str, str], home: str, cwd: str, read: Callable[[str], str]
) -> bool:
    """Whether it makes no environment, by a variable or a file. `read` gives "" for no file."""
    if variables.get("VIRTUAL_ENV"):
        return False
    said = variables.get("POETRY_VIRTUALENVS_CREATE")
    if said:
        return said.lower() in ("false", "0")
    folder = variables.get("POETRY_CONFIG_DIR") or posixpath.join(home, ".config/pypoetry")
    for path in (posixpath.join(cwd, "poetry.toml"), posixpath.join(folder, "config.toml")):
        wanted = _table(read(path)).get("virtualenvs", {}).get("create")
        if wanted is not None:
            return wanted is False
    return False


def is_poetry(argv: Sequence[str]) -> bool:
    return _place(argv) is not None


def found_no_packages(argv: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether an installation failed because the index has no JSON API."""
    place = _place(argv)
    is_install = place is not None and bool(_INSTALLS & {*argv[place + 1 :]})
    return is_install and any(_FOUND_NONE in line for line in lines)


def export_argv(argv: Sequence[str], python: str, project: str, target: str) -> list[str] | None:
    """What writes the packages of the lock to `target`; None without uv.

    `project` is the text of pyproject.toml: groups that are not optional are installed by default.
    The version of Poetry is that of `argv` where it is named: another may refuse the lock.
    """
    uv, place = find_uv(), _place(argv)
    if uv is None or place is None:
        return None
    words = list(argv[place + 1 :])
    chosen = _chosen(words)
    if not any(word.startswith(("--only", "--without", "--no-dev")) for word in words):
        groups = _groups(project)
        chosen += ["--with", ",".join(groups)] if groups else []
    tool = [uv, "tool", "run", "--quiet", "--python", python, "--with", "poetry-plugin-export"]
    to_file = ["--format", "requirements.txt", "--without-hashes", "--output", target]
    named = argv[argv.index("--from") + 1] if "--from" in argv[:place] else "poetry"
    return [*tool, "--from", named, "poetry", "export", *to_file, *chosen]


def _place(argv: Sequence[str]) -> int | None:
    """Where the program's name stands, before its own words."""
    places = [n for n, word in enumerate(argv) if posixpath.basename(word) == "poetry"]
    return places[-1] if places else None


def _chosen(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for index, word in enumerate(words):
        option = word.partition("=")[0]
        if word == "--no-dev":
            found += ["--only", "main"]
        elif word in _FLAGS or (option in _TAKES_VALUE and "=" in word):
            found.append(word)
        elif word in _TAKES_VALUE and index + 1 < len(words):
            found += [word, words[index + 1]]
    return found


def _groups(project: str) -> list[str]:
    poetry = _table(project).get("tool", {}).get("poetry", {})
    named = poetry.get("group", {})
    found = [name for name, group in named.items() if not group.get("optional")]
    return [*found, *(["dev"] if "dev-dependencies" in poetry and "dev" not in found else [])]


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
