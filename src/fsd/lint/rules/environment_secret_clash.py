"""ECS refuses a name that is both an environment variable and a secret."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject


def check(subject: Subject) -> Iterator[Problem]:
    for index, secret in enumerate(subject.service.secrets):
        if secret.name in subject.service.environment:
            yield Problem(
                at=("service", "environment", secret.name),
                message=f"`{secret.name}` is both a variable here and a secret in `secrets`",
                fix="remove it from `environment`; the secret sets the variable",
                on_key=True,
                uses=(("service", "secrets", index, "name"),),
            )
