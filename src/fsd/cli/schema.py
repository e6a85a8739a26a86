"""`fsd schema`: the Service YAML's JSON Schema, for editors and other tools."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema (2020-12) of the Service YAML.

    For an editor with the YAML language server, save it and put this line at the top of a manifest:

    \b
        # yaml-language-server: $schema=service.schema.json
    """
    import json

    from fsd.manifest.schema import manifest_schema

    click.echo(json.dumps(manifest_schema(), indent=2, ensure_ascii=False))
