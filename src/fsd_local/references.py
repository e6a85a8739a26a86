"""The `valueFrom` of a task definition's secret, taken apart. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# Secrets Manager appends a hyphen and six random characters to a secret's name in its ARN.
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """What a `valueFrom` points at; json_key, stage and version are "" where they are left out."""

    kind: Literal["secret", "parameter"]
    arn: str  # "" for a parameter that is given by its name
    name: str  # a secret's with the random suffix, if the ARN has one
    account: str
    region: str
    json_key: str = ""
    stage: str = ""
    version: str = ""

    @property
    def bare_name(self) -> str:
        """The name without what looks like a random suffix."""
        return _SUFFIX.sub("", self.name)


def parse(value_from: str, *, account: str, region: str) -> SecretReference:
    """`account` and `region` are the task's: a parameter's bare name says neither."""
    parts = value_from.split(":")
    if len(parts) < 6 or parts[0] != "arn":
        return SecretReference(
            kind="parameter", arn="", name=value_from, account=account, region=region
        )
    if parts[2] != "secretsmanager":
        resource = ":".join(parts[5:])
        return SecretReference(
            kind="parameter",
            arn=value_from,
            name=resource.removeprefix("parameter"),
            account=parts[4],
            region=parts[3],
        )
    tail = [*parts[7:], "", "", ""]
    return SecretReference(
        kind="secret",
        arn=":".join(parts[:7]),
        name=parts[6] if len(parts) > 6 else "",
        account=parts[4],
        region=parts[3],
        json_key=tail[0],
        stage=tail[1],
        version=tail[2],
    )


def whole_secret(secret: str, account: str, region: str) -> str:
    """The ARN of a secret that may be named by its name alone."""
    is_arn = secret.startswith("arn:")
    return secret if is_arn else f"arn:aws:secretsmanager:{region}:{account}:secret:{secret}"
