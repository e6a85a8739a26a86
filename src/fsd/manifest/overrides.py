"""`--override resources.cpu=2048`: a value put into the tree before anything is checked.

An override is typed like the key that it sets and checked like the file; what is found wrong with
it points at the override, not at a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fsd.errors import Location
from fsd.manifest.environments import override_places
from fsd.manifest.finding import Finding, FindingId, Severity
from fsd.manifest.key_path import KeyPath, dotted
from fsd.manifest.models import Manifest
from fsd.manifest.schema import Shape, shape_at
from fsd.manifest.yaml_tree import (
    Branch,
    Document,
    Entry,
    Items,
    Node,
    Scalar,
    Value,
    parse,
    read_scalar,
)

_ROOTS = ("service", "metadata", "dependencies")
_PART = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<index>[0-9]+)\]")
_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[0-9]+\])*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    path: str  # as written: resources.cpu
    value: str | None  # None removes the key
    where: Location | str  # for findings: --override resources.cpu=2048
    width: int = 1


def from_command_line(texts: Iterable[str]) -> tuple[tuple[Override, ...], tuple[Finding, ...]]:
    overrides: list[Override] = []
    findings: list[Finding] = []
    for text in texts:
        path, equals, value = text.partition("=")
        where = f"--override {text}"
        if not equals:
            fix = f"write `--override {path or 'PATH'}=VALUE`"
            findings.append(
                _finding(FindingId.OVERRIDE_MALFORMED, f"`{text}` has no `=`", fix, where)
            )
        else:
            overrides.append(Override(path=path.strip(), value=value, where=where))
    return tuple(overrides), tuple(findings)


def from_environment(
    values: Mapping[str, Value], *, document: Document | None = None
) -> tuple[Override, ...]:
    """Overrides of an environments file, whose values come as YAML scalars.

    `document` is where they are written; without it findings can only name them.
    """
    places = override_places(document) if document else {}
    overrides: list[Override] = []
    for path, value in values.items():
        where, width = places.get(path, (f"the environment's override {path}", 1))
        overrides.append(Override(path=path, value=_as_text(value), where=where, width=width))
    return tuple(overrides)


def apply(tree: Node, overrides: Iterable[Override]) -> tuple[Node, tuple[Finding, ...]]:
    """Put the overrides into the tree in order; later ones win."""
    findings: list[Finding] = []
    for override in overrides:
        result = _apply_one(tree, override)
        if isinstance(result, Finding):
            findings.append(result)
        else:
            tree = result
    return tree, tuple(findings)


def _apply_one(tree: Node, override: Override) -> Node | Finding:
    path = key_path(override.path)
    if path is None:
        return _finding(
            FindingId.OVERRIDE_MALFORMED,
            f"`{override.path}` is not a path",
            "write keys with dots between them, `resources.cpu`, and `[0]` for an item of a list",
            override,
        )
    path = _with_indexes(path)
    shape = shape_at(Manifest, path)
    if shape is None:
        return _unknown(path, override)
    node = _to_node(shape, override)
    return node if isinstance(node, Finding) else _put(tree, path, node=node, override=override)


def key_path(text: str) -> KeyPath | None:
    """From the top of the file; a path that does not name a section is below `service`."""
    if not _PATH.fullmatch(text):
        return None
    parts: KeyPath = tuple(
        int(match["index"]) if match["index"] else match["key"] for match in _PART.finditer(text)
    )
    return parts if parts[0] in _ROOTS else ("service", *parts)


def _with_indexes(path: KeyPath) -> KeyPath:
    """`secrets.0.name` means `secrets[0].name`."""
    done: KeyPath = ()
    for part in path:
        above = shape_at(Manifest, done)
        is_index = isinstance(part, str) and part.isdecimal()
        done = (*done, int(part) if is_index and above and above.type == "array" else part)
    return done


def _unknown(path: KeyPath, override: Override) -> Finding:
    from fsd.manifest.check_messages import advise_key  # only for what is wrong

    meant = _with_known_keys(path)
    unknown = _first_unknown(meant)
    if unknown is None:
        has_root = override.path.partition(".")[0] == meant[0]
        fix = f"did you mean `{dotted(meant if has_root else meant[1:])}`?"
    else:
        fix = advise_key(meant[: unknown + 1], Manifest)
    what = f"there is no `{override.path}` in a Service YAML"
    return _finding(FindingId.OVERRIDE_UNKNOWN_PATH, what, fix, override)


def _first_unknown(path: KeyPath) -> int | None:
    return next((n for n in range(len(path)) if shape_at(Manifest, path[: n + 1]) is None), None)


def _with_known_keys(path: KeyPath) -> KeyPath:
    """Each misspelt key replaced by what is meant, up to the first that nothing is near."""
    from fsd.manifest.check_messages import near_key  # only for what is wrong

    while (at := _first_unknown(path)) is not None:
        near = near_key(path[: at + 1], Manifest)
        if near is None:
            break
        path = (*path[:at], near, *path[at + 1 :])
    return path


def _to_node(shape: Shape, override: Override) -> Node | Finding:
    """The override's text as the field's type; text that does not fit is left for the model."""
    text = override.value
    if text is None or (text == "null" and shape.nullable):
        return _scalar(override, None, "null", plain=True)
    if shape.type in ("object", "array"):
        parsed = parse(text, path="override")
        if len(parsed.documents) == 1 and not parsed.findings:
            return _relocate(parsed.documents[0].root, override.where)
        kind = "a list" if shape.type == "array" else "a section"
        return _finding(
            FindingId.OVERRIDE_MALFORMED,
            f"`{text}` is not {kind}" if text.strip() else "the override has no value",
            'write the value as YAML on one line: `["a", "b"]` or `{key: value}`',
            override,
        )
    if shape.takes_boolean and text.startswith("{"):
        parsed = parse(text, path="override")
        if len(parsed.documents) == 1 and not parsed.findings:
            return _relocate(parsed.documents[0].root, override.where)
    value: Value = text
    if shape.type in ("integer", "boolean") or shape.takes_boolean:
        value = read_scalar(text)
    return _scalar(override, value, text)


def _scalar(override: Override, value: Value, text: str, *, plain: bool = False) -> Scalar:
    return Scalar(value=value, text=text, plain=plain, where=override.where, width=override.width)


def _relocate(node: Node, where: Location | str) -> Node:
    match node:
        case Branch(entries=entries):
            moved = {
                key: Entry(where=where, width=1, value=_relocate(entry.value, where))
                for key, entry in entries.items()
            }
            return Branch(entries=moved, where=where)
        case Items(items=items):
            return Items(items=tuple(_relocate(item, where) for item in items), where=where)
        case Scalar():
            return replace(node, where=where)


def _put(tree: Node, path: KeyPath, *, node: Node, override: Override) -> Node | Finding:
    """A new tree with the node at the path; sections on the way are made."""
    if not path:
        return node
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        return _put_item(tree, (part, *rest), node=node, override=override)
    entries = dict(tree.entries) if isinstance(tree, Branch) else {}
    old = entries.get(part)
    empty: Node = Branch(entries={}, where=override.where)
    below = _put(old.value if old else empty, rest, node=node, override=override)
    if isinstance(below, Finding):
        return below
    if old:
        entries[part] = replace(old, value=below)
    else:
        entries[part] = Entry(where=override.where, width=1, value=below)
    if isinstance(tree, Branch):
        return replace(tree, entries=entries)
    return Branch(entries=entries, where=override.where)


def _put_item(
    tree: Node, path: tuple[int, *KeyPath], *, node: Node, override: Override
) -> Node | Finding:
    index, rest = path[0], path[1:]
    items = list(tree.items) if isinstance(tree, Items) else []
    if index >= len(items):
        there = "1 item" if len(items) == 1 else f"{len(items)} items"
        return _finding(
            FindingId.OVERRIDE_UNKNOWN_PATH,
            f"there is no item {index} for `{override.path}`; the list has {there}",
            "items count from 0; set the whole list to add one",
            override,
        )
    below = _put(items[index], rest, node=node, override=override)
    if isinstance(below, Finding):
        return below
    items[index] = below
    return Items(items=tuple(items), where=tree.where)


def _as_text(value: Value) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
    return str(value)


def _finding(id_: FindingId, message: str, fix: str, at: Override | str) -> Finding:
    where, width = (at, 1) if isinstance(at, str) else (at.where, at.width)
    return Finding(
        id=id_, severity=Severity.ERROR, where=where, message=message, fix=fix, width=width
    )
