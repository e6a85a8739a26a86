"""A ready image and a recipe for one: only the image is used."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

IMAGE = ("service", "image")
BUILD = ("service", "build")


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    if service.image is not None and service.build is not None:
        yield Problem(
            at=BUILD,
            message="FSD builds nothing, because `service.image` names an existing image",
            fix="remove `build`, or `image`",
            uses=(IMAGE,),
            on_key=True,
        )
