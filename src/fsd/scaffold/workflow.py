"""Answers → a GitHub workflow: tests, then FSD's Action; on a pull request the plan.

What it uses from others is pinned to a commit, as in FSD's examples.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from fsd.scaffold.folder import Folder
from fsd.scaffold.manifest import Answers, quoted

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
ACTION = "org/fsd-deploy@v1"

_PYTEST = re.compile(r"\bpytest\b")
_EXTRAS = ("test", "tests", "testing", "dev")


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToTest:
    """Shell lines; `found` is False where the folder has no tests that one could see."""

    lines: tuple[str, ...]
    found: bool


def write_workflow(answers: Answers, tests: HowToTest, *, below: str = "") -> str:
    """`below` is the service's folder in its repository, `services/api/`."""
    service_file = f"{below}{answers.service_file}"
    lines = [
        "# Tests, then FSD: a push to `staging` goes to dev, a push to `main` to prod, and a pull",
        "# request gets the plan as a comment. It needs, in the repository's settings:",
        "# - environments `dev` and `prod`, each with the variable FSD_ROLE: the ARN of a role",
        "#   that trusts this repository. For `prod`, also who must approve.",
        "# - the variable FSD_PLAN_ROLE: a role that may only read",
        f"name: deploy {answers.name}" if below else "name: deploy",
        "",
        "on:",
        "  push:",
        *_filter(below),
        "  pull_request:",
        *_filter(below),
        "",
        "permissions: {}",
        "",
        "concurrency:",
        "  # One after another: a deployment that is cancelled half-way helps nobody.",
        "  group: ${{ github.workflow }}-${{ github.ref }}",
        "  cancel-in-progress: false",
        "",
        "jobs:",
        "  test:",
        "    name: Test",
        "    runs-on: ubuntu-latest",
        "    permissions:",
        "      contents: read # checkout",
        "    steps:",
        *_checkout(),
        "      - name: Test",
        *([f"        working-directory: {quoted(below.rstrip('/'))}"] if below else ()),
        "        run: |",
        *(f"          {line}" for line in tests.lines),
        "",
        "  plan:",
        "    name: Plan",
        "    if: github.event_name == 'pull_request'",
        *_fsd("Plan", service_file, role="FSD_PLAN_ROLE", region=answers.region),
        "",
        "  deploy:",
        "    name: Deploy",
        "    if: github.event_name == 'push'",
        "    needs: test",
        "    environment: ${{ github.ref_name == 'main' && 'prod' || 'dev' }}",
        *_fsd("Deploy", service_file, role="FSD_ROLE", region=answers.region),
    ]
    return "\n".join(lines) + "\n"


def _filter(below: str) -> Iterator[str]:
    yield "    branches: [staging, main]"
    if below:
        yield f"    paths: [{json.dumps(f'{below}**')}]"


def _fsd(name: str, service_file: str, *, role: str, region: str) -> Iterator[str]:
    yield "    runs-on: ubuntu-latest"
    yield "    permissions:"
    yield "      contents: read # checkout"
    yield "      id-token: write # the role on AWS"
    yield "      pull-requests: write # the comment"
    yield "    steps:"
    yield from _checkout()
    yield f"      - name: {name}"
    yield f"        uses: {ACTION}"
    yield "        with:"
    yield f"          service-file: {quoted(service_file)}"
    yield f"          role-to-assume: ${{{{ vars.{role} }}}}"
    yield f"          aws-region: {quoted(region)}"


def _checkout() -> Iterator[str]:
    yield f"      - uses: {CHECKOUT}"
    yield "        with:"
    yield "          persist-credentials: false"


def find_tests(folder: Folder) -> HowToTest:
    """How this folder's tests run, with the tool that its lock file is of."""
    texts = folder.texts
    if re.search(r"^test:", texts.get("Makefile", ""), re.MULTILINE):
        return HowToTest(lines=("make test",), found=True)
    for file, tool in (("tox.ini", "tox"), ("noxfile.py", "nox")):
        if file in texts:
            return HowToTest(lines=(f"pipx run {tool}",), found=True)
    uses_pytest = any(_PYTEST.search(text) for name, text in texts.items() if "lock" not in name)
    found = bool(folder.tests)
    # unittest sees nothing in a file of functions; pytest sees both.
    runner = "pytest" if uses_pytest or found else "unittest discover"
    for lock, tool, install in (
        ("uv.lock", "uv", "sync --frozen"),
        ("poetry.lock", "poetry", "install"),
    ):
        if lock in texts:
            command = runner if runner == "pytest" else f"python -m {runner}"
            lines = (f"pipx run {tool} {install}", f"pipx run {tool} run {command}")
            return HowToTest(lines=_said(lines, found=found), found=found)
    wanted = list(_installed(folder))
    if runner == "pytest" and not _mentions_pytest(folder, wanted):
        wanted.append("pytest")
    lines = (
        "python3 -m venv .venv",
        *([f".venv/bin/pip install {' '.join(wanted)}"] if wanted else ()),
        f".venv/bin/python -m {runner}",
    )
    return HowToTest(lines=_said(lines, found=found), found=found)


def _said(lines: tuple[str, ...], *, found: bool) -> tuple[str, ...]:
    if found:
        return lines
    return ("# There were no tests yet; without one this fails, and nothing is deployed.", *lines)


def _installed(folder: Folder) -> Iterator[str]:
    for name in sorted(folder.texts):
        if name.endswith(".txt"):
            yield f"-r {name}"
    project = _project(folder)
    if "build-system" in project:
        extras = project.get("project")
        optional = extras.get("optional-dependencies") if isinstance(extras, dict) else None
        names = [name for name in _EXTRAS if isinstance(optional, dict) and name in optional]
        yield f"'.[{','.join(names)}]'" if names else "."


def _mentions_pytest(folder: Folder, wanted: list[str]) -> bool:
    files = [name.removeprefix("-r ") for name in wanted]
    files += ["pyproject.toml"] if any(name.startswith("'.[") for name in wanted) else []
    return any(_PYTEST.search(folder.texts.get(name, "")) for name in files)


def _project(folder: Folder) -> dict[str, object]:
    try:
        return tomllib.loads(folder.texts.get("pyproject.toml", ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
