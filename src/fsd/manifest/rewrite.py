"""An edit of a YAML text that changes nothing else: comments, line ends, quotes and order stay.

    text + Edit ─▶ where things stand ─▶ one insertion or replacement ─▶ read again ─▶ text

The text is never written out from a tree. Whatever the insertion was, the result is read again, and
is refused unless exactly the value that was meant has changed: an anchor that is used elsewhere, a
merge or an odd layout then leads to a refusal and not to a wrong file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from fsd.manifest.edit import AddItems, Edit, Quote, SetValue
from fsd.manifest.finding import KeyPath, dotted
from fsd.manifest.yaml_tree import LOADER, Branch, Items, Node, Parsed, Scalar, Value, parse

_BOM = "\ufeff"
_SAFE_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.*/-]*[A-Za-z0-9_*]|[A-Za-z0-9_]")

Plain: TypeAlias = "Value | list[Plain] | dict[str, Plain]"


class UnsafeEditError(Exception):
    """The text cannot be edited without a risk for something else; says why."""


def rewrite(text: str, edit: Edit) -> str:
    """The text with the edit. Raises UnsafeEditError where that is not sure to be all."""
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    before = parse(body, path="")
    root = _read(body)
    if root is None or len(before.documents) != 1:
        raise UnsafeEditError("the file is not one YAML document")
    match edit:
        case SetValue():
            after = _set_value(body, root, edit)
        case AddItems():
            after = _add_items(body, root, edit)
        case Quote():
            after = _quote(body, root, edit)
    _check(before, parse(after, path=""), edit)
    return bom + after


# --- where things stand --------------------------------------------------------------------------


@dataclass(slots=True)
class _Place:
    """A node by its offsets in the text; a block collection ends where its last leaf does."""

    start: int
    end: int
    column: int
    kind: str  # scalar, alias, map or list
    anchor: bool = False
    flow: bool = False
    style: str = ""  # of a scalar: "", ', ", | or >
    children: list[_Place] = field(default_factory=list)  # of a map: key, value, key, value …
    text: str = ""

    def value_of(self, key: str) -> _Place | None:
        pairs = zip(self.children[::2], self.children[1::2], strict=True)
        return next((value for name, value in pairs if name.text == key), None)

    @property
    def entries(self) -> Sequence[_Place]:
        """The items, or the keys."""
        return self.children[::2] if self.kind == "map" else self.children

    @property
    def column_of_keys(self) -> int:
        """Where a block mapping is indented to: an anchor before it stands elsewhere."""
        return self.children[0].column if self.children else self.column

    @property
    def last(self) -> _Place:
        """The leaf, or the flow collection, that ends last."""
        return self if self.flow or not self.children else self.children[-1].last


def _read(text: str) -> _Place | None:
    """The first document's nodes. PyYAML's composer would lose where an alias stands."""
    open_: list[_Place] = []
    try:
        for event in yaml.parse(text, Loader=LOADER):
            match event:
                case yaml.ScalarEvent() | yaml.AliasEvent():
                    done = _leaf(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    open_.append(_collection(event))
                    continue
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    done = _closed(open_.pop(), event)
                case _:
                    continue
            if not open_:
                return done
            open_[-1].children.append(done)
    except yaml.YAMLError:
        return None
    return None


def _leaf(event: yaml.ScalarEvent | yaml.AliasEvent) -> _Place:
    start, end, column = _offsets(event)
    if isinstance(event, yaml.AliasEvent):
        return _Place(start, end, column, "alias", text=f"*{event.anchor}")
    style = event.style or ""
    marked = event.anchor is not None or event.tag is not None
    return _Place(start, end, column, "scalar", anchor=marked, style=style, text=event.value)


def _collection(event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> _Place:
    start, end, column = _offsets(event)
    kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
    marked = event.anchor is not None or event.tag is not None
    return _Place(start, end, column, kind, anchor=marked, flow=bool(event.flow_style))


def _closed(place: _Place, event: yaml.Event) -> _Place:
    # A block collection ends for libyaml where the next thing starts, behind the comments.
    place.end = _offsets(event)[1] if place.flow or not place.children else place.last.end
    return place


def _offsets(event: yaml.Event) -> tuple[int, int, int]:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None
    return start.index, end.index, start.column


def _descend(place: _Place, path: KeyPath) -> tuple[_Place, KeyPath]:
    """As far down as the path is written; what is left of it."""
    for depth, part in enumerate(path):
        inner: _Place | None = None
        if place.kind == "map" and isinstance(part, str):
            inner = place.value_of(part)
        elif place.kind == "list" and isinstance(part, int) and part < len(place.children):
            inner = place.children[part]
        if inner is None:
            return place, path[depth:]
        if inner.kind == "alias":
            where = dotted(path[: depth + 1])
            raise UnsafeEditError(f"`{where}` is the alias `{inner.text}`: it stands elsewhere")
        place = inner
    return place, ()


# --- the three edits -----------------------------------------------------------------------------


def _set_value(text: str, root: _Place, edit: SetValue) -> str:
    place, missing = _descend(root, edit.at)
    if missing:
        return _insert(text, root, place, keys=_names(missing), value=edit.value)
    _check_scalar(text, place)
    new = str(edit.value).lower() if isinstance(edit.value, bool) else str(edit.value)
    if isinstance(edit.value, str):
        new = _quoted(edit.value, place.style or _usual_quote(root))
    elif place.style:
        new = _quoted(new, place.style)
    return text[: place.start] + new + text[place.end :]


def _quote(text: str, root: _Place, edit: Quote) -> str:
    place, missing = _descend(root, edit.at)
    if missing:
        raise UnsafeEditError(f"`{dotted(edit.at)}` is not written here")
    _check_scalar(text, place)
    if place.style:
        raise UnsafeEditError("it is in quotes already")
    new = _quoted(place.text, _usual_quote(root))
    return text[: place.start] + new + text[place.end :]


def _add_items(text: str, root: _Place, edit: AddItems) -> str:
    place, missing = _descend(root, edit.at)
    if missing or place.kind != "list" or not place.children:
        raise UnsafeEditError(f"`{dotted(edit.at)}` is no list with items here")
    model = place.children[-1]
    style = model.style if model.kind == "scalar" else ""
    items = [_item(item, style) for item in edit.items]
    if place.flow:
        return _into_flow(text, place, ", ".join(items))
    first = place.children[0]
    start = text[_line_start(text, first.start) : first.start]
    dash = start.rfind("-")
    if dash < 0:
        raise UnsafeEditError("the list is written in a way that cannot be continued here")
    after = re.match(r" +", start[dash + 1 :])
    lines = [f"{' ' * dash}-{after[0] if after else ' '}{item}" for item in items]
    return _below(text, place, lines)


def _item(text: str, style: str) -> str:
    return _quoted(text, style) if style in ("'", '"') or not _SAFE_PLAIN.fullmatch(text) else text


def _insert(
    text: str, root: _Place, place: _Place, *, keys: Sequence[str], value: str | int | bool
) -> str:
    """A new key in a mapping, with the sections that it needs."""
    if place.kind != "map":
        raise UnsafeEditError(f"there is no section for `{keys[0]}` here that could be added to")
    shown = _quoted(value, _usual_quote(root)) if isinstance(value, str) else json.dumps(value)
    style = place.children[0].style if place.children else ""
    names = [_quoted(key, style) if style in ("'", '"') else key for key in keys]
    if place.flow:
        inner = shown
        for name in reversed(names[1:]):
            inner = f"{{{name}: {inner}}}"
        return _into_flow(text, place, f"{names[0]}: {inner}")
    step = _indentation(root)
    lines = [f"{' ' * (place.column_of_keys + step * n)}{name}:" for n, name in enumerate(names)]
    lines[-1] += f" {shown}"
    return _below(text, place, lines)


def _into_flow(text: str, place: _Place, new: str) -> str:
    """Behind the last entry; before the first one where a comma or a comment is behind the last."""
    if not place.children:
        return f"{text[: place.end - 1]}{new}{text[place.end - 1 :]}"
    end = place.children[-1].end
    if not text[end : place.end - 1].strip():
        return f"{text[:end]}, {new}{text[end:]}"
    start = place.entries[0].start
    return f"{text[:start]}{new}, {text[start:]}"


def _below(text: str, place: _Place, lines: Sequence[str]) -> str:
    """New lines behind the line on which the block ends, with the file's line ends."""
    leaf = place.last
    end = leaf.end
    if leaf.style in ("|", ">"):
        # Its end is the start of the next line; what is empty before that may belong to it.
        end = max(leaf.start, end - 1) if text[:end].endswith("\n") else end
    found = re.compile(r"\r?\n|\r|\Z").search(text, end)
    assert found is not None
    at = found.start()
    eol = _line_end(text)
    return text[:at] + "".join(eol + line for line in lines) + text[at:]


