"""The border of an environment, for a command that somebody gives: at a terminal, or in a `run:`.

What the Action does is decided in `fsd.action`; the rule itself is `fsd.release.border`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fsd.app.environments import EnvironmentsFile, find_environment
from fsd.manifest.environments import Environment
from fsd.release.border import (
    Border,
    CheckoutState,
    check_checkout,
    check_image,
    image_policies,
)
from fsd.streams import say


def border_of(environment: Environment, *, forced_by: str, has_force: bool = True) -> Border:
    return Border(
        environment=environment.name,
        is_protected=environment.protected,
        promote_from=environment.promote_from or "",
        policies=image_policies(environment),
        branches=environment.branches,
        forced_by=forced_by,
        has_force=has_force,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedAction:
    """What a command does to an environment, and from where."""

    name: str  # "deploy", "run a command"
    forced_by: str = ""  # who passes the border by force, "" where nobody does
    folders: tuple[Path, ...] = ()  # of the checkout; the current folder without any
    has_force: bool = True  # whether the command takes --force
    image: str = ""  # that a task runs beside the service; "" is the service's own


def require_allowed(
    file: Path | None, env: str, guarded: GuardedAction, *, environments_file: EnvironmentsFile
) -> str:
    """Returns what to note in the ledger; "" where nothing had to be forced.

    Raises ManifestError where there is no such environment, RefusedError where it lets nobody in.
    """
    environment = find_environment(file, env, file=environments_file)
    border = border_of(environment, forced_by=guarded.forced_by, has_force=guarded.has_force)
    folders = guarded.folders or (Path.cwd(),)
    notes = [
        check_checkout(border, _standing(border, folder), action=guarded.name) for folder in folders
    ]
    of_image = check_image(border, guarded.image)
    for note in filter(None, (*notes, of_image)):
        say(f"warning: forced: {note}", err=True)
    return of_image or next(filter(None, notes), "")


def _standing(border: Border, folder: Path) -> CheckoutState:
    if not border.is_protected:
        return CheckoutState()
    from fsd.image.checkout_state import read_checkout_state

    return read_checkout_state(folder, border.branches)
