"""`fsd help`: what `--help` says, for those who type it first."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  fsd help
  fsd help deploy
  fsd help local up"""
)
@click.argument("command_name", metavar="[COMMAND]...", nargs=-1)
def command(command_name: tuple[str, ...]) -> None:
    """Show help for FSD, or for one command."""
    from fsd.cli.usage import unknown_command

    context = click.get_current_context().find_root()
    for name in command_name:
        group = context.command
        inner = group.get_command(context, name) if isinstance(group, click.Group) else None
        if inner is None:
            names = group.list_commands(context) if isinstance(group, click.Group) else []
            raise unknown_command(name, names, path=context.command_path)
        context = click.Context(inner, parent=context, info_name=name)
    click.echo(context.command.get_help(context))
