"""A permission on a resource where its action does not work grants nothing."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import (
    EVERYTHING,
    KINDS,
    Kind,
    arn_templates,
    expand,
    nearest_actions,
)


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        kind = KINDS.get(dependency.type)
        if kind is None:
            continue
        for number, permission in enumerate(dependency.permissions):
            actions = expand(permission)
            if actions and not any(_works(kind, permission, action) for action in actions):
                yield Problem(
                    at=("dependencies", index, "permissions", number),
                    message=f"`{permission}` does not work on a {kind.title} ({kind.type})",
                    fix=_fix(permission, kind),
                    uses=(("dependencies", index, "type"),),
                )


def _works(kind: Kind, permission: str, action: str) -> bool:
    """A wildcard does not mean actions without a resource level; one that is named does."""
    templates = arn_templates(kind, action)
    is_wildcard = "*" in permission or "?" in permission
    return bool(templates) and not (is_wildcard and templates == (EVERYTHING,))


def _fix(permission: str, kind: Kind) -> str:
    service, _, action = permission.partition(":")
    owners = [other.type for other in KINDS.values() if service.lower() in other.services]
    owners = [type_ for type_ in owners if type_ != kind.type]
    if owners:
        return f"put it on a dependency of type {' or '.join(f'`{type_}`' for type_ in owners)}"
    near = [
        candidate
        for prefix in kind.services
        for candidate in nearest_actions(f"{prefix}:{action}")
        if arn_templates(kind, candidate)
    ]
    return " or ".join(f"`{candidate}`" for candidate in near[:2]) or (
        f"actions on a {kind.title} start with "
        + " or ".join(f"`{prefix}:`" for prefix in kind.services)
    )
