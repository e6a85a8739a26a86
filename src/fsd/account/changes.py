"""What a new template of the account's stack would change, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fsd.compile.desired import Json, JsonValue
from fsd.plan.canonical import canonical_text
from fsd.plan.template_parts import object_at

# The property that is a resource's name, where it has one.
_NAMES = ("RoleName", "ManagedPolicyName", "RepositoryName", "ClusterName", "Name", "Url")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ResourceChange:
    """`action` is add, change or remove."""

    action: str
    type: str  # AWS::IAM::Role
    name: str  # on AWS; the logical one where AWS gives it


def compare_templates(before: Json | None, after: Json) -> tuple[ResourceChange, ...]:
    """In the order of their kinds and names; () where nothing would change."""
    return tuple(
        sorted(_changes(object_at(before or {}, "Resources"), object_at(after, "Resources")))
    )


def _changes(old: Json, new: Json) -> Iterator[ResourceChange]:
    for id_ in {*old, *new}:
        if id_ not in old:
            yield _change("add", id_, new[id_])
        elif id_ not in new:
            yield _change("remove", id_, old[id_])
        elif canonical_text(old[id_]) != canonical_text(new[id_]):
            yield _change("change", id_, new[id_])


def _change(action: str, id_: str, resource: JsonValue) -> ResourceChange:
    known = resource if isinstance(resource, dict) else {}
    properties = known.get("Properties")
    given = properties if isinstance(properties, dict) else {}
    name = next((str(given[key]) for key in _NAMES if key in given), id_)
    return ResourceChange(action=action, type=str(known.get("Type", "")), name=name)
