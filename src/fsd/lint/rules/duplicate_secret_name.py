"""ECS refuses a container with two secrets of one name."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject


def check(subject: Subject) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, secret in enumerate(subject.service.secrets):
        if secret.name in seen:
            yield Problem(
                at=("service", "secrets", index, "name"),
                message=f"a secret with the name `{secret.name}` is already listed",
                fix="give it another name, or remove one of the two",
                uses=(("service", "secrets", seen[secret.name], "name"),),
            )
        seen.setdefault(secret.name, index)
