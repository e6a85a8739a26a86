"""A service that may change policies, code or contracts may give itself everything else."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import KINDS, is_administrative
from fsd.manifest.finding import Severity
from fsd.manifest.permissions import read_permission


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        for number, permission in enumerate(dependency.permissions):
            found = _administrative(dependency.type, permission)
            if not found:
                continue
            yield Problem(
                at=("dependencies", index, "permissions", number),
                message=_message(permission, found),
                fix="remove it, so that only people and pipelines administer the resource; if "
                "the service needs it, add `# fsd: ignore[administrative-permission]` and the "
                "reason",
                uses=(("dependencies", index, "type"),),
                severity=Severity.ERROR if subject.is_protected else None,
                needs_reason=subject.is_protected,
            )


def _administrative(type_: str, permission: str) -> tuple[str, ...]:
    """Those actions of a permission that are granted on this type, and that administer it."""
    kind = KINDS.get(type_)
    if kind is None:
        return ()
    actions, fault = read_permission(kind, permission)
    return tuple(action for action in actions if fault is None and is_administrative(action))


def _message(permission: str, found: tuple[str, ...]) -> str:
    what = "lets the service administer the resource, not only use it"
    if found == (permission,):
        return f"`{permission}` {what}"
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"`{permission}` {what}: `{found[0]}`{more}"
