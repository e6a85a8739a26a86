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
from typing import TypeAlias

from fsd.errors import Location
from fsd.manifest.edit import AddItems, Edit, Quote, SetValue
from fsd.manifest.key_path import KeyPath, dotted
from fsd.manifest.yaml_tree import Branch, Entry, Items, Node, Parsed, Scalar, Value, parse

_BOM = "\ufeff"
_SAFE_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.*/-]*[A-Za-z0-9_*]|[A-Za-z0-9_]")

Plain: TypeAlias = "Value | list[Plain] | dict[str, Plain]"


class UnsafeEditError(Exception):
    """The text cannot be edited without a risk for something else; says why."""


def rewrite(text: str, edit: Edit) -> str:
    """The text with the edit. Raises UnsafeEditError where that is not sure to be all."""
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    before = parse(body, path="")
    if len(before.documents) != 1:
        raise UnsafeEditError("the file is not one YAML document")
    root = before.documents[0].root
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


def _descend(node: Node, path: KeyPath) -> tuple[Node, KeyPath]:
    """As far down as the path is written; what is left of it."""
    for depth, part in enumerate(path):
        inner = _inner(node, part)
        if inner is None:
            return node, path[depth:]
        if inner.written.alias:
            where, alias = dotted(path[: depth + 1]), inner.written.alias
            raise UnsafeEditError(f"`{where}` is the alias `{alias}`: it stands elsewhere")
        node = inner
    return node, ()


def _inner(node: Node, part: str | int) -> Node | None:
    match node, part:
        case Branch(), str():
            return next((e.value for key, e in _own(node).items() if key == part), None)
        case Items(items=items), int() if part < len(items):
            return items[part]
    return None


def _own(branch: Branch) -> dict[str, Entry]:
    """Without what `<<` brings."""
    return {key: entry for key, entry in branch.entries.items() if not entry.merged}


def _first(node: Branch | Items) -> int:
    """Where the first entry starts."""
    if isinstance(node, Items):
        return node.items[0].written.start
    start = next((entry.written.start for entry in _own(node).values()), None)
    if start is None:
        raise UnsafeEditError("the section has nothing of its own here, only what it merges")
    return start


def _column(branch: Branch) -> int:
    """Where its keys are indented to: an anchor before it stands elsewhere."""
    places = (entry.where for entry in _own(branch).values())
    where = next(places, branch.where)
    return where.column - 1 if isinstance(where, Location) else 0


def _children(node: Node) -> list[Node]:
    match node:
        case Branch():
            return [entry.value for entry in _own(node).values() if not entry.value.written.alias]
        case Items(items=items):
            return [item for item in items if not item.written.alias]
        case Scalar():
            return []


# --- the three edits -----------------------------------------------------------------------------


def _set_value(text: str, root: Node, edit: SetValue) -> str:
    node, missing = _descend(root, edit.at)
    if missing:
        return _insert(text, root, node, keys=_names(missing), value=edit.value)
    written = _check_scalar(text, node).written
    new = str(edit.value).lower() if isinstance(edit.value, bool) else str(edit.value)
    if isinstance(edit.value, str):
        new = _quoted(edit.value, written.style or _usual_quote(root))
    elif written.style:
        new = _quoted(new, written.style)
    return text[: written.start] + new + text[written.end :]


def _quote(text: str, root: Node, edit: Quote) -> str:
    node, missing = _descend(root, edit.at)
    if missing:
        raise UnsafeEditError(f"`{dotted(edit.at)}` is not written here")
    scalar = _check_scalar(text, node)
    if scalar.written.style:
        raise UnsafeEditError("it is in quotes already")
    new = _quoted(scalar.text, _usual_quote(root))
    return text[: scalar.written.start] + new + text[scalar.written.end :]


