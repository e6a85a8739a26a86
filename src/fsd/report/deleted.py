"""What `fsd delete` removed and kept, a line each. Pure."""

from __future__ import annotations

from fsd.release.delete import Deleted, Kept, KeptWhy, Removed, ServicePart

_NAMES = {
    ServicePart.SCHEDULE: "schedule",
    ServicePart.SCALING: "auto scaling of",
    ServicePart.SERVICE: "service",
    ServicePart.STACK: "stack",
    ServicePart.SHARED_STACK: "stack",
    ServicePart.REPOSITORY: "repository",
    ServicePart.CLUSTER: "cluster",
    ServicePart.TARGET_GROUP: "target group",
    ServicePart.ROLE: "role",
    ServicePart.PLACEHOLDER: "placeholder secret",
}
_WITH = {
    ServicePart.STACK: " (load balancer, roles, logs)",
    ServicePart.SHARED_STACK: " (shared load balancer)",
    ServicePart.REPOSITORY: " with its images",
}


def removed_text(removed: Removed) -> str:
    if removed.what is ServicePart.REVISIONS:
        return f"{_count(removed.count, 'revision')} of {removed.name}"
    return f"{_NAMES[removed.what]} {removed.name}{_WITH.get(removed.what, '')}"


def kept_text(kept: Kept) -> str:
    rest = ", its listener and its load balancer" if kept.has_listener else ""
    return f"{_NAMES[kept.what]} {kept.name}{rest}: {_why(kept)}"


def deleted_json(deleted: Deleted) -> dict[str, list[str]]:
    return {
        "removed": [removed_text(one) for one in deleted.removed],
        "kept": [kept_text(one) for one in deleted.kept],
    }


def _why(kept: Kept) -> str:
    match kept.why:
        case KeptWhy.NOT_OF_FSD:
            return "not created by FSD"
        case KeptWhy.NOT_OF_DEPLOYMENT:
            return "not created by a deployment"
        case KeptWhy.IN_USE:
            return _users(kept)


def _users(kept: Kept) -> str:
    if kept.environments:
        return f"used in {', '.join(kept.environments)}"
    if kept.stack:
        return f"stack {kept.stack} uses its load balancer too"
    if kept.services:
        return f"used by {_count(kept.services, 'other service')}"
    return f"used by {_count(kept.tasks, 'task')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
