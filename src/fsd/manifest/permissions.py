"""How a dependency's permission is read: `compile` grants what `lint` has judged, by this alone."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from fsd.manifest.dependencies import (
    EVERYTHING,
    KINDS,
    DependencyType,
    arn_templates,
    expand,
    may_be_newer,
    nearest_actions,
)


class PermissionFault(Enum):
    """UNKNOWN: IAM has no such action. NEWER: it may have one that FSD does not know yet, so it is
    granted. ELSEWHERE: its actions exist, and none of them works on this kind of resource."""

    UNKNOWN = auto()
    NEWER = auto()
    ELSEWHERE = auto()


def read_permission(
    kind: DependencyType, permission: str
) -> tuple[tuple[str, ...], PermissionFault | None]:
    """The actions that it grants on a resource of this kind, sorted, and what is wrong with it.

    A wildcard leaves out what has no resource level: `s3:*` on a bucket does not mean
    s3:PutAccountPublicAccessBlock. An action that is named gets it, on `*`.
    """
    return _read(kind.type, permission)


@lru_cache(maxsize=4096)
def _read(type_: str, permission: str) -> tuple[tuple[str, ...], PermissionFault | None]:
    """Three rules and `compile` ask the same, and a repository's services need much the same."""
    kind = KINDS[type_]
    found = expand(permission)
    if not found and may_be_newer(kind, permission):
        return (permission,), PermissionFault.NEWER
    if not found:
        return (), PermissionFault.UNKNOWN
    is_wildcard = "*" in permission or "?" in permission
    useless = ((), (EVERYTHING,)) if is_wildcard else ((),)
    works = tuple(action for action in found if arn_templates(kind, action) not in useless)
    return works, None if works else PermissionFault.ELSEWHERE


def describe_unknown(permission: str, kind: DependencyType | None) -> tuple[str, str]:
    """(message, fix); the fix is empty where nothing is spelled alike."""
    near = nearest_actions(permission, kind=kind)
    fix = " or ".join(f"`{action}`" for action in near)
    if permission.replace("*", "").replace(":", "") == "":
        return f"`{permission}` would allow everything", fix
    return f"`{permission}` is not an IAM action", fix


def describe_elsewhere(permission: str, kind: DependencyType) -> tuple[str, str]:
    """(message, fix): the type on which it works, or what is spelled alike and works here."""
    message = f"`{permission}` does not apply to `{kind.type}` ({kind.title})"
    service, _, action = permission.partition(":")
    owners = [other.type for other in KINDS.values() if service.lower() in other.services]
    owners = [type_ for type_ in owners if type_ != kind.type]
    if owners:
        types = " or ".join(f"`{type_}`" for type_ in owners)
        return message, f"put it on a dependency of type {types}"
    near = [
        candidate
        for prefix in kind.services
        for candidate in nearest_actions(f"{prefix}:{action}")
        if arn_templates(kind, candidate)
    ]
    prefixes = " or ".join(f"`{prefix}:`" for prefix in kind.services)
    fix = " or ".join(f"`{candidate}`" for candidate in near[:2])
    return message, fix or f"actions on a {kind.title} start with {prefixes}"
