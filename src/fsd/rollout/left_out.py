"""Whether what an image lacks, because it was made without Docker, is why its tasks fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from fsd.quoted import Quoted
from fsd.rollout.advice import FileNotMade, LocalRemedy, WithoutDocker
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.explain import OF_SETUPTOOLS
from fsd.rollout.summaries import (
    CheckAnswered,
    EndedWith,
    FailedAfter,
    MadeWithoutDocker,
    RolloutEnded,
    StepsLeftOut,
    Summary,
    TasksKeepEnding,
)
from fsd.rollout.surroundings import names_a_socket

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
_INSTALLS = re.compile(r"\b(?:pip3?|pipenv|poetry|pdm|uv)\b.*\b(?:install|sync)\b")
_OF_PYTHON = re.compile(r"^Python 3\.\d+ of FROM")
_FOREIGN_LANGUAGE = re.compile(
    r"SyntaxError|unsupported operand type\(s\) for \|"
    r"|AttributeError: module '\w+' has no attribute"
    r"|cannot import name '\w+' from '(?:typing|collections|enum|datetime|itertools)'"
    r"|No module named '(?:tomllib|zoneinfo|distutils|graphlib|imp|cgi)'"
)


def explain_by_left_out(diagnosis: Diagnosis, left_out: Sequence[str]) -> Diagnosis:
    """The worst cause says first what was left out, where that can be why."""
    words = [text for text in _words(diagnosis) if not names_a_socket(text)]
    said = "\n".join(words)
    python = [text for text in left_out if _OF_PYTHON.match(text)]
    steps = [text for text in left_out if text not in python]
    if python and _FOREIGN_LANGUAGE.search(said):
        return _with_lack(diagnosis, Quoted(text=python[0]), LocalRemedy.INSTALL_PYTHON)
    of_others = "\n".join(text for text in words if not OF_SETUPTOOLS.search(text))
    if not steps or not _MISSING.search(of_others):
        return diagnosis
    named = _named(steps, said)
    setting = _SETTING.search(said)
    if setting and not named:
        path = setting["path"]
        return with_first(diagnosis, lambda cause: replace(cause, advice=FileNotMade(path=path)))
    # What would have brought Python packages explains most.
    chosen = (named or sorted(steps, key=lambda step: _INSTALLS.search(step) is None))[:_MOST]
    more = 0 if named else len(steps) - len(chosen)
    can_install = any(_OF_A_SYSTEM.search(step) for step in named or steps)
    can_install = can_install and not any(_INSTALLS.search(step) for step in named or steps)
    return _with_lack(
        diagnosis,
        StepsLeftOut(steps=tuple(chosen), more=more),
        LocalRemedy.INSTALL_SAME if can_install else LocalRemedy.CONTAINERS,
    )


def _named(steps: Sequence[str], said: str) -> list[str]:
    """The steps that name what is missing; a Dockerfile may have dozens of others."""
    missing = {
        name.rpartition("/")[2].partition(".")[0]
        for found in _NAMES.finditer(said)
        for name in found.groups()
        if name
    }
    return [step for step in steps if any(len(name) > 2 and name in step for name in missing)]


def _with_lack(
    diagnosis: Diagnosis, lacks: StepsLeftOut | Quoted, remedy: LocalRemedy
) -> Diagnosis:
    def with_lack(cause: Cause) -> Cause:
        return replace(
            cause,
            summary=MadeWithoutDocker(summary=cause.summary, lacks=lacks),
            advice=WithoutDocker(advice=cause.advice, remedy=remedy),
        )

    return with_first(diagnosis, with_lack)


def with_first(diagnosis: Diagnosis, change: Callable[[Cause], Cause]) -> Diagnosis:
    """The worst cause changed, as readers see it with the log and without."""
    first, *others = diagnosis.causes
    without_log = diagnosis.causes_without_log
    return replace(
        diagnosis,
        causes=(change(first), *others),
        causes_without_log=(change(without_log[0]), *without_log[1:]) if without_log else (),
    )


def _words(diagnosis: Diagnosis) -> Iterator[str]:
    cause = diagnosis.cause
    yield from told(cause.summary)
    yield from (evidence.text for evidence in cause.evidence)
    yield from diagnosis.log_lines


def told(summary: Summary) -> Iterator[str]:
    """What the program or ECS said, of a summary."""
    match summary:
        case EndedWith() | FailedAfter():
            yield summary.exception
            yield from told(summary.summary)
        case CheckAnswered() | TasksKeepEnding():
            yield from told(summary.summary)
        case Quoted(text=text) | RolloutEnded(reason=text):
            yield text
        case _:
            pass