def _add_items(text: str, root: Node, edit: AddItems) -> str:
    node, missing = _descend(root, edit.at)
    if missing or not isinstance(node, Items) or not node.items:
        raise UnsafeEditError(f"`{dotted(edit.at)}` is no list with items here")
    model = node.items[-1]
    style = model.written.style if isinstance(model, Scalar) else ""
    items = [_item(item, style) for item in edit.items]
    if node.written.style:
        return _into_flow(text, node, ", ".join(items))
    first = node.items[0].written.start
    start = text[_line_start(text, first) : first]
    dash = start.rfind("-")
    if dash < 0:
        raise UnsafeEditError("the list is written in a way that cannot be continued here")
    after = re.match(r" +", start[dash + 1 :])
    lines = [f"{' ' * dash}-{after[0] if after else ' '}{item}" for item in items]
    return _below(text, node, lines)


def _item(text: str, style: str) -> str:
    return _quoted(text, style) if style in ("'", '"') or not _SAFE_PLAIN.fullmatch(text) else text


def _insert(
    text: str, root: Node, node: Node, *, keys: Sequence[str], value: str | int | bool
) -> str:
    """A new key in a mapping, with the sections that it needs."""
    if not isinstance(node, Branch):
        raise UnsafeEditError(f"there is no section for `{keys[0]}` here that could be added to")
    shown = _quoted(value, _usual_quote(root)) if isinstance(value, str) else json.dumps(value)
    style = next((entry.written.style for entry in _own(node).values()), "")
    names = [_quoted(key, style) if style in ("'", '"') else key for key in keys]
    if node.written.style:
        inner = shown
        for name in reversed(names[1:]):
            inner = f"{{{name}: {inner}}}"
        return _into_flow(text, node, f"{names[0]}: {inner}")
    column, step = _column(node), _indentation(root)
    lines = [f"{' ' * (column + step * depth)}{name}:" for depth, name in enumerate(names)]
    lines[-1] += f" {shown}"
    return _below(text, node, lines)


def _into_flow(text: str, node: Branch | Items, new: str) -> str:
    """Behind the last entry; before the first one where a comma or a comment is behind the last."""
    bracket, last = node.written.end - 1, node.written.last
    if last < 0:
        return f"{text[:bracket]}{new}{text[bracket:]}"
    if not text[last:bracket].strip():
        return f"{text[:last]}, {new}{text[last:]}"
    start = _first(node)
    return f"{text[:start]}{new}, {text[start:]}"


def _below(text: str, node: Branch | Items, lines: Sequence[str]) -> str:
    """New lines behind the line on which the block ends, with the file's line ends."""
    end = node.written.end
    if text[:end].endswith("\n"):
        # A block of text ends where the next line starts; what is empty before may belong to it.
        end -= 1
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


def _check_scalar(text: str, node: Node) -> Scalar:
    written = node.written
    is_empty = written.start == written.end
    if not isinstance(node, Scalar) or written.style in ("|", ">") or is_empty:
        raise UnsafeEditError("there is no value in one line here")
    if written.marked:
        raise UnsafeEditError("the value has an anchor or a tag")
    if "$" in node.text:
        raise UnsafeEditError("the value comes from a variable")
    if "\n" in text[written.start : written.end]:
        raise UnsafeEditError("the value goes over more than one line")
    return node


def _names(path: KeyPath) -> list[str]:
    if any(isinstance(part, int) for part in path):
        raise UnsafeEditError(f"`{dotted(path)}` is not written here")
    return [str(part) for part in path]


def _quoted(text: str, style: str) -> str:
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)


def _usual_quote(root: Node) -> str:
    """The kind that the file has more of; double quotes where there is no difference."""
    styles: list[str] = []
    open_ = [root]
    while open_:
        node = open_.pop()
        open_ += _children(node)
        if isinstance(node, Scalar):
            styles.append(node.written.style)
        elif isinstance(node, Branch):
            styles += [entry.written.style for entry in _own(node).values()]
    return "'" if styles.count("'") > styles.count('"') else '"'


def _indentation(root: Node) -> int:
    """How far the file indents: by the first section in a section."""
    open_ = [root]
    while open_:
        node = open_.pop(0)
        for child in _children(node):
            if isinstance(node, Branch) and isinstance(child, Branch):
                step = _column(child) - _column(node)
                if step > 0 and not (node.written.style or child.written.style):
                    return step
        open_ += _children(node)
    return 2


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
