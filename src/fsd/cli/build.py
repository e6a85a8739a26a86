"""`fsd build`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fsd.cli.options import CONTEXT, DOCKERFILE, ENV, FILE, FORMAT, OVERRIDE, VERSION
from fsd.streams import say


@click.command(
    epilog="""\b
Examples:
  fsd build --env dev
  docker run --rm "$(fsd build --env dev)" python -m pytest"""
)
@FILE
@ENV
@CONTEXT
@DOCKERFILE
@VERSION
@OVERRIDE
@FORMAT
def command(
    file: Path,
    env: str,
    context: Path | None,
    dockerfile: Path | None,
    version: str | None,
    overrides: tuple[str, ...],
    output: str,
) -> int:
    """Build the image of a release with Docker, and print its name.

    It needs no AWS account. `fsd push` pushes exactly this image, as long as nothing that makes it
    has changed.
    """
    from fsd.app.build import run_build
    from fsd.app.clock import catch_signals
    from fsd.app.deployment import DeployOptions
    from fsd.report import open_reporter
    from fsd.report.images import image_json, image_text

    options = DeployOptions(
        file=file,
        environment=env,
        context=context,
        dockerfile=dockerfile,
        version=version,
        overrides=overrides,
    )
    with catch_signals(), open_reporter() as reporter:
        built = run_build(options, reporter=reporter)
    say(json.dumps(image_json(built), indent=2) if output == "json" else image_text(built))
    return 0
