"""Secrets Manager ends every ARN with a hyphen and six characters of its own.

Without them the permission has to be widened to `-??????`, and another secret may match.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.container import Sidecar, SidecarSecret
from fsd.manifest.key_path import KeyPath
from fsd.manifest.models import Secret, Service

_SECRET = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:(?P<name>[^:]+)"
_SUFFIX = r".+-[A-Za-z0-9]{6}"
_WORD = r".+-[a-z]{6}"  # `ghcr-secret`; of the suffixes that AWS makes 1 in 180 is like it


def check(subject: Subject) -> Iterator[Problem]:
    for at, arn in _named(subject):
        match = re.match(_SECRET, arn)
        name = match["name"] if match else ""
        is_word = bool(re.fullmatch(_WORD, name))
        if match and (is_word or not re.fullmatch(_SUFFIX, name)):
            verb = "seems to lack" if is_word else "lacks"
            yield Problem(
                at=at,
                message=f"the ARN of `{name}` {verb} the six characters at its end",
                fix=f"`aws secretsmanager describe-secret --secret-id {name} --query ARN` "
                "prints the full ARN",
            )


def _named(subject: Subject) -> Iterator[tuple[KeyPath, str]]:
    service = subject.service
    containers: list[tuple[KeyPath, Service | Sidecar]] = [(("service",), service)]
    containers += [
        (("service", "sidecars", index), each) for index, each in enumerate(service.sidecars)
    ]
    for at, one in containers:
        secrets: tuple[Secret | SidecarSecret, ...] = one.secrets
        for index, secret in enumerate(secrets):
            yield (*at, "secrets", index, "valueFrom"), secret.value_from
        if one.repository_credentials is not None:
            yield (*at, "repositoryCredentials"), one.repository_credentials
