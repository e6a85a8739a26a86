"""The border of an environment, for a command that somebody gives: at a terminal, or in a `run:`.

What the Action does is decided in `fsd.action`; the rule itself is `fsd.release.border`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.wiring import who_runs
from fsd.manifest.environments import Environment
from fsd.release.border import Border, Standing, check_standing
from fsd.streams import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FORCE_HELP = "Pass a protected environment's border; the ledger notes who did."


def force_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--force", is_flag=True, help=FORCE_HELP)(command)


def border_of(environment: Environment, *, force: bool) -> Border:
    return Border(
        environment=environment.name,
        is_protected=environment.protected,
        promote_from=environment.promote_from or "",
        branches=environment.branches,
        forced_by=who_runs() if force else "",
    )


def require_standing(environment: Environment, *, folder: Path, force: bool, action: str) -> str:
    """What to note in the ledger; "" where nothing had to be forced. Raises RefusedError."""
    border = border_of(environment, force=force)
    standing = Standing()
    if border.is_protected:
        from fsd.image.standing import read_standing

        standing = read_standing(folder, border.branches)
    note = check_standing(border, standing, action=action)
    if note:
        say(f"warning: forced: {note}", err=True)
    return note
