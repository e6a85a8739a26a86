"""How a checkout stands to an environment's branches, and what its default branch has.

Only what the remote had at the last fetch counts: a commit that nobody has pushed was reviewed by
nobody. Who can write to the checkout can make it say anything; this is no border against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fsd.image.context import ask_git
from fsd.release.border import CheckoutState

_REMOTE = "refs/remotes/origin/"


def read_checkout_state(folder: Path, branches: Sequence[str]) -> CheckoutState:
    """Without git there is no commit, and no branch."""
    commit = ask_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not commit:
        return CheckoutState(where="no commit of a git repository")
    contains = ask_git(folder, "for-each-ref", "--contains", commit, "--format=%(refname)", _REMOTE)
    pushed = [line.removeprefix(_REMOTE) for line in (contains or "").splitlines()]
    name = ask_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    return CheckoutState(
        branch=next((branch for branch in pushed if branch in branches), ""),
        is_clean=_is_clean(folder),
        where=f"branch {name} at {commit[:7]}" if name else f"commit {commit[:7]}",
    )


def _is_clean(folder: Path) -> bool:
    """Nothing that git tracks is changed, and nothing is new where the service is."""
    top = ask_git(folder, "rev-parse", "--show-toplevel")
    if not top:
        return False
    changed = ask_git(Path(top), "status", "--porcelain", "--untracked-files=no")
    new = ask_git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return changed == "" and new == ""
