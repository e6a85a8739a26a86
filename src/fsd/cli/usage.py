"""What click says of a wrong command line, in the shape of every other error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import cast

import click

from fsd.errors import UsageError

_QUOTED = re.compile(r"'([^']*)'")


def usage_error(error: click.ClickException) -> UsageError:
    """What is wrong, in which command, and what to type instead."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "fsd"
    if isinstance(error, click.NoSuchCommand) and context:
        group = cast(click.Group, context.command)
        return unknown_command(error.command_name, group.list_commands(context), path=path)
    return UsageError(_what(error), where=path, fix=_fix(error, path))


def _what(error: click.ClickException) -> str:
    match error:
        case click.NoSuchOption(option_name=name):
            return f"`{name}` is not an option of this command"
        case click.MissingParameter(param=click.Parameter() as parameter):
            return f"{_name(parameter)} is missing"
        case click.BadParameter(param=click.Parameter() as parameter):
            return f"{_name(parameter)}: {_plain(error.message)}"
    return _plain(error.format_message())


def _name(parameter: click.Parameter) -> str:
    """`--env`, or `FILE` of an argument."""
    if isinstance(parameter, click.Argument):
        return f"`{parameter.make_metavar(click.Context(click.Command('')))}`"
    return f"`{max(parameter.opts, key=len)}`"


def _plain(message: str) -> str:
    """Lower case, names in backticks, no full stop."""
    text = " ".join(_QUOTED.sub(r"`\1`", message).split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _fix(error: click.ClickException, path: str) -> str:
    see = f"`{path} --help` lists the options"
    match error:
        case click.NoSuchOption(possibilities=[nearest, *_]):
            return f"did you mean `{nearest}`? {see}"
    return see


def unknown_command(name: str, names: Iterable[str], *, path: str) -> UsageError:
    """Names the nearest command, where one is near."""
    close = get_close_matches(name, list(names), n=1)
    meant = f"did you mean `{path} {close[0]}`? " if close else ""
    return UsageError(
        f"`{name}` is not a command",
        where=path,
        fix=f"{meant}`{path} --help` lists the commands",
    )
