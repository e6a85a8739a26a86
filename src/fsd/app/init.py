"""Write a Service YAML and a workflow for the code in a folder.

Nothing is overwritten, and either every file is written or none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fsd.app.init_answers import Ask, InitRequest, find_answers
from fsd.app.new_files import write_new_files
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.manifest.schema import manifest_schema
from fsd.scaffold.detect import Detected, detect
from fsd.scaffold.dockerfile import write_dockerfile
from fsd.scaffold.folder import read_folder
from fsd.scaffold.manifest import SCHEMA, Answers, write_manifest
from fsd.scaffold.name_and_owners import as_name
from fsd.scaffold.services import find_services
from fsd.scaffold.testing import find_tests
from fsd.scaffold.workflow import write_workflow
from fsd_files.user_files import read_user_text


@dataclass(frozen=True, slots=True, kw_only=True)
class InitService:
    """One service of the folder, with the files for it."""

    detected: Detected
    folder: Path
    answers: Answers
    files: Mapping[Path, str]
    kept_workflow: Path | None = None  # somebody's own, where FSD's would be


def run_init(request: InitRequest, *, ask: Ask | None) -> tuple[InitService, ...]:
    """What is written, or with `is_dry_run` would be. `ask` is None where there is nobody to ask.

    Raises UsageError for what is not valid or cannot be found, RefusedError where a file exists.
    """
    _check(request)
    every = _detect(request)
    if not request.is_dry_run:
        for folder, _ in every:
            _refuse_existing((folder / request.file,), request)
    services = tuple(_make(request, folder, detected, ask) for folder, detected in every)
    if not request.is_dry_run:
        _write(request, services)
    return services


def _check(request: InitRequest) -> None:
    if not re.fullmatch(r"[\w][\w.-]*\.ya?ml", request.file):
        raise UsageError(
            f"`{request.file}` cannot be the name of a Service YAML",
            where="--file",
            fix="write a name without a folder that ends in .yml, as in fsd.yml",
        )
    if request.kind == "worker" and request.port:
        raise UsageError(
            "a worker has no port", where="--port", fix="leave --port out, or use --type api"
        )


def _make(request: InitRequest, folder: Path, detected: Detected, ask: Ask | None) -> InitService:
    answers = find_answers(request, detected, ask)
    path = _workflow_path(folder, detected, answers.name)
    is_kept = request.has_workflow and (path.exists() or path.is_symlink())
    workflow = path if request.has_workflow and not is_kept else None
    return InitService(
        detected=detected,
        folder=folder,
        answers=answers,
        files=_files(folder, detected, answers, workflow=workflow),
        kept_workflow=path if is_kept else None,
    )


def _write(request: InitRequest, services: tuple[InitService, ...]) -> None:
    files = {path: text for each in services for path, text in each.files.items()}
    _refuse_existing(tuple(files), request)
    for each in services:
        root = each.detected.folder.repository or each.detected.folder.root
        _refuse_outside(each.files, root=root)
    write_new_files(files)


def _detect(request: InitRequest) -> list[tuple[Path, Detected]]:
    """Each service's folder with what is known of it."""
    folder = request.folder
    whole = read_folder(folder)
    below = find_services(whole)
    if below == (".",):
        return [(folder, detect(whole))]
    if len(below) > 1 and request.is_of_one_service:
        raise UsageError(
            f"there are {len(below)} services: {', '.join(below)}",
            where=str(folder),
            fix=f"say it for one: `fsd init {folder / below[0]} …`",
        )
    return [(folder / name, detect(read_folder(folder / name))) for name in below]


def _workflow_path(folder: Path, detected: Detected, name: str) -> Path:
    """GitHub reads workflows in the repository's own folder only."""
    repository, below = detected.folder.repository, detected.folder.below_repository
    file = f"deploy-{name}.yml" if below else "deploy.yml"
    root = repository if repository is not None and below else folder
    path = root / ".github" / "workflows" / file
    return Path(os.path.relpath(path)) if path.is_absolute() and not folder.is_absolute() else path


def _files(
    folder: Path, detected: Detected, answers: Answers, *, workflow: Path | None
) -> Mapping[Path, str]:
    files = {folder / answers.service_file: write_manifest(answers)}
    for worker in _workers(detected, answers):
        files[folder / worker.service_file] = write_manifest(worker)
    if workflow is not None:
        stem, dot, suffix = answers.service_file.rpartition(".")
        files[workflow] = write_workflow(
            answers,
            find_tests(detected.folder),
            below=detected.folder.below_repository,
            build=detected.container.build,
            service_files=f"{stem}*{dot}{suffix}" if len(files) > 1 else "",
        )
    schema = folder / SCHEMA
    if not schema.exists():  # for editors; `fsd schema` writes the same
        files[schema] = json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"
    if detected.lacks_dockerfile:
        files[folder / "Dockerfile"] = write_dockerfile(detected.folder, detected.command_words)
    return files


def _workers(detected: Detected, answers: Answers) -> Iterator[Answers]:
    """Of compose's services that run the same image with another command."""
    stem, dot, suffix = answers.service_file.rpartition(".")
    for worker in detected.container.workers:
        name = as_name(worker.name)
        if name:
            yield replace(
                answers,
                name=f"{answers.name}-{name}" if not name.startswith(answers.name) else name,
                port=None,
                is_grpc=False,
                port_variable="",
                command=worker.command,
                command_source=worker.source,
                service_file=f"{stem}-{name}{dot}{suffix}",
            )


def _refuse_existing(paths: tuple[Path, ...], request: InitRequest) -> None:
    existing = [path for path in paths if path.exists() or path.is_symlink()]
    if not existing:
        return
    first = existing[0]
    if _is_service_yaml(first):
        what = f"there is already a {first.name}; nothing was written"
        fix = (
            f"`fsd validate --file {first}` checks it; `fsd init --dry-run` shows what would be "
            "written, and `fsd init --file NAME.yml` writes another one"
        )
    else:
        other = "fsd.yml" if request.file != "fsd.yml" else "fsd-service.yml"
        what = f"there is already a {first.name}, which is not a Service YAML; nothing was written"
        fix = f"`fsd init --file {other}` writes beside it"
    raise RefusedError(what, where=str(first), fix=fix, code=ErrorCode.FILE_EXISTS)


def _is_service_yaml(path: Path) -> bool:
    """By its first lines: another tool's service.yml is not FSD's to check."""
    try:
        return (
            re.search(r"^\s*apiVersion:\s*['\"]?fsd/", read_user_text(path), re.MULTILINE)
            is not None
        )
    except (OSError, ValueError):
        return False


def _refuse_outside(files: Mapping[Path, str], *, root: Path) -> None:
    """`.github` may be a link to somewhere else."""
    for path in files:
        if not path.resolve().is_relative_to(root):
            raise RefusedError(
                f"{path} leads out of the folder, to {path.resolve()}; nothing was written",
                where=str(path),
                fix="replace the symbolic link by a folder",
                code=ErrorCode.CANNOT_WRITE,
            )
