"""Git, on a checkout that may be hostile: it answers, and runs nothing of the checkout's.

A repository's own configuration names programs: filters that `git status` runs on files, a file
system monitor, hooks, ways to fetch. So every key of the repository's that names one is answered
by an empty one of ours, which wins; a bare repository that lies in the checkout as plain files is
none; nothing is fetched; and git gets no variable of ours but those that it needs.

https://git-scm.com/docs/git-config
https://github.com/justinsteven/advisories/blob/main/2022_git_buried_bare_repos_and_fsmonitor_various_abuses.md
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from fsd.errors import CallFailedError, ErrorCode

_TIMEOUT = 60  # seconds; `git status` of a large tree on a cold disk
# They are handed over in git's environment, which has a limit.
_MOST_OVERRIDES = 1_000
_LONGEST_OVERRIDES = 64 * 1024  # characters
# What git needs of us. No token, no key, and no GIT_DIR of a hook that called us.
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "LANG", "SYSTEMROOT")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",  # reading must not write
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_SSH_COMMAND": "false",
    "GIT_EDITOR": "false",
    "GIT_SEQUENCE_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # a missing object is missing
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
_ALWAYS = {
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.sshCommand": "false",
    "core.askPass": "true",
    "core.pager": "cat",
    "core.editor": "false",
    "core.gitProxy": "",
    "core.alternateRefsCommand": "false",
    "diff.external": "",
    "diff.ignoreSubmodules": "dirty",  # a submodule has a configuration of its own
    "log.showSignature": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
    "credential.helper": "",
    "gpg.program": "false",
}
# Keys of a repository that name a program, below a name that anybody may choose.
_PROGRAMS = re.compile(
    r"(?:filter|diff|merge)\..*\.(?:clean|smudge|process|textconv|command|driver|required)"
    r"|gpg\..*\.program|remote\..*\.(?:uploadpack|receivepack|vcs|proxy)|trailer\..*\.(?:cmd|command)"
    r"|(?:man|browser|difftool|mergetool)\..*\.(?:cmd|path)|credential\..*\.helper|hook\..*\.command",
    re.IGNORECASE | re.DOTALL,
)
# Files that git would read wherever they are: a pipe would never end.
_FILES = frozenset({"core.excludesfile", "core.attributesfile", "commit.template", "mailmap.file"})
_OF_THE_REPOSITORY = frozenset({"local", "worktree"})


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """One question, read only; None where git is not installed.

    Raises CallFailedError where git does not answer in time, and where its configuration cannot be
    read or is more than can be overridden: then no question is asked.
    """
    program = shutil.which("git")
    if program is None:
        return None
    settings = {**_ALWAYS, "safe.directory": _owner_of(folder)}
    return _run(program, folder, arguments, settings | _overrides(program, folder, settings))


def _overrides(program: str, folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """An empty value for every key of the repository's that names a program or a file.

    Names are bytes to git: they go back as they came, whether they are UTF-8 or not.
    """
    question = ("config", "--list", "--show-scope", "-z")
    listed = _run(program, folder, question, settings, errors="surrogateescape")
    if listed.returncode != 0:
        said = listed.stderr.encode(errors="replace").decode().strip()[:300]
        raise _refused(
            folder,
            f"git cannot list the configuration of this folder: {said or listed.returncode}",
            fix="repair .git/config; git 2.38 or newer is needed",
        )
    found = {
        key: "false" if key.lower().endswith(".required") else ""
        for key in _keys_of_the_repository(listed.stdout)
        if _PROGRAMS.fullmatch(key) or key.lower() in _FILES
    }
    if len(found) > _MOST_OVERRIDES or sum(map(len, found)) > _LONGEST_OVERRIDES:
        raise _refused(
            folder,
            f"the repository's configuration names more programs ({len(found)}) than FSD can "
            "override",
            fix="look at .git/config, and at the files that it includes: no checkout needs so many",
        )
    return found


def _refused(folder: Path, what: str, *, fix: str) -> CallFailedError:
    return CallFailedError(what, where=str(folder), fix=fix, code=ErrorCode.GIT_REFUSED)


def _owner_of(folder: Path) -> str:
    """The checkout that a folder is in. A container's job runs as another user than the checkout's,
    and nothing of the repository's runs here anyway.
    """
    start = folder.resolve()
    return str(next((p for p in (start, *start.parents) if (p / ".git").exists()), start))


def _keys_of_the_repository(said: str) -> Iterator[str]:
    """Scope and `key\\nvalue` in turns, each ended by NUL."""
    fields = said.split("\0")
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        if scope in _OF_THE_REPOSITORY:
            yield entry.partition("\n")[0]


def _run(
    program: str,
    folder: Path,
    arguments: tuple[str, ...],
    settings: Mapping[str, str],
    *,
    errors: str = "replace",
) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= _ENVIRONMENT
    # Not -c: a key may hold an equals sign.
    environment["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    try:
        return subprocess.run(
            [program, "-C", str(folder), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors=errors,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(
            folder,
            f"git {arguments[0]} did not answer within {_TIMEOUT} s",
            fix="run it there and see what it waits for",
        ) from error
