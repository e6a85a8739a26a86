"""An environment that takes only what has succeeded in the one before it."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.compile.desired import Image
from fsd.errors import ErrorCode, RefusedError
from fsd.release.result import PastOutcome, ReleaseInfo


def find_gates(asked: str, written: str | None) -> tuple[str, ...]:
    """Each environment in which an image must have succeeded: what a workflow asks for comes on top
    of what the environments file has, and never in its place."""
    return tuple(dict.fromkeys(name for name in (written, asked) if name))


def require_promotion(
    image: Image,
    history: Sequence[ReleaseInfo],
    *,
    service: str,
    environment: str,
    source: str,
) -> ReleaseInfo:
    """The release as which this very digest succeeded in `source`, the newest.

    Raises RefusedError unless it did. `history` is the source's, newest first. A digest whose
    outcome ECS has forgotten does not count: what cannot be shown is not a promotion. Nor does an
    image without a digest.
    """
    succeeded = [release for release in history if release.outcome is PastOutcome.SUCCEEDED]
    for release in succeeded:
        if release.digest and release.digest == image.digest:
            return release
    name = f"{service}@{image.digest[:19]}…" if image.digest else f"{service}:{image.tag}"
    raise RefusedError(
        f"{environment} accepts only what has succeeded in {source}, and {name} has not"
        f"{_what_did(succeeded)}",
        where=f"promotion from {source}",
        fix=f"deploy this commit to {source} first, and then the same commit here: "
        "a merge or a squash creates a different commit",
        code=ErrorCode.PROMOTION_REQUIRED,
    )


def _what_did(succeeded: Sequence[ReleaseInfo]) -> str:
    if not succeeded:
        return ", and nothing else has"
    newest = succeeded[0]
    return f"; the newest that did is {newest.version or newest.revision} {newest.digest[:19]}"
