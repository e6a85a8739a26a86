"""Reads the Service YAML and the environments file for every command that takes them.

The only place that opens them: what cannot be read becomes an error with a fix, and what is in them
is loaded and linted by the pure layers below.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from fsd.app.clock import SystemClock
from fsd.app.places import ENVIRONMENTS_FILE
from fsd.errors import ErrorCode, ManifestError
from fsd.lint.run import lint
from fsd.manifest.finding import Finding, Severity, order
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.spelling import nearest
from fsd.manifest.yaml_tree import MAX_CHARACTERS, Document, split_lines
from fsd.report.findings import Sources, render_terminal, summarize
from fsd_files.user_files import UnreadableError, open_user_file

if TYPE_CHECKING:
    from fsd.app.governed import DefaultBranch
    from fsd.manifest.environments import Environment
    from fsd.release.ports import Clock

# Where the environments are written; None searches above the manifest.
EnvironmentsFile: TypeAlias = "Path | DefaultBranch | None"


class InvalidFileError(ManifestError):
    """A Service YAML or an environments file with errors; reads as its findings do."""

    def __init__(self, findings: Sequence[Finding], *, sources: Sources, path: str) -> None:
        super().__init__(
            summarize(findings, subject=path),
            where=path,
            fix=f"correct what is listed; `fsd validate --file {path}` checks it again",
        )
        self.findings = tuple(findings)
        self.sources = sources

    def __str__(self) -> str:
        return render_terminal(self.findings, sources=self.sources, subject=str(self.where))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidManifest(Loaded):
    """Loaded, linted and without errors; its findings are warnings and notes."""

    manifest: Manifest


def read_manifest(
    path: Path,
    *,
    environment: str | None = None,
    overrides: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    environments_file: EnvironmentsFile = None,
) -> ValidManifest:
    """Read, load and lint. `variables` are those beside ENV and SERVICE, which are known here.

    Raises InvalidFileError with every finding where one is an error, and ManifestError where the
    file cannot be read or the environment is not known.
    """
    loaded = check_manifest(
        path,
        environment=environment,
        overrides=overrides,
        variables=variables,
        environments_file=environments_file,
    )
    if loaded.manifest is None or loaded.has_errors:
        raise InvalidFileError(loaded.findings, sources=sources_of(loaded), path=str(path))
    return ValidManifest(
        path=loaded.path,
        manifest=loaded.manifest,
        findings=loaded.findings,
        document=loaded.document,
        tree=loaded.tree,
        sound=loaded.sound,
        assumed=loaded.assumed,
        environment_document=loaded.environment_document,
        unused=loaded.unused,
    )


def check_manifest(
    path: Path,
    *,
    environment: str | None = None,
    overrides: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    environments_file: EnvironmentsFile = None,
    clock: Clock | None = None,
    text: str | None = None,
) -> Loaded:
    """Like `read_manifest`, but errors in the manifest are findings and not raised.

    `text` is what the file holds, or would hold; it is not read then.
    """
    known = _KnownEnvironments(environments={})
    chosen = None
    if environment is not None:
        known = _environments(path, environments_file)
        chosen = _choose(known, environment)
    loaded = load_manifest(
        read_text(path) if text is None else text,
        path=str(path),
        overrides=overrides,
        variables={**({"ENV": environment} if environment else {}), **(variables or {})},
        environment_overrides=chosen.overrides if chosen else {},
        environment_document=known.document(chosen.name) if chosen and chosen.overrides else None,
    )
    found = lint(
        loaded,
        environment,
        environments=known.environments.values(),
        today=(clock or SystemClock()).now().date(),
    )
    findings = dict.fromkeys((*loaded.findings, *found))
    return replace(loaded, findings=tuple(sorted(findings, key=order)))


def find_environment(path: Path | None, name: str, *, file: EnvironmentsFile = None) -> Environment:
    """The environment of that name for a manifest at `path` (or for the current folder).

    `file` names the environments file; without it, it is searched for, and where there is none
    every well-formed name is taken. `local` always is. Raises ManifestError otherwise.
    """
    return _choose(_environments(path, file), name)


def _choose(known: _KnownEnvironments, name: str) -> Environment:
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
    name: str, *, known: _KnownEnvironments, names: Sequence[str], meant: str | None
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
    return _environments(path, file).environments


def sources_of(loaded: Loaded) -> Sources:
    """The lines that findings are shown with."""
    if loaded.document is not None:
        documents = (loaded.document, loaded.environment_document)
        return {document.path: document.lines for document in documents if document is not None}
    try:
        return {loaded.path: split_lines(read_text(Path(loaded.path)))}
    except ManifestError:
        return {}


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
class _KnownEnvironments:
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


def _environments(path: Path | None, file: EnvironmentsFile = None) -> _KnownEnvironments:
    if file is not None and not isinstance(file, Path):
        return _governed(_environments(path, file.file), file, path)
    file = file or find_environments_file(path)
    if file is None:
        return _KnownEnvironments(environments={})
    text = read_text(file)
    environments, findings = _load_environments(text, str(file))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidFileError(findings, sources={str(file): split_lines(text)}, path=str(file))
    return _KnownEnvironments(environments=environments, file=file, text=text)


def _governed(
    own: _KnownEnvironments, branch: DefaultBranch, path: Path | None
) -> _KnownEnvironments:
    """With the protected environments as the default branch has them."""
    from fsd.app.governed import decide_environments, find_governed

    found = branch.find(path)
    if found is None:
        return own
    where, text = found
    theirs, findings = _load_environments(text, f"{branch.name}:{where}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        branch.tell(
            f"{where} has errors on {branch.name}; what the checkout says of protected "
            "environments counts"
        )
        return own
    decided, said = decide_environments(own.environments, theirs, branch=branch.name)
    for sentence in said:
        branch.tell(sentence)
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


def read_text(path: Path) -> str:
    """The text of a file; raises ManifestError where there is none to be had."""
    try:
        with _open(path) as file:
            content = file.read(MAX_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise _unreadable("there is no such file", path, _files_near(path)) from error
    except IsADirectoryError as error:
        raise _unreadable("this is a folder", path, _files_near(path / "x")) from error
    except UnreadableError as error:
        what = "this is a device or a pipe, not a file"
        raise _unreadable(what, path, "name a file") from error
    except PermissionError as error:
        raise _unreadable("you may not read this file", path, f"chmod u+r {path}") from error
    except (OSError, ValueError) as error:
        raise _unreadable(f"it cannot be read: {error}", path, "name another file") from error
    return decode(content, path=path)


def decode(content: bytes, *, path: Path) -> str:
    """The text of a file's bytes; raises ManifestError where it is not UTF-8, or too much."""
    if len(content) > MAX_CHARACTERS:
        raise ManifestError(
            "it has more than 1 MB, and no more is read",
            where=str(path),
            fix="a Service YAML is a few kilobytes; is this the right file?",
            code=ErrorCode.YAML_TOO_LARGE,
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"it is not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            what = "it is UTF-16 or UTF-32, not UTF-8"
        raise _unreadable(what, path, "save it as UTF-8") from error


def _open(path: Path) -> IO[bytes]:
    """What the shell opened for us, `<(…)` and standard input, is a pipe and is read."""
    if str(path).startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/")):
        return path.open("rb")
    return open_user_file(path)


def _files_near(path: Path) -> str:
    folder = path.parent
    try:
        near = sorted(file.name for file in folder.iterdir() if file.suffix in (".yml", ".yaml"))
    except OSError:
        return f"there is no folder {folder} either; name the Service YAML with --file"
    if not near:
        return "name the Service YAML with --file"
    return f"name the Service YAML with --file; in {folder}: {', '.join(near[:5])}"


def _unreadable(what: str, path: Path, fix: str) -> ManifestError:
    return ManifestError(what, where=str(path), fix=fix, code=ErrorCode.MANIFEST_UNREADABLE)
