"""Whether what an image lacks, because it was made without Docker, is why its tasks fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from fsd.rollout.cause import Cause, Diagnosis

# A module, a program, a file or a library that is not there.
_MISSING = re.compile(
    r"ModuleNotFoundError|No module named '|command not found|sh: .*: not found"
    r"|executable file not found|cannot open shared object file|FileNotFoundError"
    r"|: no such file or directory|: Unable to find .* library|cannot load library",
    re.IGNORECASE | re.MULTILINE,
)
# What is missing, as programs name it.
_NAMES = re.compile(
    r"No module named '([\w.]+)'|(\S+): (?:command )?not found|\"(\S+)\": executable file not found"
    r"|No such file or directory: '([^']+)'|'([^']+)': No such file"
)
# A setting that somebody gives a container; no step of a build makes one.
_SETTING = re.compile(
    r"No such file or directory: '(?P<path>[^']+\.(?:cfg|conf|env|ini|ya?ml|toml|pem|key|crt))'"
)
_MOST = 3
# What is done by installing the same on this machine; all else is done by running containers.
_OF_A_SYSTEM = re.compile(r"\b(?:apt-get|apt|apk|yum|dnf|microdnf|zypper)\b.*\b(?:install|add)\b")
_OF_PYTHON = re.compile(r"^Python 3\.\d+ of FROM")
_FOREIGN_LANGUAGE = re.compile(
    r"SyntaxError|unsupported operand type\(s\) for \|"
    r"|AttributeError: module '\w+' has no attribute"
    r"|cannot import name '\w+' from '(?:typing|collections|enum|datetime|itertools)'"
    r"|No module named '(?:tomllib|zoneinfo|distutils|graphlib|imp|cgi)'"
)


def explain_by_left_out(diagnosis: Diagnosis, left_out: Sequence[str]) -> Diagnosis:
    """The worst cause says first what was left out, where that can be why."""
    said = "\n".join(_words(diagnosis))
    python = [text for text in left_out if _OF_PYTHON.match(text)]
    steps = [text for text in left_out if text not in python]
    if python and _FOREIGN_LANGUAGE.search(said):
        return _with_first(diagnosis, python[0], "install that Python")
    if not steps or not _MISSING.search(said):
        return diagnosis
    shown, named = _telling(steps, said)
    setting = _SETTING.search(said)
    if setting and not named:
        return _with_missing_file(diagnosis, setting["path"])
    text = f"the image was made without Docker, and this step was left out: {shown}"
    can_install = any(_OF_A_SYSTEM.search(step) for step in named or steps)
    return _with_first(diagnosis, text, "install the same on this machine" if can_install else "")


def _telling(steps: Sequence[str], said: str) -> tuple[str, list[str]]:
    """Those that name what is missing, else the first; a Dockerfile may have dozens. Then the
    first kind alone."""
    missing = {
        name.rpartition("/")[2].partition(".")[0]
        for found in _NAMES.finditer(said)
        for name in found.groups()
        if name
    }
    named = [step for step in steps if any(len(name) > 2 and name in step for name in missing)]
    chosen = (named or list(steps))[:_MOST]
    more = len(steps) - len(chosen)
    shown = "; ".join(chosen) + (f"; and {more} more" if more and not named else "")
    return shown, named


def _with_missing_file(diagnosis: Diagnosis, path: str) -> Diagnosis:
    advice = (
        f"no step of the Dockerfile makes `{path}`: COPY it into the image, give it by a volume "
        "(`service.volumes`), or correct the variable that names it"
    )
    without_log = diagnosis.causes_without_log
    return replace(
        diagnosis,
        causes=(replace(diagnosis.cause, advice=advice), *diagnosis.causes[1:]),
        causes_without_log=(
            (replace(without_log[0], advice=advice), *without_log[1:]) if without_log else ()
        ),
    )


def _with_first(diagnosis: Diagnosis, reason: str, remedy: str) -> Diagnosis:
    def with_left_out(cause: Cause) -> Cause:
        containers = "run containers: fsd local down, fsd local up --runtime container"
        advice = f"{remedy}, or {containers}" if remedy else containers
        summary = cause.summary[:1].upper() + cause.summary[1:]
        return replace(
            cause, summary=f"{reason}. {summary}", advice=f"{advice}; else {cause.advice}"
        )

    first, *others = diagnosis.causes
    without_log = diagnosis.causes_without_log
    return replace(
        diagnosis,
        causes=(with_left_out(first), *others),
        causes_without_log=(with_left_out(without_log[0]), *without_log[1:]) if without_log else (),
    )


def _words(diagnosis: Diagnosis) -> Iterator[str]:
    cause = diagnosis.cause
    yield cause.summary
    yield from (evidence.text for evidence in cause.evidence)
    yield from diagnosis.log_lines
