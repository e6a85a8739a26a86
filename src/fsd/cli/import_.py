"""`fsd import`: what another tool deploys, as Service YAMLs, with a list of what they cannot say.

Nothing is overwritten, and nothing of the original is run or changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import ErrorCode, ExitCode, ManifestError, RefusedError, UsageError

if TYPE_CHECKING:
    from fsd.importing.compare import Comparison
    from fsd.importing.fit import Fitted
    from fsd.importing.reader import Imported, Loss

_MOST_FILES = 200


@click.command()
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option("--cluster", metavar="C", help="The cluster of a service that runs.")
@click.option("--service", "service_name", metavar="NAME", help="The service that runs.")
@click.option("--pack", help="The owning team; without it the service's name.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write to; the current one without it.",
)
@click.option(
    "--check", is_flag=True, help="Compare with the original, field by field; write nothing."
)
@click.option("--dry-run", is_flag=True, help="Print the Service YAMLs instead of writing them.")
@click.option("--region", help="AWS region of the service that runs.")
def command(
    source: Path | None,
    cluster: str | None,
    service_name: str | None,
    pack: str | None,
    output: Path,
    check: bool,
    dry_run: bool,
    region: str | None,
) -> int:
    """Write a Service YAML for what another tool deploys, and list what it cannot say.

    SOURCE is a task definition, a service definition, a Copilot manifest, a compose file, an
    apprunner.yaml, or a folder of them. With --cluster and --service it is a service that runs.
    """
    if source is not None and (cluster or service_name):
        raise UsageError(
            "a file and a running service are two sources",
            where="fsd import",
            fix="give SOURCE, or --cluster and --service",
        )
    losses: list[Loss] = []
    if cluster or service_name:
        if not (cluster and service_name):
            raise UsageError(
                "a running service has a cluster and a name",
                where="fsd import",
                fix="give both --cluster and --service",
            )
        found = [_read_running(cluster, service_name, pack, region)]
    elif source is not None:
        found, losses = _read(source, pack)
    else:
        raise UsageError(
            "there is nothing to import",
            where="fsd import",
            fix="name a file or a folder, or a running service with --cluster and --service",
        )
    from fsd.importing.fit import fit

    fitted = [fit(_moved(each, output)) for each in found]
    if check:
        return _compare(fitted)
    files = _files(fitted, output)
    if dry_run:
        click.echo("\n".join(f"# --- {path}\n{text}" for path, text in files.items()), nl=False)
        return ExitCode.OK
    _write(files)
    _tell(files, fitted, losses)
    return ExitCode.OK


def _read(source: Path, pack: str | None) -> tuple[list[Imported], list[Loss]]:
    from fsd.app.manifest import read_text
    from fsd.importing.files import read_files

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
    return found, losses


def _read_running(cluster: str, service: str, pack: str | None, region: str | None) -> Imported:
    from fsd.cli.wiring import read_running_service
    from fsd.importing.running import read_running

    answer = read_running_service(cluster, service, region=region)
    return read_running(answer, source=f"{cluster}/{service}", pack=pack or "")


def _moved(imported: Imported, output: Path) -> Imported:
    """With the paths of `build` from where the Service YAML is written."""
    from fsd.importing.values import mapping, text_of

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
    from fsd.importing.write import told

    if losses:
        return f"nothing here is a service of your own: {told(losses[0])}"
    return "nothing here says what a service is: no task definition, Copilot, compose, App Runner"


def _candidates(source: Path) -> list[Path]:
    """A file with what belongs to it, or what a folder and Copilot's folders below it have."""
    from fsd.importing.files import CANDIDATE

    if source.is_file():
        workspace = source.parent.parent / ".workspace"
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


def _files(fitted: Sequence[Fitted], output: Path) -> Mapping[Path, str]:
    """`service.yml`; of several each its own, named after the service."""
    from fsd.importing.write import write_file

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


def _write(files: Mapping[Path, str]) -> None:
    existing = [path for path in files if path.exists() or path.is_symlink()]
    if existing:
        raise RefusedError(
            f"there is already a {existing[0].name}; nothing was written",
            where=str(existing[0]),
            fix="`fsd import … --output FOLDER` writes elsewhere, `--dry-run` prints it",
            code=ErrorCode.FILE_EXISTS,
        )
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise RefusedError(
            error.strerror or str(error),
            where=str(error.filename or ""),
            fix="make the folder writable, or name another one with --output",
            code=ErrorCode.CANNOT_WRITE,
        ) from error


def _tell(files: Mapping[Path, str], fitted: Sequence[Fitted], losses: Sequence[Loss]) -> None:
    from fsd.importing.write import told
    from fsd.manifest.finding import Severity

    for path, each in zip(files, fitted, strict=True):
        click.echo(f" ✔ {path}   from {each.imported.source}")
        for note in each.imported.notes:
            click.echo(f"   ! {note}")
        for loss in each.imported.losses:
            click.echo(f"   - not imported: {told(loss)}")
        for finding in each.findings:
            if finding.severity is Severity.ERROR:
                click.echo(f"   ✘ {finding.message}; {finding.fix}")
    for loss in losses:
        click.echo(f" - not imported: {told(loss)}")
    lost = sum(len(each.imported.losses) for each in fitted) + len(losses)
    click.echo(f"\n{_count(len(fitted), 'Service YAML')}, {_count(lost, 'setting')} not imported.")
    click.echo(f"Next:  fsd validate --file {next(iter(files))}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _compare(fitted: Sequence[Fitted]) -> int:
    """Exit 0 where all fields are the same, 3 where one is not."""
    from fsd.importing.compare import compare
    from fsd.importing.compiled import compile_again

    comparisons = [
        (each.imported.name, compare(each.imported.original, compile_again(each)))
        for each in fitted
        if each.imported.original
    ]
    if not comparisons:
        raise UsageError(
            "only a task definition can be compared, and there is none",
            where="--check",
            fix="name a task definition, or a running service with --cluster and --service",
        )
    for name, comparison in comparisons:
        _tell_comparison(name, comparison)
    is_same = not any(comparison.different for _, comparison in comparisons)
    return ExitCode.OK if is_same else ExitCode.INVALID_MANIFEST


def _tell_comparison(name: str, comparison: Comparison) -> None:
    total = len(comparison.same) + len(comparison.different)
    click.echo(f"{name}: {len(comparison.same)} of {total} fields are the same")
    for each in comparison.different:
        click.echo(f"  ~ {each.field}: {each.original} → {each.compiled}")
