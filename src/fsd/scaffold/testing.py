"""How a folder's tests run: with the tool that its own files name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from fsd.scaffold.folder import Folder
from fsd.scaffold.project import read_project, table

_PYTEST = re.compile(r"\bpytest\b")
_EXTRAS = ("test", "tests", "testing", "dev")
# A lock file → the tool that it is of, and how that installs what is locked.
_LOCKS = (
    ("uv.lock", "uv", "sync --frozen"),
    ("poetry.lock", "poetry", "install"),
    ("pdm.lock", "pdm", "sync --dev"),
    ("Pipfile.lock", "pipenv", "sync --dev"),
)
# How each tool adds pytest to its environment for this once.
_ADDS = {
    "uv": "uv run --frozen --with pytest pytest",
    "poetry": "poetry run pip install pytest",
    "pdm": "pdm run python -m pip install pytest",
    "pipenv": "pipenv run pip install pytest",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToTest:
    """Shell lines; `found` is False where the folder has no tests that one could see."""

    lines: tuple[str, ...]
    found: bool


def find_tests(folder: Folder) -> HowToTest:
    """How this folder's tests run, with the tool that its lock file is of."""
    texts = folder.texts
    if re.search(r"^test:", texts.get("Makefile", ""), re.MULTILINE):
        return HowToTest(lines=("make test",), found=True)
    tool = _runner_of_all(folder)
    if tool is not None:
        return HowToTest(lines=(f"pipx run {tool}",), found=True)
    found = bool(folder.tests)
    runner = _runner(folder)
    for lock, name, install in _LOCKS:
        if lock in folder.names:
            lines = (f"pipx run {name} {install}", *_run(folder, name, runner))
            return HowToTest(lines=_said(lines, found=found), found=found)
    wanted = list(_installed(folder))
    if runner == "pytest" and not _mentions_pytest(folder, wanted):
        wanted.append("pytest")
    lines = (
        "python3 -m venv .venv",
        *([f".venv/bin/pip install {' '.join(wanted)}"] if wanted else ()),
        f".venv/bin/python {_module(runner)}",
    )
    return HowToTest(lines=_said(lines, found=found), found=found)


def _runner_of_all(folder: Folder) -> str | None:
    """tox, nox and hatch bring their own environments."""
    tool = table(read_project(folder), "tool")
    tox = {"tox.ini", "tox.toml"} & folder.names or "tox" in tool
    if tox or "[tox" in folder.texts.get("setup.cfg", ""):
        return "tox"
    if "noxfile.py" in folder.names:
        return "nox"
    environments = {**table(tool, "hatch", "envs"), **table(_hatch(folder), "envs")}
    for name, environment in environments.items():
        scripts = table({"x": environment}, "x", "scripts")
        script = next((each for each in scripts if each in ("test", "run", "tests")), "")
        is_run = script != "run" or _PYTEST.search(str(scripts.get("run"))) is not None
        if name in ("default", "test", "tests", "hatch-test") and script and is_run:
            return f"hatch run {script}" if name == "default" else f"hatch run {name}:{script}"
    if "hatch-test" in environments or (environments and folder.tests):
        return "hatch test"
    return None


def _hatch(folder: Folder) -> dict[str, object]:
    try:
        return tomllib.loads(folder.texts.get("hatch.toml", ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _runner(folder: Folder) -> str:
    """`manage.py test` for Django without pytest: its tests are no files of pytest's."""
    texts = {name: text for name, text in folder.texts.items() if "lock" not in name}
    uses_pytest = any(_PYTEST.search(text) for text in texts.values())
    if "manage.py" in folder.names and not uses_pytest:
        return "manage.py test"
    # unittest sees nothing in a file of functions; pytest sees both.
    return "pytest" if uses_pytest or folder.tests else "unittest discover"


def _run(folder: Folder, tool: str, runner: str) -> Iterator[str]:
    if runner != "pytest":
        yield f"pipx run {tool} run python {_module(runner)}"
    elif _has_pytest(folder):
        yield f"pipx run {tool} run pytest"
    else:
        yield f"pipx run {_ADDS[tool]}"
        if tool != "uv":
            yield f"pipx run {tool} run pytest"


def _has_pytest(folder: Folder) -> bool:
    """Taken to be so where nothing says what is installed."""
    texts = [folder.texts[name] for name in ("pyproject.toml", "Pipfile") if name in folder.texts]
    return not texts or any(map(_PYTEST.search, texts))


def _module(runner: str) -> str:
    return runner if runner.startswith("manage.py") else f"-m {runner}"


def _said(lines: tuple[str, ...], *, found: bool) -> tuple[str, ...]:
    if found:
        return lines
    return ("# There were no tests yet; without one this fails, and nothing is deployed.", *lines)


def _installed(folder: Folder) -> Iterator[str]:
    for name in sorted(folder.texts):
        if name.endswith(".txt"):
            yield f"-r {name}"
    project = read_project(folder)
    if "build-system" in project and not _is_no_package(folder):
        names = [
            name for name in _EXTRAS if name in table(project, "project", "optional-dependencies")
        ]
        yield f"'.[{','.join(names)}]'" if names else "."


def _is_no_package(folder: Folder) -> bool:
    """Poetry's `package-mode = false`: there is nothing that pip could install."""
    return table(read_project(folder), "tool", "poetry").get("package-mode") is False


def _mentions_pytest(folder: Folder, wanted: list[str]) -> bool:
    files = [name.removeprefix("-r ") for name in wanted]
    files += ["pyproject.toml"] if any(name.startswith("'.[") for name in wanted) else []
    return any(_PYTEST.search(folder.texts.get(name, "")) for name in files)
