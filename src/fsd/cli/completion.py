"""`fsd completion`: the script that makes a shell complete commands, options and values."""

from __future__ import annotations

import click

from fsd.errors import ExitCode

# What click looks for: https://click.palletsprojects.com/en/stable/shell-completion/
VARIABLE = "_FSD_COMPLETE"


@click.command(
    epilog="""\b
Add to the shell's startup file:
  bash  eval "$(fsd completion bash)"      in ~/.bashrc
  zsh   eval "$(fsd completion zsh)"       in ~/.zshrc
  fish  fsd completion fish | source       in ~/.config/fish/config.fish"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    from fsd.cli.main import cli

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(cli, {}, "fsd", VARIABLE).source())
    return ExitCode.OK
