"""`fsd validate --workflows`: finds and reads the files; the rules are in `fsd.lint.workflows`.

GitHub runs what stands in `.github/workflows` itself, not in folders below it. A file there is read
together with its neighbours: another one may be called by it, or run the tests before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from fsd.app.environments import known_environments
from fsd.app.user_text import read_text
from fsd.errors import ErrorCode, ManifestError
from fsd.lint.workflows import CheckedWorkflow, lint_workflows
from fsd.manifest.environments import Environment

FOLDER = Path(".github", "workflows")
_SUFFIXES = (".yml", ".yaml")
_MOST_ACTIONS = 100
_MOST_MODULES = 100
_APPLIES = re.compile(r"\b(?:terraform|tofu|terragrunt)\b[^\n]{0,300}\bapply\b")
_PLACE = re.compile(
    r"(?:\bworking-directory:\s{1,9}|-chdir[= ]|\bcd\s{1,9})[\"']?(?P<folder>[\w./-]{1,200})"
)
_OF_ENV = re.compile(r"\$\{\{\s{0,9}env\.(?P<name>\w{1,99})\s{0,9}\}\}")
_SET = re.compile(
    r"^[ ]{1,99}(?P<name>\w{1,99}):[ ]{1,9}[\"']?(?P<value>[\w./-]{1,200})[\"']?[ ]{0,9}$",
    re.MULTILINE,
)
# A resource of ECS, or a module that is called after it.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_service
_OF_ECS = re.compile(
    r"\baws_ecs_(?:service|task_definition)\b"
    r"|\bmodule\s{1,9}\"(?:[^\"\n]{0,200}[^a-z\"\n])?(?:ecs|fargate)(?![a-z])"
    r"|\bsource\s{0,9}=\s{0,9}\"[^\"\n]{0,200}(?<![a-z])(?:ecs|fargate)(?![a-z])"
)


def check_workflows(paths: Sequence[Path]) -> tuple[CheckedWorkflow, ...]:
    """Every workflow in its place; raises ManifestError where there is none to read."""
    files = dict.fromkeys(file for path in paths for file in _files(path))
    neighbours = dict.fromkeys(other for file in files for other in _neighbours(file))
    texts = {str(file): read_text(file) for file in files}
    known = _readable(other for other in neighbours if other not in files)
    checked = lint_workflows(
        texts,
        known=known,
        environments=_environments(paths[0]),
        about_ecs={path for path, text in (texts | known).items() if _applies_ecs(path, text)},
    )
    for file in checked:
        if not file.is_workflow and Path(file.path) in paths:
            raise ManifestError(
                "this is not a workflow: it has no `jobs:`",
                where=file.path,
                fix="name a file of .github/workflows; a Service YAML is checked with --file",
                code=ErrorCode.NOT_A_WORKFLOW,
            )
    return checked


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        inner = (path / FOLDER, path / FOLDER.name, path)
        found = _in_folder(next(folder for folder in inner if folder.is_dir()))
        if not found:
            raise ManifestError(
                "there is no workflow in this folder",
                where=str(path),
                fix="name a file, or the folder .github/workflows",
                code=ErrorCode.WORKFLOW_UNREADABLE,
            )
        return found
    if not path.exists():
        raise ManifestError(
            "there is no such file",
            where=str(path),
            fix="name a file, or the folder .github/workflows",
            code=ErrorCode.WORKFLOW_UNREADABLE,
        )
    return (path,)


def _in_folder(folder: Path) -> tuple[Path, ...]:
    try:
        every = sorted(folder.iterdir())
    except OSError as error:
        raise ManifestError(
            f"the folder cannot be read: {error.strerror}",
            where=str(folder),
            fix=f"chmod u+rx {folder}",
            code=ErrorCode.WORKFLOW_UNREADABLE,
        ) from error
    return tuple(file for file in every if file.suffix in _SUFFIXES and file.is_file())


def _neighbours(file: Path) -> tuple[Path, ...]:
    folder = file.absolute().parent
    if folder.parts[-2:] != FOLDER.parts:
        return ()
    return (*_in_folder(file.parent), *_actions(file.parent.parent / "actions"))


def _actions(folder: Path) -> tuple[Path, ...]:
    """The repository's own composite actions, which its workflows use."""
    found = (
        path
        for pattern in ("*/action.y*ml", "*/*/action.y*ml")
        for path in sorted(folder.glob(pattern))
        if path.is_file() and path.suffix in _SUFFIXES
    )
    return tuple(islice(found, _MOST_ACTIONS))


def _applies_ecs(path: str, text: str) -> bool:
    """Whether the Terraform that it applies says ECS; of one folder of several, in that folder."""
    file = Path(path).absolute()
    if file.parent.parts[-2:] != FOLDER.parts or not _APPLIES.search(text):
        return False
    root = file.parents[2].resolve()
    known = {match["name"]: match["value"] for match in _SET.finditer(text)}
    text = _OF_ENV.sub(lambda match: known.get(match["name"], match[0]), text)
    places = {match["folder"] for match in _PLACE.finditer(text)} or {"."}
    folders = [(root / place).resolve() for place in sorted(places)[:_MOST_MODULES]]
    return any(_says_ecs(folder) for folder in folders if folder.is_relative_to(root))


def _says_ecs(folder: Path) -> bool:
    modules = (path for path in sorted(folder.glob("*.tf")) if path.is_file())
    texts = _readable(islice(modules, _MOST_MODULES))
    return any(_OF_ECS.search(text) for text in texts.values())


def _readable(files: Iterable[Path]) -> dict[str, str]:
    """A neighbour that cannot be read is not what was asked for."""
    texts = {}
    for file in files:
        try:
            texts[str(file)] = read_text(file)
        except ManifestError:
            continue
    return texts


def _environments(path: Path) -> Mapping[str, Environment]:
    """What `.fsd/environments.yml` says of branches and promotions. A file that is not valid is
    said by the commands that use it."""
    try:
        return known_environments(path)
    except ManifestError:
        return {}