def _line_end(text: str) -> str:
    found = re.search(r"\r\n|\n|\r", text)
    return found[0] if found else "\n"


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _check_scalar(text: str, place: _Place) -> None:
    if place.kind != "scalar" or place.style in ("|", ">") or place.start == place.end:
        raise UnsafeEditError("there is no value in one line here")
    if place.anchor:
        raise UnsafeEditError("the value has an anchor or a tag")
    if "$" in place.text:
        raise UnsafeEditError("the value comes from a variable")
    if "\n" in text[place.start : place.end]:
        raise UnsafeEditError("the value goes over more than one line")


def _names(path: KeyPath) -> list[str]:
    if any(isinstance(part, int) for part in path):
        raise UnsafeEditError(f"`{dotted(path)}` is not written here")
    return [str(part) for part in path]


def _quoted(text: str, style: str) -> str:
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def _usual_quote(root: _Place) -> str:
    """The kind that the file has more of; double quotes where there is no difference."""
    styles = [leaf.style for leaf in _leaves(root)]
    return "'" if styles.count("'") > styles.count('"') else '"'


def _indentation(root: _Place) -> int:
    """How far the file indents: by the first section in a section."""
    open_ = [root]
    while open_:
        place = open_.pop(0)
        for child in place.children:
            if place.kind == child.kind == "map" and not (place.flow or child.flow):
                step = child.column_of_keys - place.column_of_keys
                if step > 0:
                    return step
        open_ += place.children
    return 2


