"""`fsd push`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fsd.cli.options import (
    ALLOW_RUN,
    CONTEXT,
    DOCKERFILE,
    ENV,
    FILE,
    FORMAT,
    OVERRIDE,
    REGION,
    VERSION,
    release_folders,
)
from fsd.streams import say


@click.command(
    epilog="""\b
Examples:
  fsd push --env dev
  image=$(fsd push --env dev) && fsd deploy --env dev --image "$image\""""
)
@FILE
@ENV
@CONTEXT
@DOCKERFILE
@ALLOW_RUN
@VERSION
@OVERRIDE
@REGION
@FORMAT
def command(
    file: Path,
    env: str,
    context: Path | None,
    dockerfile: Path | None,
    allow_run: bool,
    version: str | None,
    overrides: tuple[str, ...],
    region: str | None,
    output: str,
) -> int:
    """Push the image of a release to the environment's registry, and print it by digest.

    An image that the registry has already is not built again. Otherwise, FSD pushes the image that
    `fsd build` left in the Docker engine, or builds it. A deployment of the same finds the image.
    """
    from fsd.app.border import GuardedAction, require_allowed
    from fsd.app.build import run_push
    from fsd.app.clock import catch_signals
    from fsd.app.deployment import DeployOptions
    from fsd.cli.wiring import connect, govern_in_workflow
    from fsd.report import open_reporter
    from fsd.report.images import image_json, image_text

    environments = govern_in_workflow()
    folders = release_folders(file, context, dockerfile)
    action = GuardedAction(name="push", has_force=False, folders=folders)
    require_allowed(file, env, action, environments_file=environments)
    options = DeployOptions(
        file=file,
        environment=env,
        context=context,
        dockerfile=dockerfile,
        allow_run=allow_run,
        version=version,
        overrides=overrides,
        region=region,
        environments_file=environments,
    )
    with catch_signals(), open_reporter() as reporter:
        pushed = run_push(options, connect, reporter=reporter)
    say(json.dumps(image_json(pushed), indent=2) if output == "json" else image_text(pushed))
    return 0
