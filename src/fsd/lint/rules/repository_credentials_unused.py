"""Credentials of a registry for an image that comes from ECR, which takes none.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr|public\.ecr\.aws/")
_FIX = "remove `repositoryCredentials`; the execution role pulls from ECR"


def check(subject: Subject) -> Iterator[Problem]:
    service, own = subject.service, ("service", "repositoryCredentials")
    if service.repository_credentials is not None:
        if service.image is None:
            yield Problem(
                at=own,
                message="credentials of a registry for an image that FSD builds and pushes to ECR",
                fix="remove them, or name the image in `service.image`",
                on_key=True,
            )
        else:
            yield from _unused(own, service.image, ("service", "image"))
    for index, sidecar in enumerate(service.sidecars):
        if sidecar.repository_credentials is not None:
            at = ("service", "sidecars", index)
            yield from _unused((*at, "repositoryCredentials"), sidecar.image, (*at, "image"))


def _unused(at: KeyPath, image: str, image_at: KeyPath) -> Iterator[Problem]:
    if _ECR.match(image):
        yield Problem(
            at=at,
            message=f"credentials of a registry for {image}, which is in ECR",
            fix=_FIX,
            on_key=True,
            uses=(image_at,),
        )
