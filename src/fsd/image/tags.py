"""A tag for an image that is there already. None is ever moved: it may name another image."""

from __future__ import annotations

from collections.abc import Iterable

from fsd.errors import CallFailedError
from fsd.release.ports import Registry


def put_free_tag(
    tags: Iterable[str],
    digest: str,
    *,
    repository: str,
    registry: Registry,
    has: frozenset[str] = frozenset(),
) -> tuple[str, CallFailedError | None]:
    """The first of `tags` that no other image has; else "", and what the registry said last. `has`
    are tags that the image has already."""
    said = None
    for tag in tags:
        if tag in has:
            return tag, None
        try:
            there = registry.find_image(repository, tag)
            if there is None:
                registry.tag_digest(repository, digest=digest, tag=tag)
        except CallFailedError as error:
            said = error
        else:
            if there is None or there.digest == digest:
                return tag, None
    return "", said
