"""An image that is named by a tag which moves is another image tomorrow.

Then two deployments of one commit differ, and a rollback cannot name what ran.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

IMAGE = ("service", "image")
# Tags that, by their meaning, follow something.
_MOVING = frozenset({"latest", "stable", "main", "master", "develop", "dev", "edge", "nightly"})


def check(subject: Subject) -> Iterator[Problem]:
    written = subject.text(*IMAGE)
    if subject.service.image is None or "@" in written:
        return
    repository, _, tag = written.rpartition("/")[2].partition(":")
    if tag and tag not in _MOVING:
        return
    said = f"the mutable tag `{tag}`" if tag else "no tag, which means `latest`"
    untagged = written.removesuffix(f":{tag}") if tag else written
    yield Problem(
        at=IMAGE,
        message=f"the image {repository} has {said}",
        fix=f"use a version, such as `{untagged}:v1.2.3`, or better, a digest, such as "
        f"`{untagged}@sha256:…`",
    )
