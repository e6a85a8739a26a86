"""The environments of a manifest: a file has them, protected ones as the default branch does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fsd.app.places import ENVIRONMENTS_FILE
from fsd.app.user_text import InvalidFileError, read_text
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.spelling import nearest
from fsd.manifest.yaml_tree import Document, split_lines

if TYPE_CHECKING:
    from fsd.app.governed import DefaultBranch
    from fsd.manifest.environments import Environment


# Where the environments are written; None searches above the manifest.
EnvironmentsFile: TypeAlias = "Path | DefaultBranch | None"


def find_environment(path: Path | None, name: str, *, file: EnvironmentsFile = None) -> Environment:
    """The environment of that name for a manifest at `path` (or for the current folder).

    `file` names the environments file; without it, it is searched for, and where there is none
    every well-formed name is taken. `local` always is. Raises ManifestError otherwise.
    """
    return choose(read_environments(path, file), name)


def choose(known: KnownEnvironments, name: str) -> Environment:
    from fsd.manifest.environments import LOCAL

    if name in known.environments:
        return known.environments[name]
    names = (*known.environments, LOCAL)
    meant = nearest(name, names)
    if name != LOCAL and (known.file is not None or (meant == LOCAL and name.isalpha())):
        raise ManifestError(
            f"there is no environment `{name}`",
            where=str(known.file or "--env"),
            fix=_environment_fix(name, known=known, names=names, meant=meant),
            code=ErrorCode.UNKNOWN_ENVIRONMENT,
        )
    return unlisted_environment(name)


def _environment_fix(
    name: str, *, known: KnownEnvironments, names: Sequence[str], meant: str | None
) -> str:
    """Without a file every name is taken; only a slip of the fingers for `local` is refused."""
    guess = f"did you mean `{meant}`? If not, " if meant else ""
    if known.file is None:
        return f"{guess}write a document for `{name}` in .fsd/environments.yml"
    return f"{guess}use one of {', '.join(names)}, or add a document for `{name}` to the file"


def known_environments(
    path: Path | None = None, *, file: EnvironmentsFile = None
) -> Mapping[str, Environment]:
    """What is in the environments file, in its order; empty without one."""
    return read_environments(path, file).environments


def source_environment(environment: Environment, path: Path | None = None) -> Environment | None:
    """Where its releases come from (`promoteFrom`); None where it says nothing of that."""
    name = environment.promote_from
    if name is None:
        return None
    return known_environments(path).get(name) or unlisted_environment(name)


def unlisted_environment(name: str) -> Environment:
    """One that no file describes, with the defaults. Raises ManifestError for what is no name."""
    from pydantic_core import ValidationError

    from fsd.manifest.environments import LOCAL, default_environment

    try:
        return default_environment(name)
    except ValidationError as error:
        raise ManifestError(
            f"`{name}` cannot be the name of an environment",
            where="--env",
            fix="did you mean `local`?"
            if nearest(name, (LOCAL,))
            else "use up to 31 lower case letters, digits and hyphens, with a letter first",
            code=ErrorCode.UNKNOWN_ENVIRONMENT,
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEnvironments:
    """The environments file, if there is one, and what is in it."""

    environments: Mapping[str, Environment]
    file: Path | None = None
    text: str = ""
    decided_by: tuple[str, str] | None = None  # (path, text) of the default branch's file
    decided: frozenset[str] = frozenset()  # the environments that are as they are there

    def document(self, name: str) -> Document | None:
        if self.decided_by is not None and name in self.decided:
            path, text = self.decided_by
            return _find_document(text, path, name)
        return _find_document(self.text, str(self.file), name)


def read_environments(path: Path | None, file: EnvironmentsFile = None) -> KnownEnvironments:
    if file is not None and not isinstance(file, Path):
        return _governed(read_environments(path, file.file), file, path)
    file = file or find_environments_file(path)
    if file is None:
        return KnownEnvironments(environments={})
    text = read_text(file)
    environments, findings = _load_environments(text, str(file))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidFileError(findings, sources={str(file): split_lines(text)}, path=str(file))
    return KnownEnvironments(environments=environments, file=file, text=text)


def _governed(
    own: KnownEnvironments, branch: DefaultBranch, path: Path | None
) -> KnownEnvironments:
    """With the protected environments as the default branch has them."""
    from fsd.app.governed import decide_environments, find_governed
    from fsd.report.default_branch import FileHasErrors

    found = branch.find(path)
    if found is None:
        return own
    where, text = found
    theirs, findings = _load_environments(text, f"{branch.name}:{where}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        branch.tell(FileHasErrors(file=where, branch=branch.name))
        return own
    decided, said = decide_environments(own.environments, theirs, branch=branch.name)
    for note in said:
        branch.tell(note)
    return replace(
        own,
        environments=decided,
        decided_by=(f"{branch.name}:{where}", text),
        decided=frozenset(find_governed(theirs)),
    )


@lru_cache(maxsize=16)
def _load_environments(
    text: str, path: str
) -> tuple[Mapping[str, Environment], tuple[Finding, ...]]:
    """Kept: a thousand manifests have the same environments."""
    from fsd.manifest.environments import load_environments

    environments, findings = load_environments(text, path=path)
    return environments, tuple(findings)


@lru_cache(maxsize=16)
def _find_document(text: str, path: str, name: str) -> Document | None:
    from fsd.manifest.environments import find_document

    return find_document(text, path=path, name=name)


def find_environments_file(path: Path | None) -> Path | None:
    """`.fsd/environments.yml` above the manifest, else above the current folder.

    The search ends at the repository's root, so that a stray file in the home folder is not used.
    """
    starts = [path.absolute().parent] if path is not None else []
    for start in (*starts, Path.cwd()):
        for folder in (start, *start.parents):
            file = folder / ENVIRONMENTS_FILE
            if os.path.isfile(file):  # unlike is_file(), no error in a folder that is closed to us
                return _shortest(file)
            if os.path.exists(folder / ".git"):
                break
    return None


def _shortest(file: Path) -> Path:
    """Relative to the current folder where it is below it: what a reader expects to see."""
    cwd = Path.cwd()
    return file.relative_to(cwd) if file.is_relative_to(cwd) else file
