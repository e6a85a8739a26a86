"""The part of a manifest that has no errors, so that the rules can be run on it in the same run.

Wrong values are taken out, what must be there is filled in, until the models accept the rest. The
result is for `fsd.lint` alone; nothing is ever deployed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic_core import ValidationError

from fsd.manifest.finding import MOST
from fsd.manifest.key_path import KeyPath
from fsd.manifest.model_check import validate
from fsd.manifest.models import Manifest
from fsd.manifest.yaml_tree import Branch, Entry, Items, Node, Scalar, Value, find, locate

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ROUNDS = 8
_FILLERS: Mapping[KeyPath, Value] = {
    ("apiVersion",): "fsd/v1",
    ("kind",): "Service",
    ("metadata", "name"): "service",
    ("metadata", "pack"): "pack",
    ("service", "type"): "ecs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidPart:
    """`tree` is what `manifest` was made of; `without` are the places that were taken out."""

    manifest: Manifest
    tree: Node
    without: frozenset[KeyPath] = frozenset()


def find_valid_part(tree: Node) -> ValidPart | None:
    """None where too little is left."""
    without: set[KeyPath] = set()
    for _ in range(_ROUNDS):
        try:
            manifest = validate(Manifest, tree)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            if len(details) > MOST:
                return None
            # From the end, so that the indexes of what is still to be removed stay right.
            for path in sorted({_wrong(detail) for detail in details}, key=_reverse_indexes):
                without.add(path)
                tree = _without(tree, path)
        else:
            return ValidPart(manifest=manifest, tree=tree, without=frozenset(without))
    return None


def _wrong(error: ErrorDetails) -> KeyPath:
    path = tuple(error["loc"])
    if path and path[-1] == "[key]":
        return path[:-1]
    if error["type"] == "missing" and path not in _FILLERS and len(path) > 1:
        return path[:-1]
    return path


def _reverse_indexes(path: KeyPath) -> tuple[tuple[int, str], ...]:
    return tuple((-part, "") if isinstance(part, int) else (0, part) for part in path)


def _without(tree: Node, path: KeyPath) -> Node:
    """A filler where there must be a value; else nothing."""
    if path in _FILLERS:
        return _put(tree, path, _scalar(_FILLERS[path], tree, path))
    if any(filler[: len(path)] == path for filler in _FILLERS):
        return _filled(tree, path)
    return _put(tree, path, None)


def _filled(tree: Node, path: KeyPath) -> Node:
    """A whole section that is missing or no section."""
    for filler, value in _FILLERS.items():
        if filler[: len(path)] == path:
            section = filler[:-1]
            if section and not isinstance(find(tree, section), Branch):
                where, _ = locate(tree, section)
                tree = _put(tree, section, Branch(entries={}, where=where))
            tree = _put(tree, filler, _scalar(value, tree, filler))
    return tree


def _scalar(value: Value, tree: Node, path: KeyPath) -> Scalar:
    where, width = locate(tree, path)
    return Scalar(value=value, text=str(value), plain=True, where=where, width=width)


def _put(tree: Node, path: KeyPath, node: Node | None) -> Node:
    """A new tree with the node at the path, or without what is there."""
    part, rest = path[0], path[1:]
    match tree, part:
        case Branch(entries=entries), str():
            changed = dict(entries)
            old = changed.pop(part, None)
            below = node
            if rest and old is not None:
                below = _put(old.value, rest, node)
            if below is not None:
                where = old.where if old else tree.where
                changed[part] = Entry(where=where, width=old.width if old else 1, value=below)
            return replace(tree, entries=changed)
        case Items(items=items), int() if part < len(items):
            kept = list(items)
            below = _put(items[part], rest, node) if rest else node
            kept[part : part + 1] = [] if below is None else [below]
            return replace(tree, items=tuple(kept))
    return tree
