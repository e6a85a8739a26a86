"""`fsd init`: looks at the folder, asks what it cannot know, writes a Service YAML and a workflow.

Nothing is overwritten, and either every file is written or none.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import ErrorCode, ExitCode, RefusedError, UsageError

if TYPE_CHECKING:
    from fsd.scaffold.detect import Detected
    from fsd.scaffold.manifest import Answers
    from fsd.scaffold.naming import Found

MANIFEST = "service.yml"
_REGION = "us-east-1"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,253}[a-z0-9]")
_PACK = re.compile(r"[\w .:/=+@-]{1,128}")
_OWNER = re.compile(r"@[A-Za-z0-9-]+(?:/[A-Za-z0-9._-]+)?")
_REGIONS = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line says; None is still to be found out."""

    name: str | None
    pack: str | None
    owners: tuple[str, ...]
    kind: str | None
    port: int | None
    health_path: str | None
    region: str | None
    file: str


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path()
)
@click.option("--name", help="The service's name.")
@click.option("--pack", help="The owning team.")
@click.option("--owner", "owners", multiple=True, help="@user or @org/team; can be repeated.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["api", "worker"]),
    help="api: listens on a port behind a load balancer; worker: does not.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="The container's port.")
@click.option("--health-path", help="The path that answers 2xx when the service is healthy.")
@click.option("--region", help="AWS region of the workflow's deployments.")
@click.option("--file", "file", default=MANIFEST, help="Name of the Service YAML file.")
@click.option("--no-workflow", is_flag=True, help="Write the Service YAML only.")
@click.option("--yes", is_flag=True, help="Ask no questions; use what was detected.")
@click.option("--dry-run", is_flag=True, help="Print the YAML files instead of writing them.")
def command(
    folder: Path,
    name: str | None,
    pack: str | None,
    owners: tuple[str, ...],
    kind: str | None,
    port: int | None,
    health_path: str | None,
    region: str | None,
    file: str,
    no_workflow: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Write a service.yml and a workflow for the code in FOLDER (by default, the current folder).

    Dockerfiles, compose files, the requirements, CODEOWNERS and the Python source are read, but
    nothing is run. A folder of several services gets a Service YAML for each, as does a
    worker that a compose file runs beside the service. Files that exist are never overwritten.
    """
    flags = Flags(
        name=name,
        pack=pack,
        owners=owners,
        kind=kind or ("api" if port else None),
        port=port,
        health_path=health_path,
        region=region,
        file=_file_name(file),
    )
    if flags.kind == "worker" and port:
        raise UsageError(
            "a worker has no port", where="--port", fix="leave --port out, or use --type api"
        )
    asks = _Asker(interactive=not (yes or dry_run))
    every = _detect(folder, flags)
    if not dry_run:
        for where, detected in every:
            _refuse_existing(_targets(where, detected, flags, workflow=not no_workflow), flags)
    written = [
        _Written(
            detected=detected,
            folder=where,
            answers=(answers := _answer(flags, detected, asks)),
            files=_files(where, detected, answers, workflow=not no_workflow),
        )
        for where, detected in every
    ]
    files = {path: text for each in written for path, text in each.files.items()}
    if dry_run:
        shown = {path: text for path, text in files.items() if path.suffix == ".yml"}
        click.echo("\n".join(f"# --- {path}\n{text}" for path, text in shown.items()), nl=False)
        return ExitCode.OK
    _refuse_existing(tuple(files), flags)
    for each in written:
        root = each.detected.folder.repository or each.detected.folder.root
        _refuse_outside(each.files, root=root)
    _write(files)
    _tell(files, written)
    return ExitCode.OK


def _detect(folder: Path, flags: Flags) -> list[tuple[Path, Detected]]:
    """Each service's folder with what is known of it."""
    from fsd.scaffold.detect import detect
    from fsd.scaffold.folder import read_folder
    from fsd.scaffold.services import find_services

    whole = read_folder(folder)
    below = find_services(whole)
    if below == (".",):
        return [(folder, detect(whole))]
    of_one = [flags.name, flags.kind, flags.port, flags.health_path]
    if len(below) > 1 and any(of_one):
        raise UsageError(
            f"there are {len(below)} services: {', '.join(below)}",
            where=str(folder),
            fix=f"say it for one: `fsd init {folder / below[0]} …`",
        )
    return [(folder / name, detect(read_folder(folder / name))) for name in below]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    detected: Detected
    folder: Path
    answers: Answers
    files: Mapping[Path, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    interactive: bool

    def ask(
        self, what: str, found: Found | None, *, flag: str, given: str | None, valid: Validity
    ) -> str:
        """The flag's value, else the answer at the terminal, else what was found."""
        if given is not None:
            return valid(given, flag)
        if self.interactive:
            _require_terminal(flag)
            said = f"{what} (from {found.source})" if found else what
            return str(
                click.prompt(
                    said,
                    default=found.value if found else None,
                    value_proc=lambda text: _checked(valid, text, flag),
                    err=True,
                )
            )
        if found is None:
            raise UsageError(
                f"nothing in the folder says the {what.lower()}",
                where="fsd init",
                fix=f"say it with {flag}",
                code=ErrorCode.NOT_FOUND,
            )
        return valid(found.value, flag)


Validity = Callable[[str, str], str]


def _checked(valid: Validity, text: str, flag: str) -> str:
    """What is not valid is asked for again."""
    try:
        return valid(text.strip(), flag)
    except UsageError as error:
        raise click.UsageError(f"{error.what}; {error.fix}") from error


def _require_terminal(flag: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask at",
            where="fsd init",
            fix=f"use --yes to take what was found, or say everything with flags such as {flag}",
            code=ErrorCode.NO_TERMINAL,
        )


def _answer(flags: Flags, detected: Detected, asks: _Asker) -> Answers:
    from fsd.scaffold.detect import API
    from fsd.scaffold.manifest import Answers
    from fsd.scaffold.naming import Found

    owners_found = Found(value=" ".join(detected.owners), source=detected.owners_source)
    region = next(
        (os.environ[key] for key in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(key)), ""
    )
    name = asks.ask("Name", detected.name, flag="--name", given=flags.name, valid=_matching(_NAME))
    owners = asks.ask(
        "Owners, @user or @org/team",
        owners_found,
        flag="--owner",
        given=" ".join(flags.owners) or None,
        valid=_owners,
    ).split()
    team = (
        Found(value=owners[0].rpartition("/")[2].lstrip("@"), source="the owners")
        if owners
        else Found(value=name, source="the service's name")
    )
    pack = asks.ask(
        "Pack, the owning team",
        detected.pack or team,
        flag="--pack",
        given=flags.pack,
        valid=_matching(_PACK),
    )
    kind = asks.ask(
        "Type, api or worker", detected.kind, flag="--type", given=flags.kind, valid=_kind
    )
    port, path = _listening(flags, detected, asks) if kind == API else (None, "/health")
    is_unsure = detected.health is None and flags.health_path is None
    where = asks.ask(
        "AWS region",
        Found(value=region or _REGION, source="the environment" if region else "FSD's default"),
        flag="--region",
        given=flags.region,
        valid=_matching(_REGIONS),
    )
    return Answers(
        name=name,
        pack=pack,
        owners=tuple(owners),
        port=port,
        health_path=path,
        region=where,
        health_note=detected.unsure.source if is_unsure and detected.unsure else "",
        is_grpc=detected.is_grpc,
        has_grpc_health=detected.has_grpc_health,
        command=detected.command_words,
        command_source=detected.command.source if detected.command else "",
        port_variable=detected.port_variable if port else "",
        variables=detected.variables,
        aws=detected.aws,
        calls=detected.calls,
        kafka=detected.kafka.source if detected.kafka else "",
        build=detected.container.build,
        service_file=flags.file,
    )


def _listening(flags: Flags, detected: Detected, asks: _Asker) -> tuple[int, str]:
    from fsd.scaffold.naming import Found

    port = asks.ask(
        "Port",
        detected.port,
        flag="--port",
        given=str(flags.port) if flags.port else None,
        valid=_port,
    )
    if detected.is_grpc and flags.health_path is None:
        return int(port), "/health"
    default = detected.unsure or Found(value="/health", source="FSD's default")
    path = asks.ask(
        "Health path",
        detected.health or default,
        flag="--health-path",
        given=flags.health_path,
        valid=_path,
    )
    return int(port), path


def _matching(pattern: re.Pattern[str]) -> Validity:
    examples = {_NAME: "offer-api", _PACK: "pricing", _REGIONS: "eu-west-1"}

    def valid(text: str, flag: str) -> str:
        if not pattern.fullmatch(text):
            raise UsageError(
                f"`{text}` cannot be used here",
                where=flag,
                fix=f"write something like {examples[pattern]}",
            )
        return text

    return valid


def _owners(text: str, flag: str) -> str:
    owners = text.replace(",", " ").split()
    wrong = [owner for owner in owners if not _OWNER.fullmatch(owner)]
    if wrong:
        raise UsageError(
            f"`{' '.join(wrong)}` is no GitHub handle", where=flag, fix="write @user or @org/team"
        )
    return " ".join(owners)


def _kind(text: str, flag: str) -> str:
    if text not in ("api", "worker"):
        raise UsageError(f"`{text}` is no type", where=flag, fix="write api or worker")
    return text


def _port(text: str, flag: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise UsageError(f"`{text}` is no port", where=flag, fix="write a number up to 65535")
    return text


def _path(text: str, flag: str) -> str:
    if not re.fullmatch(r"/[!-~]{0,1023}", text):
        raise UsageError(f"`{text}` is no path", where=flag, fix="start it with /, as in /health")
    return text


def _workflow_path(folder: Path, detected: Detected, name: str) -> Path:
    """GitHub reads workflows in the repository's own folder only."""
    repository, below = detected.folder.repository, detected.folder.below_repository
    file = f"deploy-{name}.yml" if below else "deploy.yml"
    root = repository if repository is not None and below else folder
    path = root / ".github" / "workflows" / file
    return Path(os.path.relpath(path)) if path.is_absolute() and not folder.is_absolute() else path


def _file_name(text: str) -> str:
    if not re.fullmatch(r"[\w][\w.-]*\.ya?ml", text):
        raise UsageError(
            f"`{text}` is no name for a Service YAML",
            where="--file",
            fix="write a name without a folder that ends in .yml, as in fsd.yml",
        )
    return text


def _targets(folder: Path, detected: Detected, flags: Flags, *, workflow: bool) -> tuple[Path, ...]:
    """What is known to be written before anything is asked."""
    below = detected.folder.below_repository
    known = _workflow_path(folder, detected, flags.name or detected.name.value)
    return (folder / flags.file, *([known] if workflow and (flags.name or not below) else []))


def _files(
    folder: Path, detected: Detected, answers: Answers, *, workflow: bool
) -> Mapping[Path, str]:
    import json

    from fsd.manifest.schema import manifest_schema
    from fsd.scaffold.manifest import SCHEMA, write_manifest
    from fsd.scaffold.testing import find_tests
    from fsd.scaffold.workflow import write_workflow

    files = {folder / answers.service_file: write_manifest(answers)}
    for worker in _workers(detected, answers):
        files[folder / worker.service_file] = write_manifest(worker)
    if workflow:
        path = _workflow_path(folder, detected, answers.name)
        stem, dot, suffix = answers.service_file.rpartition(".")
        files[path] = write_workflow(
            answers,
            find_tests(detected.folder),
            below=detected.folder.below_repository,
            build=detected.container.build,
            service_files=f"{stem}*{dot}{suffix}" if len(files) > 1 else "",
        )
    schema = folder / SCHEMA
    if not schema.exists():  # for editors; `fsd schema` writes the same
        files[schema] = json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"
    return files


def _workers(detected: Detected, answers: Answers) -> Iterator[Answers]:
    """Of compose's services that run the same image with another command."""
    from fsd.scaffold.naming import as_name

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


def _refuse_existing(paths: tuple[Path, ...], flags: Flags) -> None:
    existing = [path for path in paths if path.exists() or path.is_symlink()]
    if not existing:
        return
    first = existing[0]
    if first.parent.name == "workflows":
        what = f"there is already a {first.name}; nothing was written"
        fix = "`fsd init --no-workflow` leaves it as it is, and writes the Service YAML"
    elif _is_service_yaml(first):
        what = f"there is already a {first.name}; nothing was written"
        fix = (
            f"`fsd validate --file {first}` checks it; `fsd init --dry-run` shows what would be "
            "written, and `fsd init --file NAME.yml` writes another one"
        )
    else:
        other = "fsd.yml" if flags.file != "fsd.yml" else "fsd-service.yml"
        what = f"there is already a {first.name}, which is no Service YAML; nothing was written"
        fix = f"`fsd init --file {other}` writes beside it"
    raise RefusedError(what, where=str(first), fix=fix, code=ErrorCode.FILE_EXISTS)


def _is_service_yaml(path: Path) -> bool:
    """By its first lines: another tool's service.yml is not FSD's to check."""
    from fsd_files.user_files import read_user_text

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


def _write(files: Mapping[Path, str]) -> None:
    """All or nothing: what was written before a failure is removed again."""
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise RefusedError(
            f"{error.strerror or error}; nothing was written",
            where=str(error.filename or ""),
            fix="make the folder writable, or name another one",
            code=ErrorCode.CANNOT_WRITE,
        ) from error


def _tell(files: Mapping[Path, str], written: Sequence[_Written]) -> None:
    for path in files:
        click.echo(f" ✔ {path}")
    has_workflow = any(path.parent.name == "workflows" for path in files)
    for each in written:
        several = f"{each.folder}: " if len(written) > 1 else ""
        for note in _notes(each, has_workflow=has_workflow):
            click.echo(f" ! {several}{note}")
    manifests = [each.folder / each.answers.service_file for each in written]
    click.echo(
        f"\nNext:  fsd validate --file {manifests[0]}   ·   "
        f"fsd deploy --env local --file {manifests[0]}"
    )


def _notes(written: _Written, *, has_workflow: bool) -> Iterator[str]:
    from fsd.scaffold.testing import find_tests

    detected, answers = written.detected, written.answers
    if detected.container.build is None:
        yield "there is no Dockerfile: `fsd deploy` needs one, or --image"
    yield from detected.notes
    is_guessed = detected.health is None and detected.unsure is None and not answers.is_grpc
    if answers.port is not None and is_guessed:
        yield f"no route `{answers.health_path}` was found: it has to answer 2xx"
    needed = [each.name for each in detected.variables if each.is_needed and each.default is None]
    if needed:
        yield f"the code ends without {', '.join(needed[:8])}: set them in {answers.service_file}"
    if not answers.owners:
        yield "nobody owns it: `metadata.owners` is whom a failed deployment names"
    if has_workflow and not find_tests(detected.folder).found:
        yield "there are no tests: the workflow deploys nothing without one"
    if answers.aws or answers.kafka:
        yield f"what it uses on AWS stands in {answers.service_file} as a comment: put in the names"
