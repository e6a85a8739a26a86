"""An environment that takes only what has succeeded in the one before it."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.errors import RefusedError
from fsd.release.result import ReleaseInfo


def require_promotion(
    digest: str, history: Sequence[ReleaseInfo], *, service: str, environment: str, source: str
) -> None:
    """Raise RefusedError unless this very digest succeeded in `source`.

    `history` is the source's, newest first. A digest that ECS has forgotten the outcome of does
    not count: what cannot be shown is not a promotion.
    """
    if any(r.digest == digest and r.outcome == "succeeded" for r in history):
        return
    good = next((release for release in history if release.outcome == "succeeded"), None)
    runs = (
        f"{source} last succeeded with {good.digest[:19]}… ({good.version})"
        if good
        else f"nothing has succeeded in {source} yet"
    )
    raise RefusedError(
        f"{environment} takes only what succeeded in {source}; {service}@{digest[:19]}… has not; "
        + runs,
        where=f".fsd/environments.yml: promoteFrom {source}",
        fix=f"deploy this commit to {source} first",
        code="promotion-required",
    )