def _leaves(place: _Place) -> list[_Place]:
    leaves, open_ = [], [place]
    while open_:
        place = open_.pop()
        open_ += place.children
        leaves += [] if place.children else [place]
    return leaves


# --- the result ----------------------------------------------------------------------------------


def _check(before: Parsed, after: Parsed, edit: Edit) -> None:
    """Raises unless the edit, and nothing else, has happened."""
    if len(after.documents) != 1 or len(after.findings) > len(before.findings):
        raise UnsafeEditError("the text around it is written in a way that the edit would break")
    old, new = before.documents[0], after.documents[0]
    if _expected(old.root, edit) != _plain(new.root):
        raise UnsafeEditError("the edit would change other values too (an anchor, an alias, `<<`)")
    if list(old.ignores.values()) != list(new.ignores.values()):
        raise UnsafeEditError("the edit would change a comment")


def _plain(node: Node) -> Plain:
    match node:
        case Branch(entries=entries):
            return {key: _plain(entry.value) for key, entry in entries.items()}
        case Items(items=items):
            return [_plain(item) for item in items]
        case Scalar(value=value):
            return value


def _expected(root: Node, edit: Edit) -> Plain:
    match edit:
        case SetValue(at=at, value=value):
            return _changed(root, at, value)
        case AddItems(at=at, items=items):
            return _changed(root, at, list(items), extend=True)
        case Quote(at=at):
            return _changed(root, at, None, as_text=True)


def _changed(
    node: Node | None, at: KeyPath, value: Plain, *, extend: bool = False, as_text: bool = False
) -> Plain:
    """The plain values of a tree after a change at one path; only the nodes above it are made."""
    if not at:
        return _new_value(node, value, extend=extend, as_text=as_text)
    first, rest = at[0], at[1:]
    match node, first:
        case Branch(entries=entries), str():
            inner = entries[first].value if first in entries else None
            changed = _changed(inner, rest, value, extend=extend, as_text=as_text)
            return {**_keys(node), first: changed}
        case Items(items=items), int() if first < len(items):
            every = [_plain(item) for item in items]
            every[first] = _changed(items[first], rest, value, extend=extend, as_text=as_text)
            return every
        case None, str():
            return {first: _changed(None, rest, value, extend=extend, as_text=as_text)}
    raise UnsafeEditError(f"`{dotted(at)}` is not written here")


def _keys(node: Branch) -> dict[str, Plain]:
    return {key: _plain(entry.value) for key, entry in node.entries.items()}


def _new_value(node: Node | None, value: Plain, *, extend: bool, as_text: bool) -> Plain:
    if as_text:
        return node.text if isinstance(node, Scalar) else None
    if extend and isinstance(node, Items) and isinstance(value, list):
        return [*(_plain(item) for item in node.items), *value]
    return value
