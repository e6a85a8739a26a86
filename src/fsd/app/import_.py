"""Write a Service YAML for what another tool deploys, and say what it cannot say.

Nothing is overwritten, and nothing of the original is run or changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from fsd.app.new_files import write_new_files
from fsd.app.user_text import read_text
from fsd.errors import ErrorCode, ManifestError, RefusedError, UsageError
from fsd.importing.compare import Comparison, compare_all
from fsd.importing.compiled import compile_import
from fsd.importing.files import CANDIDATE, read_files
from fsd.importing.fit import ImportedManifest, fit
from fsd.importing.reader import ANY_ENVIRONMENT, Imported, Loss
from fsd.importing.running_service import read_running
from fsd.importing.values import mapping, text_of
from fsd.importing.write import loss_text, write_file

_MOST_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file or folder, or a service that runs."""

    source: Path | None = None
    cluster: str | None = None
    service: str | None = None
    environment: str | None = None  # that the running service is of
    pack: str | None = None
    output: Path = Path()  # the folder to write to
    region: str | None = None


class ReadRunning(Protocol):
    """`fsd.cli.wiring.read_running_service`."""

    def __call__(self, cluster: str, service: str, *, region: str | None) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """`losses` are those of no service; each service has its own. `files` in the same order."""

    fitted: tuple[ImportedManifest, ...]
    losses: tuple[Loss, ...]
    files: Mapping[Path, str]


def run_import(request: ImportRequest, read: ReadRunning) -> ImportResult:
    """Reads; writes nothing. Raises UsageError, ManifestError, and what `read` raises."""
    found, losses = _find(request, read)
    fitted = tuple(fit(_moved(each, request.output)) for each in found)
    return ImportResult(fitted=fitted, losses=losses, files=_files(fitted, request.output))


def compare_with_original(result: ImportResult) -> tuple[tuple[str, Comparison], ...]:
    """Each service's name with what its Service YAML makes of it again, in each environment that
    the original names."""
    return tuple(
        (_place(each.imported.name, environment), _comparison(each, environment))
        for each in result.fitted
        for environment in each.imported.originals
    )


def _place(name: str, environment: str) -> str:
    return name if environment == ANY_ENVIRONMENT else f"{name} in {environment}"


def _comparison(fitted: ImportedManifest, environment: str) -> Comparison:
    if fitted.errors:
        return Comparison(same=(), different=(), obstacle=fitted.errors[0])
    compiled = compile_import(fitted, environment)
    return compare_all(compiled.original, compiled.definition, compiled.around)


def write_imported(result: ImportResult) -> None:
    """Raises RefusedError where a file exists."""
    existing = [path for path in result.files if path.exists() or path.is_symlink()]
    if existing:
        raise RefusedError(
            f"there is already a {existing[0].name}; nothing was written",
            where=str(existing[0]),
            fix="`fsd import … --output FOLDER` writes elsewhere, `--dry-run` prints it",
            code=ErrorCode.FILE_EXISTS,
        )
    write_new_files(result.files, other="name another one with --output")


def _find(request: ImportRequest, read: ReadRunning) -> tuple[list[Imported], tuple[Loss, ...]]:
    cluster, service = request.cluster, request.service
    if request.source is not None and (cluster or service):
        raise UsageError(
            "a file and a running service are two sources",
            where="fsd import",
            fix="give SOURCE, or --cluster and --service",
        )
    if request.source is not None:
        return _read(request.source, request.pack)
    if cluster and service:
        answer = read(cluster, service, region=request.region)
        source = f"{cluster}/{service}"
        imported = read_running(
            answer,
            source=source,
            pack=request.pack or "",
            environment=request.environment or "",
        )
        return [imported], ()
    if cluster or service:
        raise UsageError(
            "a running service has a cluster and a name",
            where="fsd import",
            fix="give both --cluster and --service",
        )
    raise UsageError(
        "there is nothing to import",
        where="fsd import",
        fix="name a file or a folder, or a running service with --cluster and --service",
    )


def _read(source: Path, pack: str | None) -> tuple[list[Imported], tuple[Loss, ...]]:
    if not source.exists():
        raise ManifestError(
            "there is no such file or folder",
            where=str(source),
            fix="name a task definition, a Copilot manifest, a compose file or an apprunner.yaml",
            code=ErrorCode.NOT_FOUND,
        )
    texts = {str(path): read_text(path) for path in _candidates(source)}
    folder = (source if source.is_dir() else source.parent).resolve().name
    found, losses = read_files(texts, pack=pack or "", folder=folder)
    if not found:
        raise ManifestError(
            _nothing(losses),
            where=str(source),
            fix="name a task definition, a Copilot manifest, a compose file or an apprunner.yaml",
            code=ErrorCode.NOT_FOUND,
        )
    return found, tuple(losses)


def _moved(imported: Imported, output: Path) -> Imported:
    """With the paths of `build` from where the Service YAML is written."""
    service = mapping(imported.tree.get("service"))
    build = mapping(service.get("build"))
    if not imported.folder or not build:
        return imported
    folder = Path(imported.folder)

    def moved(path: str) -> str:
        return Path(os.path.relpath(folder / path, output)).as_posix()

    context = moved(text_of(build.get("context")) or ".")
    dockerfile = text_of(build.get("dockerfile"))
    changed = {
        **build,
        "context": context if context != "." else None,
        "dockerfile": moved(dockerfile) if dockerfile else None,
    }
    return replace(imported, tree={**imported.tree, "service": {**service, "build": changed}})


def _nothing(losses: Sequence[Loss]) -> str:
    if losses:
        return f"nothing here is a service of your own: {loss_text(losses[0])}"
    return "nothing here says what a service is: no task definition, Copilot, compose, App Runner"


def _candidates(source: Path) -> list[Path]:
    """A file with what belongs to it, or what a folder and Copilot's folders below it have."""
    if source.is_file():
        workspace = source.absolute().parent.parent / ".workspace"
        is_copilot = source.name == "manifest.yml" and workspace.is_file()
        return [source, *([workspace] if is_copilot else [])]
    below = [
        *source.glob("*"),
        *source.glob("*/manifest.y*ml"),
        *source.glob("copilot/*/manifest.yml"),
    ]
    workspaces = [source / ".workspace", source / "copilot" / ".workspace"]
    found = [
        path for path in sorted(set(below)) if path.is_file() and CANDIDATE.fullmatch(path.name)
    ]
    found += [path for path in workspaces if path.is_file()]
    return found[:_MOST_FILES]


def _files(fitted: Sequence[ImportedManifest], output: Path) -> Mapping[Path, str]:
    """`service.yml`; of several each its own, named after the service."""
    names = [each.imported.name for each in fitted]
    files: dict[Path, str] = {}
    for each in fitted:
        name = each.imported.name
        file = "service.yml" if len(names) == 1 else f"service-{name}.yml"
        if output / file in files:
            file = f"service-{name}-{len(files) + 1}.yml"
        files[output / file] = write_file(
            each.text,
            source=each.imported.source,
            losses=each.imported.losses,
            notes=each.imported.notes,
        )
    return files
