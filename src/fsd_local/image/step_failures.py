"""Why a step failed, and what helps: a missing compiler, a host out of reach, a broken tool."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from fsd_local.errors import LocalCode, LocalError
from fsd_local.image.old_builds import advise_old_build
from fsd_local.image.stages import Step
from fsd_local.image.step_shell import StepShell

_LINES_OF_A_FAILURE = 15


# What a build says that misses a compiler, a header or a library of the system.
_NEEDS_A_SYSTEM = re.compile(
    r"pkg-config|\bfatal error: \S+\.h|\b(?:gcc|g\+\+|cc|clang|cmake|make|rustc|cargo|go|swig)\b"
    r".*(?:not found|not installed|No such file|failed)|\w+[_-]config (?:executable|is|not)"
    r"|ld: cannot find -l|Could not (?:find|build wheels)|[Ff]ailed (?:building|to build)"
    r"|header files? (?:not|could not)|Please install|is required to (?:build|compile)"
)
_GETS_A_SYSTEM = re.compile(r"\b(?:apt-get|apt|apk|yum|dnf|microdnf)\b.*\b(?:install|add)\b")
_MOST_NAMED = 2
_FRAME_OF_TOOL = re.compile(r'File "\S*/bin/(?:poetry|pdm|pipenv|pip3?)", line \d+, in <module>')
_DOES_NOT_START = re.compile(r"(?:ModuleNotFoundError|ImportError|AttributeError): ")
_NO_CONNECTION = re.compile(r"Failed to establish a new connection|Temporary failure in name res")
_UNREACHED = (
    re.compile(r"HTTPS?ConnectionPool\(host='(?P<host>[^']+)', port=\d+\): Max retries exceeded"),
    re.compile(r"Could not resolve (?:host|hostname):? (?P<host>[\w.-]+)", re.IGNORECASE),
    re.compile(r"(?:error sending request|Failed to fetch|connect).*?https?://(?P<host>[\w.-]+)"),
)


def unreached_host(line: str) -> str:
    """The host that a program could not connect to, as pip, git and uv say it."""
    found = next((match for each in _UNREACHED if (match := each.search(line))), None)
    return found["host"] if found else ""


def step_failed(step: Step, running: StepShell, notes: Sequence[str]) -> LocalError:
    said = "\n".join(line for line in running.lines[-_LINES_OF_A_FAILURE:])
    text = said.replace(str(running.root), "")
    missing = [skipped for skipped in running.skipped if "install" in skipped]
    if any(_NEEDS_A_SYSTEM.search(line) for line in running.lines):
        earlier = [each for each in step.left_out if _GETS_A_SYSTEM.search(each)]
        missing = missing or earlier[-_MOST_NAMED:]
    fix = "correct the step as the lines above say"
    host = next((found for line in running.lines if (found := unreached_host(line))), "")
    if not host and any(_NO_CONNECTION.search(line) for line in running.lines):
        index = re.search(r"Looking in indexes: \w+://(?:[^/\s]*@)?([\w.-]+)", said)
        host = index[1] if index else "the package index"
    host = host or next(iter(running.unreached), "")
    broken = broken_tool(running.failed, running.lines)
    if broken:
        fix = _other_version(broken, step.instruction.text)
    elif host:
        fix = f"let this machine reach {host} (its network, proxy and certificates), and try again"
    if notes and not host and not broken:
        fix = f"{'; '.join(notes)}, or use --runtime container; else {fix}"
    if missing:
        fix = (
            f"without Docker this was skipped before it: {'; '.join(missing)}. If it needs that, "
            "install the same on this machine, or use --runtime container"
        )
    fix = advise_old_build(running.failed, running.lines) or fix
    return LocalError(
        f"`{running.failed}` ended with {running.code}:\n{text}",
        where=f"{step.instruction.where}",
        fix=fix,
        code=LocalCode.BUILD_FAILED,
    )


def broken_tool(command: str, lines: Sequence[str]) -> str:
    """`poetry`, where it does not even start: an exception of its own packages; "" for all else."""
    name = posixpath.basename(command.split(" ", 1)[0])
    last = lines[-1] if lines else ""
    is_its_own = any(_FRAME_OF_TOOL.search(line) for line in lines[:3])
    return name if is_its_own and _DOES_NOT_START.match(last) else ""


def _other_version(tool: str, step: str) -> str:
    """The same release with its corrections where the step pins one; pip chose the rest itself."""
    fix = (
        f"{tool} does not start with the versions of its own packages that pip chose, with Docker "
        "as here: install "
    )
    pinned = re.search(rf"\b{tool}==(\d+\.\d+)(?:\.\d+)?(?![\d.])", step)
    if pinned is None:
        return f"{fix}a newer version of {tool}"
    return f'{fix}"{tool}~={pinned[1]}.0" in place of {pinned[0]}, or a newer version'
