"""`fsd init`: the command line, the questions at a terminal, and what is printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import ErrorCode, ExitCode, UsageError

if TYPE_CHECKING:
    from fsd.app.init import InitService
    from fsd.app.init_answers import Question


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
@click.option("--file", "file", default="service.yml", help="Name of the Service YAML file.")
@click.option("--no-workflow", is_flag=True, help="Write the Service YAML only.")
@click.option("--yes", is_flag=True, help="Ask no questions; use the detected values.")
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

    FSD reads Dockerfiles, compose files, requirements, CODEOWNERS and the Python source, and runs
    nothing. It writes one Service YAML for each service in the folder and for each worker in a
    compose file. If there is no Dockerfile, it writes one, provided that the code shows how to
    start the service. It never overwrites a file.
    """
    from fsd.app.init import run_init
    from fsd.app.init_answers import InitRequest
    from fsd.cli.wiring import usual_region

    request = InitRequest(
        folder=folder,
        file=file,
        name=name,
        pack=pack,
        owners=owners,
        kind=kind or ("api" if port else None),
        port=port,
        health_path=health_path,
        region=region,
        usual_region=usual_region(),
        has_workflow=not no_workflow,
        is_dry_run=dry_run,
    )
    written = run_init(request, ask=None if yes or dry_run else _ask)
    files = {path: text for each in written for path, text in each.files.items()}
    if dry_run:
        shown = {path: text for path, text in files.items() if path.suffix == ".yml"}
        click.echo("\n".join(f"# --- {path}\n{text}" for path, text in shown.items()), nl=False)
    else:
        _print(files, written)
    return ExitCode.OK


def _ask(question: Question) -> str:
    """What is not valid is asked for again."""
    if not sys.stdin.isatty():
        raise UsageError(
            "`fsd init` cannot ask questions without a terminal",
            where="fsd init",
            fix="use --yes to take the detected values, or give every value as an option, such as "
            f"{question.flag}",
            code=ErrorCode.NO_TERMINAL,
        )

    def check(text: str) -> str:
        try:
            return question.check(text.strip(), question.flag)
        except UsageError as error:
            raise click.UsageError(f"{error.what}; {error.fix}") from error

    found = question.found
    said = f"{question.what} (from {found.source})" if found else question.what
    default = found.value if found else None
    return str(click.prompt(said, default=default, value_proc=check, err=True))


def _print(files: Mapping[Path, str], written: Sequence[InitService]) -> None:
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


def _notes(written: InitService, *, has_workflow: bool) -> Iterator[str]:
    from fsd.scaffold.testing import find_tests

    detected, answers = written.detected, written.answers
    if detected.lacks_dockerfile and detected.command:
        runs = f"`{detected.command.value}` ({detected.command.source})"
        yield f"there was no Dockerfile: the new one runs {runs}"
    elif detected.container.build is None:
        yield "there is no Dockerfile: `fsd deploy` needs one, or --image"
    if written.kept_workflow is not None:
        path = written.kept_workflow
        yield f"{path} exists and was not changed: add a step with `uses: org/fsd-deploy@v1`"
    yield from detected.notes
    needed = [each.name for each in detected.variables if each.is_needed]
    if needed:
        yield f"the code ends without {', '.join(needed[:8])}: set them in {answers.service_file}"
    if not answers.owners:
        yield "there are no owners: set `metadata.owners`; FSD mentions them if a deployment fails"
    if has_workflow and not find_tests(detected.folder).found:
        yield "there are no tests: the workflow deploys nothing without one"
    if answers.aws or answers.kafka:
        file = answers.service_file
        yield f"{file} lists in a comment what the code uses on AWS: fill in the names"
