"""Whether a file of a checkout is in the checkout."""

from __future__ import annotations

from pathlib import Path

from fsd.errors import ErrorCode, RefusedError


def require_inside(path: Path, root: Path, *, where: str) -> None:
    """A pull request's file may be a link to any file of the runner's. Raises RefusedError."""
    try:
        is_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a link that leads to itself, in older Pythons
        is_inside = True  # reading it says what it is
    if not is_inside:
        raise RefusedError(
            f"{path.name} is a link, or lies below one, that leads out of the checkout",
            where=f"{where}: {path}",
            fix="put the file itself into the repository",
            code=ErrorCode.OUTSIDE_CHECKOUT,
        )
