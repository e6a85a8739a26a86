"""`environments.<name>`: what differs in one environment, in the service's own file.

The values are merged into the tree before anything is checked: sections deeply, lists as a whole,
and each keeps its place, so that a finding points at the line that wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from fsd.errors import Location
from fsd.manifest.finding import Finding, FindingId, Severity
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Branch, Node, Scalar, find

KEY = "environments"
MOST = 50  # environments; each is checked on its own
_NAME = r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?"


def environment_names(tree: Node) -> tuple[str, ...]:
    """Those that the file has values for, in its order."""
    return tuple(name for name, _ in islice(_sections(tree), MOST))


def with_environment(tree: Node, name: str) -> Node:
    """The tree as it is in that environment; itself where the file says nothing of it."""
    found = dict(_sections(tree)).get(name)
    if found is None or not isinstance(tree, Branch):
        return tree
    values = dict(found.entries)
    owner = values.pop("metadata", None)
    merged = _put(tree, "service", replace(found, entries=values))
    return _put(merged, "metadata", owner.value) if owner is not None else merged


def misplaced(tree: Node) -> Iterator[Finding]:
    """What cannot be the values of an environment at all."""
    above = find(tree, (KEY,))
    if not isinstance(above, Branch):
        return  # the models say so
    if len(above.entries) > MOST:
        message = f"`environments` has {len(above.entries)} of them; {MOST} are allowed"
        yield _finding(
            FindingId.OUT_OF_RANGE, message, "leave some out", above.where, above.width, (KEY,)
        )
    for name, entry in above.entries.items():
        path: KeyPath = (KEY, name)
        if not re.fullmatch(_NAME, name):
            message = f"`{name}` cannot be the name of an environment"
            fix = "use up to 31 lower case letters, digits and hyphens, with a letter first"
            yield _finding(FindingId.WRONG_VALUE, message, fix, entry.where, entry.width, path)
        elif not isinstance(entry.value, Branch):
            if not isinstance(entry.value, Scalar) or entry.value.value is not None:
                message = f"`environments.{name}` has no keys"
                fix = f"write keys of `service` below `{name}:`, such as `resources:`"
                yield _finding(FindingId.WRONG_TYPE, message, fix, entry.where, entry.width, path)
        else:
            yield from _wrong_keys(name, entry.value)


def _wrong_keys(name: str, values: Branch) -> Iterator[Finding]:
    for key in ("service", "apiVersion", "kind", "dependencies"):
        if key in values.entries:
            entry = values.entries[key]
            message = f"`{key}` is not a key of `environments.{name}`"
            fix = f"write keys of `service` right below `{name}:`"
            if key == "dependencies":
                fix = "use ${ENV} in a dependency's name; its permissions are every environment's"
            at = (KEY, name, key)
            yield _finding(FindingId.UNKNOWN_KEY, message, fix, entry.where, entry.width, at)
    metadata = find(values, ("metadata",))
    entries = metadata.entries if isinstance(metadata, Branch) else {}
    for key, entry in entries.items():
        if key != "owners":
            message = f"`metadata.{key}` is the same in every environment"
            fix = "write it in `metadata` at the top; an environment has `metadata.owners` only"
            path = (KEY, name, "metadata", key)
            yield _finding(FindingId.UNKNOWN_KEY, message, fix, entry.where, entry.width, path)


def _sections(tree: Node) -> Iterator[tuple[str, Branch]]:
    above = find(tree, (KEY,))
    for name, entry in (above.entries if isinstance(above, Branch) else {}).items():
        if isinstance(entry.value, Branch) and next(_wrong_keys(name, entry.value), None) is None:
            yield name, entry.value


def _put(tree: Branch, key: str, value: Node) -> Branch:
    old = tree.entries.get(key)
    if old is None:
        return tree
    entry = replace(old, value=_merge(old.value, value))
    return replace(tree, entries={**tree.entries, key: entry})


def _merge(old: Node, new: Node) -> Node:
    if not isinstance(old, Branch) or not isinstance(new, Branch):
        return new
    entries = dict(old.entries)
    for key, entry in new.entries.items():
        before = entries.get(key)
        value = _merge(before.value, entry.value) if before is not None else entry.value
        entries[key] = replace(entry, value=value)
    return replace(old, entries=entries)


def _finding(
    id_: str, message: str, fix: str, where: Location | str, width: int, path: KeyPath
) -> Finding:
    return Finding(
        id=id_,
        severity=Severity.ERROR,
        where=where,
        message=message,
        fix=fix,
        key_path=path,
        width=width,
    )
