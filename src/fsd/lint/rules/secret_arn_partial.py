"""Secrets Manager ends every ARN with a hyphen and six characters of its own.

Without them the permission has to be widened to `-??????`, and another secret may match.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath

_SECRET = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:(?P<name>[^:]+)"
_SUFFIX = r".+-[A-Za-z0-9]{6}"


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    named: list[tuple[KeyPath, str]] = [
        (("service", "secrets", index, "valueFrom"), secret.value_from)
        for index, secret in enumerate(service.secrets)
    ]
    if service.repository_credentials is not None:
        named.append((("service", "repositoryCredentials"), service.repository_credentials))
    for at, arn in named:
        match = re.match(_SECRET, arn)
        if match and not re.fullmatch(_SUFFIX, match["name"]):
            name = match["name"]
            yield Problem(
                at=at,
                message=f"the ARN of `{name}` lacks the six characters at its end",
                fix=f"`aws secretsmanager describe-secret --secret-id {name} --query ARN` "
                "prints the full ARN",
            )
