"""What a package's build says that was written for an older setuptools, Cython or Python.

A release of a package is built by the newest setuptools unless somebody says otherwise, with Docker
as here: a constraint on what builds are given brings the old one back.
https://setuptools.pypa.io/en/latest/history.html
https://pip.pypa.io/en/stable/user_guide/#constraints-files
https://docs.python.org/3/whatsnew/3.12.html#removed
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

_FILE = "build-constraints.txt"
# The newest release that still has what the build asks for.
_TOOLS = (
    (re.compile(r"cannot import name '?Feature'? from '?setuptools"), "setuptools<46"),
    (re.compile(r"\buse_2to3 is invalid"), "setuptools<58"),
    (re.compile(r"No module named '?setuptools\.command\.test"), "setuptools<72"),
    (re.compile(r"Invalid dash-separated key "), "setuptools<78"),
    (re.compile(r"No module named '?pkg_resources'?"), "setuptools<81"),
    (re.compile(r"has no attribute '?cython_sources|AttributeError: cython_sources"), "Cython<3"),
)
# The newest Python that still has it.
_PYTHONS = (
    (re.compile(r"module '?pkgutil'? has no attribute '?ImpImporter"), "3.11"),
    (re.compile(r"module '?configparser'? has no attribute '?SafeConfigParser"), "3.11"),
    (re.compile(r"No module named '?distutils\b"), "3.11"),
    (re.compile(r"\blongintrepr\.h: No such file"), "3.10"),
    (re.compile(r"cannot import name '?\w+'? from '?collections'?\b(?!\.)"), "3.9"),
)
_BUILDS = re.compile(
    r"[Gg]etting requirements to build|metadata-generation-failed|setup\.py|build backend"
    r"|[Bb]uilding wheel|[Ff]ailed to build|build_(?:editable|wheel)|pip-build-env"
)


def advise_old_build(command: str, lines: Sequence[str]) -> str:
    """What helps a build that was written for older tools; "" for all other failures."""
    if not any(_BUILDS.search(line) for line in lines):
        return ""
    for pattern, python in _PYTHONS:
        if any(pattern.search(line) for line in lines):
            return (
                "a package does not build with this Python: use a newer version of the package, "
                f"or FROM python:{python}-slim"
            )
    for pattern, constraint in _TOOLS:
        if any(pattern.search(line) for line in lines):
            return _constrained(command, constraint)
    return ""


def _constrained(command: str, constraint: str) -> str:
    tool = posixpath.basename(command.split(" ", 1)[0])
    name = constraint.partition("<")[0]
    newer = f"a package does not build with the newest {name}: use a newer version of the package"
    if tool in ("poetry", "pdm"):
        return newer
    of_pip = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
    variables = ("UV_BUILD_CONSTRAINT",) if tool == "uv" else of_pip
    values = " ".join(f"{variable}=/tmp/{_FILE}" for variable in variables)
    return (
        f"{newer}, or write `{constraint}` into a file `{_FILE}` in the build context, and above "
        f"this step `COPY {_FILE} /tmp/` and `ENV {values}`"
    )
