"""The border of an environment, for a command that somebody gives: at a terminal, or in a `run:`.

What the Action does is decided in `fsd.action`; the rule itself is `fsd.release.border`.
"""

from __future__ import annotations

from pathlib import Path

from fsd.manifest.environments import Environment
from fsd.release.border import Border, Standing, check_image, check_standing
from fsd.streams import say


def border_of(environment: Environment, *, forced_by: str) -> Border:
    return Border(
        environment=environment.name,
        is_protected=environment.protected,
        promote_from=environment.promote_from or "",
        branches=environment.branches,
        forced_by=forced_by,
    )


def require_standing(environment: Environment, *, folder: Path, forced_by: str, action: str) -> str:
    """`forced_by` is who passes the border by force, "" where nobody does.

    Returns what to note in the ledger; "" where nothing had to be forced. Raises RefusedError."""
    border = border_of(environment, forced_by=forced_by)
    standing = Standing()
    if border.is_protected:
        from fsd.image.standing import read_standing

        standing = read_standing(folder, border.branches)
    note = check_standing(border, standing, action=action)
    if note:
        say(f"warning: forced: {note}", err=True)
    return note


def require_own_image(environment: Environment, image: str, *, forced_by: str) -> str:
    """The same for an image that a task runs beside the service; "" is the service's own."""
    note = check_image(border_of(environment, forced_by=forced_by), image)
    if note:
        say(f"warning: forced: {note}", err=True)
    return note
