"""YAML text → a tree in which every key and value knows its line and column.

The tree is built from libyaml's events, not by PyYAML's composer: the composer recurses in C (a
deeply nested file would end the process), lets duplicate keys pass, and forgets where a key was.
What is wrong becomes a finding, and as much as possible is read on, so that one run shows all.

Scalars keep the text as it was written beside the value that YAML sees. Numbers are read in decimal
only: `0512`, `0x1F` and `12:30` are other numbers in YAML 1.1 than in YAML 1.2, so they stay text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NoReturn, TypeAlias

import yaml
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from fsd.errors import Location
from fsd.manifest.finding import MOST, Finding, FindingId, Severity
from fsd.manifest.key_path import KeyPath

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 100
# Nodes after every alias is written out. A manifest has hundreds.
MAX_NODES = 10_000

Value: TypeAlias = str | int | float | bool | None
# First line and column, last line and column past the end; all from 0, as libyaml counts.
Span: TypeAlias = tuple[int, int, int, int]

_TAG = "tag:yaml.org,2002:"
# YAML 1.1's line breaks, which libyaml counts: an editor agrees on all but the last three.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# What YAML has no place for; PyYAML's own, since to compile it takes milliseconds.
_NOT_PRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_IGNORES = "fsd:"
# Compiled when it is used, since most files ignore nothing.
_IGNORE = r"(?:^|(?<=\s))#\s*fsd:\s*ignore\[(?P<ids>[^\]]{0,1000})\](?P<reason>[^#]{0,1000})"
_WORD = r"\w{2}"
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?")
_RESOLVER = Resolver()
_TRUE = frozenset({"true", "yes", "on"})


class Written:
    """Where a node stands in its text, for an edit: offsets in characters, from 0."""

    __slots__ = ("alias", "end", "last", "marked", "start", "style")

    def __init__(self, start: int, end: int, style: str = "", marked: bool = False) -> None:
        self.start = start
        self.end = end  # of a block collection: where its last value ends
        self.style = style  # of a scalar: "", ', ", | or >; of a flow collection: {
        self.marked = marked  # with an anchor or a tag
        self.alias = ""  # *name: the node itself stands elsewhere
        self.last = -1  # where a collection's last value ends; -1 without any


UNWRITTEN = Written(-1, -1)  # what an override brought, or FSD itself


# A file has hundreds of these two, and frozen ones take three times as long to make. Nobody changes
# them all the same: other values are other nodes.
@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Scalar:
    """`value` is what YAML 1.1 sees, and after interpolation the interpolated text."""

    value: Value
    text: str  # as written, without quotes
    plain: bool  # written without quotes
    where: Location | str
    width: int = 1
    written: Written = field(default=UNWRITTEN, compare=False, repr=False)


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Entry:
    where: Location | str  # of the key
    width: int
    value: Node
    written: Written = field(default=UNWRITTEN, compare=False, repr=False)
    merged: bool = field(default=False, compare=False, repr=False)  # by `<<`, from elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A mapping. Merge keys are already merged: an entry then stands where it was written."""

    entries: Mapping[str, Entry]
    where: Location | str
    width: int = 1
    written: Written = field(default=UNWRITTEN, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    items: Sequence[Node]
    where: Location | str
    width: int = 1
    written: Written = field(default=UNWRITTEN, compare=False, repr=False)


Node: TypeAlias = Scalar | Branch | Items


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document, with what a finding needs to show its place."""

    path: str
    lines: tuple[str, ...]
    root: Node
    start: int  # the line of its first token
    ignores: Mapping[int, frozenset[str]] = field(default_factory=dict)  # line → finding ids
    reasoned: Mapping[int, frozenset[str]] = field(default_factory=dict)  # those with a reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    documents: tuple[Document, ...]
    findings: tuple[Finding, ...]


def split_lines(text: str) -> tuple[str, ...]:
    """Lines as libyaml counts them, without a byte order mark."""
    return tuple(_LINE_BREAK.split(text.removeprefix("\ufeff")))


def parse(text: str, *, path: str, any_key: bool = False) -> Parsed:
    """Every document of the text. Never raises; no documents means that nothing could be read.

    With `any_key` a key is the text that was written, whatever it is to YAML: `on:` in a workflow.
    """
    text = text.removeprefix("\ufeff")
    problem = _unreadable(text, path)
    if problem is not None:
        return Parsed(documents=(), findings=(problem,))
    builder = _Builder(path, split_lines(text), any_key=any_key)
    try:
        builder.read(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        builder.findings.append(_syntax(error, path, builder.lines))
        return Parsed(documents=(), findings=tuple(builder.findings))
    except _Stop:
        return Parsed(documents=(), findings=tuple(builder.findings))
    documents = builder.documents(may_ignore=_IGNORES in text)
    return Parsed(documents=documents, findings=tuple(builder.findings))


def find(node: Node, path: KeyPath) -> Node | None:
    for part in path:
        match node, part:
            case Branch(entries=entries), str() if part in entries:
                node = entries[part].value
            case Items(items=items), int() if part < len(items):
                node = items[part]
            case _:
                return None
    return node


def locate(node: Node, path: KeyPath, *, key: bool = False) -> tuple[Location | str, int]:
    """Place and width of a value, or of its key; of the nearest key above it where it is absent."""
    where, width = node.where, node.width
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        match node, part:
            case Branch(entries=entries), str() if part in entries:
                entry = entries[part]
                node = entry.value
                on_key = key or not last or not isinstance(node, Scalar) or _is_blank(node)
                where, width = (entry.where, entry.width) if on_key else (node.where, node.width)
            case Items(items=items), int() if part < len(items):
                node = items[part]
                where, width = node.where, node.width
            case _:
                return where, width
    return where, width


def _is_blank(node: Scalar) -> bool:
    return node.value is None and not node.text


class _Stop(Exception):
    """Reading cannot go on; the finding has been noted."""


# The C loader is ten times faster; PyYAML can be built without it, and then this is slower only.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    where: Location
    anchor: str | None
    is_mapping: bool
    written: Written
    entries: dict[str, Entry] = field(default_factory=dict)
    merges: list[Branch] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    key: Scalar | None = None
    skip_value: bool = False  # the key was not usable
    merging: bool = False  # the value of `<<` is next
    size: int = 1
    height: int = 1  # levels, this one among them


class _Builder:
    """Turns events into nodes with an explicit stack."""

    def __init__(self, path: str, lines: tuple[str, ...], *, any_key: bool = False) -> None:
        self.path = path
        self.any_key = any_key
        self.lines = lines
        self._roots: list[tuple[Node, int]] = []  # with the lines where they start
        self.findings: list[Finding] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}  # node, size, height
        self._nodes = 0
        self._root: Node | None = None
        self._start = 1
        self._scalars: list[Span] = []  # scalars: a # in one is no comment

    def read(self, events: Iterable[yaml.Event]) -> None:
        for event in events:
            match event:  # what there is most of, first
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start_collection(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end_collection(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self._root, self._anchors = None, {}
                case yaml.DocumentEndEvent():
                    self._end_document()

    def _end_document(self) -> None:
        root = self._root
        # A file of comments has an empty scalar as its root: no document.
        if root is None or (isinstance(root, Scalar) and _is_blank(root)):
            return
        self._roots.append((root, self._start))

    def documents(self, *, may_ignore: bool) -> tuple[Document, ...]:
        lines = self.lines if may_ignore else ()
        ignores = find_ignores(lines, self._scalars)
        reasoned = find_ignores(lines, self._scalars, with_reason=True)
        return tuple(
            Document(
                path=self.path,
                lines=self.lines,
                root=root,
                start=start,
                ignores=ignores,
                reasoned=reasoned,
            )
            for root, start in self._roots
        )

    def _start_collection(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        where = self._place(event)
        self._check_depth(1, where)
        self._check_tag(event.tag, where)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        marked = event.anchor is not None or event.tag is not None
        written = _written(event, "{" if event.flow_style else "", marked=marked)
        self._open.append(
            _Open(where=where, anchor=event.anchor, is_mapping=is_mapping, written=written)
        )

    def _end_collection(self, event: yaml.Event) -> None:
        done = self._open.pop()
        written = done.written
        # A block ends for libyaml where the next thing starts, behind the comments.
        is_block = not written.style and written.last >= 0
        written.end = written.last if is_block else _written(event).end
        node: Node
        if done.is_mapping:
            for merged in done.merges:
                for key, entry in merged.entries.items():
                    if key not in done.entries:
                        done.entries[key] = replace(entry, merged=True)
            node = Branch(entries=done.entries, where=done.where, written=written)
        else:
            node = Items(items=tuple(done.items), where=done.where, written=written)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._too_large(done.where)
        self._add(node, anchor=done.anchor, size=done.size, height=done.height)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        line, column = start.line, start.column
        end_line, end_column = end.line, end.column
        self._scalars.append((line, column, end_line, end_column))
        where = Location(path=self.path, line=line + 1, column=column + 1)
        if end_line != line:
            end_column = len(self.lines[line].rstrip()) if line < len(self.lines) else column
        if event.tag is not None:
            self._check_tag(event.tag, where)
        text, plain = event.value, not event.style and event.tag is None
        node = Scalar(
            value=read_scalar(text) if plain else text,
            text=text,
            plain=plain,
            where=where,
            width=max(1, end_column - column),
            written=Written(
                start.index,
                end.index,
                event.style or "",
                event.anchor is not None or event.tag is not None,
            ),
        )
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._too_large(where)
        self._add(node, anchor=event.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        where = self._place(event)
        if any(opened.anchor == event.anchor for opened in self._open):
            self._error(
                FindingId.YAML_ALIAS,
                f"`*{event.anchor}` is inside `&{event.anchor}`: it contains itself",
                fix="write the value out",
                where=where,
            )
            raise _Stop
        if event.anchor not in self._anchors:
            self._error(
                FindingId.YAML_ALIAS,
                f"`*{event.anchor}` refers to nothing",
                fix=f"put `&{event.anchor}` before the value that is meant, above this line; "
                f'a value that starts with an asterisk needs quotes: "*{event.anchor}"',
                where=where,
            )
            raise _Stop
        node, size, height = self._anchors[event.anchor]
        self._check_depth(height, where)
        self._nodes += size
        if self._nodes > MAX_NODES:
            self._too_large(where)
        written = _written(event)
        written.alias = f"*{event.anchor}"
        self._add(replace(node, written=written), size=size, height=height)

    def _check_depth(self, height: int, where: Location) -> None:
        if len(self._open) + height <= MAX_DEPTH:
            return
        self._error(
            FindingId.YAML_TOO_DEEP,
            f"nested more than {MAX_DEPTH} levels deep",
            fix="a Service YAML needs 6 levels; look for a run of `[` or `{`, "
            "or for an alias inside another",
            where=where,
        )
        raise _Stop

    def _too_large(self, where: Location) -> NoReturn:
        self._error(
            FindingId.YAML_TOO_LARGE,
            f"more than {MAX_NODES} values, with every alias written out",
            fix="write the values out instead of nesting aliases",
            where=where,
        )
        raise _Stop

    def _add(
        self, node: Node, *, anchor: str | None = None, size: int = 1, height: int = 0
    ) -> None:
        """Put a finished node into the collection that is open, as key, value or item."""
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._open:
            self._root = node
            self._start = node.where.line if isinstance(node.where, Location) else 1
            return
        parent = self._open[-1]
        parent.written.last = node.written.end
        parent.size += size
        if height >= parent.height:
            parent.height = height + 1
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None and not parent.skip_value and not parent.merging:
            self._key(parent, node)
        else:
            self._value(parent, node)

    def _key(self, parent: _Open, node: Node) -> None:
        assert isinstance(node.where, Location)
        if not isinstance(node, Scalar):
            self._error(
                FindingId.YAML_KEY_NOT_TEXT,
                "a key must be text, not a list or a mapping",
                fix="put the value in quotes if it starts with `{` or `[`",
                where=node.where,
            )
            parent.skip_value = True
        elif node.plain and node.text == "<<":
            parent.merging = True
        elif not (self.any_key or isinstance(node.value, str)):
            self._error(
                FindingId.YAML_KEY_NOT_TEXT,
                f"the key `{node.text}` is {describe(node.value)} to YAML, not text",
                fix=f'put it in quotes: "{node.text}"',
                where=node.where,
                width=node.width,
            )
            parent.skip_value = True
        else:
            self._check_duplicate(parent, node.text, node.where, node.width)
            parent.key = node

    def _check_duplicate(self, parent: _Open, key: str, where: Location, width: int) -> None:
        if key not in parent.entries:
            return
        first = parent.entries[key].where
        line = first.line if isinstance(first, Location) else 0
        self._error(
            FindingId.DUPLICATE_KEY,
            f"`{key}` appears twice; the first is in line {line}",
            fix="keep one of the two",
            where=where,
            width=width,
        )

    def _value(self, parent: _Open, node: Node) -> None:
        if parent.merging:
            parent.merging = False
            self._merge(parent, node)
        elif parent.skip_value:
            parent.skip_value = False
        elif parent.key is not None:
            key = parent.key
            entry = Entry(where=key.where, width=key.width, value=node, written=key.written)
            parent.entries.setdefault(key.text, entry)
            parent.key = None

    def _merge(self, parent: _Open, node: Node) -> None:
        candidates = node.items if isinstance(node, Items) else (node,)
        for candidate in candidates:
            if isinstance(candidate, Branch):
                parent.merges.append(candidate)
                continue
            assert isinstance(candidate.where, Location)
            self._error(
                FindingId.YAML_ALIAS,
                "`<<` merges mappings, and this is not one",
                fix="use `<<: *anchor`, where the anchor is on a mapping",
                where=candidate.where,
            )

    def _check_tag(self, tag: str | None, where: Location) -> None:
        if tag is None or tag in ("!", f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"):
            return
        shown = tag.replace(_TAG, "!!")
        self._error(
            FindingId.YAML_TAG,
            f"the tag `{shown}` means nothing here",
            fix="remove it, or put the value in quotes if it starts with `!`",
            where=where,
            width=len(shown),
        )

    def _place(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        assert mark is not None
        return Location(path=self.path, line=mark.line + 1, column=mark.column + 1)

    def _error(
        self, id_: FindingId, message: str, *, fix: str, where: Location, width: int = 1
    ) -> None:
        """Reading stops at one too many."""
        is_last = len(self.findings) + 1 >= MOST
        if is_last:
            message += "; FSD does not read what is below"
        self.findings.append(
            Finding(
                id=id_,
                severity=Severity.ERROR,
                where=where,
                message=message,
                fix=fix,
                width=width,
            )
        )
        if is_last:
            raise _Stop


def _written(event: yaml.Event, style: str = "", *, marked: bool = False) -> Written:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None
    return Written(start.index, end.index, style, marked)


@lru_cache(maxsize=4096)
def read_scalar(text: str) -> Value:
    """What a plain scalar is in YAML 1.1, as far as every reader agrees on the number."""
    tag = str(_RESOLVER.resolve(ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]  # untyped in types-PyYAML
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() in _TRUE
        case "int" if _DECIMAL.fullmatch(text):
            return int(text)
        case "float" if _FRACTION.fullmatch(text):
            return float(text)
    return text


def describe(value: Value) -> str:
    """What a value is to YAML, for a message: `the number 8000`."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text `{value}`"


def _unreadable(text: str, path: str) -> Finding | None:
    """What must not reach the parser: too much text, or characters that YAML does not have."""
    if len(text) > MAX_CHARACTERS:
        return Finding(
            id=FindingId.YAML_TOO_LARGE,
            severity=Severity.ERROR,
            where=Location(path=path, line=1, column=1),
            message=f"the file has {len(text)} characters; FSD reads at most {MAX_CHARACTERS}",
            fix="a Service YAML is a few kilobytes; is this the right file?",
        )
    odd = _NOT_PRINTABLE.search(text)
    if odd is None:
        return None
    before = _LINE_BREAK.split(text[: odd.start()])
    return Finding(
        id=FindingId.YAML_SYNTAX,
        severity=Severity.ERROR,
        where=Location(path=path, line=len(before), column=len(before[-1]) + 1),
        message=f"the character U+{ord(odd[0]):04X} cannot be in a YAML file",
        fix='remove it, or write it in double quotes as an escape, "\\x00"',
    )


_NO_KEY = "mapping values are not allowed"
_NO_COLON = ("this key has no `:`", "write `key: value`")

# libyaml's words → what is usually meant by them, and the fix.
_SYNTAX = (
    (
        _NO_KEY,
        "`: ` appears where a key is not allowed",
        "put a value with a colon in quotes, or check the indentation",
    ),
    ("could not find expected ':'", *_NO_COLON),
    (
        "did not find expected key",
        "this line does not fit the indentation of those above",
        "indent all keys of a section equally, with spaces, and close every quote above this line",
    ),
    (
        "did not find expected '-' indicator",
        "this line does not fit the list above",
        "indent it like the other items and start it with `- `, or start a key further left",
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot start here",
        "put the list on the next line, below its key",
    ),
    (
        "found unexpected end of stream",
        "the file ends inside a quoted string",
        "close the quote",
    ),
    ("did not find expected ',' or", "a `[` or `{` is not closed", "close it, or use quotes"),
    (
        "did not find expected node content",
        "a value is missing between brackets or commas",
        "remove the comma, or use quotes",
    ),
    (
        "found undefined tag handle",
        "a value starts with `!`",
        "put it in quotes",
    ),
    (
        "found unknown escape character",
        "a string in double quotes has an escape that YAML does not know",
        "use single quotes, or write `\\\\` for a backslash",
    ),
)


# What is not closed is shown where it opens, not at the end of the file; a key without a colon
# where the key is, not where the next one has its own.
_SHOWN_AT_START = (
    "found unexpected end of stream",
    "did not find expected ',' or",
    "could not find expected ':'",
)
# Where a quote opens a value, a key or an item: not the apostrophe of a word.
_OPENS = r"(?:^|[\s:\-\[{,])"


def _syntax(error: yaml.YAMLError, path: str, lines: Sequence[str]) -> Finding:
    problem, line, column = str(error), 0, 0
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or problem
        at_start = any(words in problem for words in _SHOWN_AT_START)
        marks = (error.problem_mark, error.context_mark)
        mark = next((mark for mark in (marks[::-1] if at_start else marks) if mark), None)
        line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(lines):  # after the last line break
        line, column = len(lines) - 1, len(lines[-1])
    opened = _find_open_quote(lines, line, column)
    bare = _find_bare_line(lines, line, column) if _NO_KEY in problem else None
    if opened is not None:
        line, column = opened
        id_ = FindingId.YAML_SYNTAX
        message, fix = "not valid YAML: this quote is not closed in its line", "close the quote"
    elif bare is not None:
        line, column = bare
        id_, message, fix = FindingId.YAML_SYNTAX, f"not valid YAML: {_NO_COLON[0]}", _NO_COLON[1]
    else:
        id_, message, fix = _explain_syntax(problem, lines[line], column)
    return Finding(
        id=id_,
        severity=Severity.ERROR,
        where=Location(path=path, line=line + 1, column=column + 1),
        message=message,
        fix=fix,
    )


def _find_open_quote(lines: Sequence[str], line: int, column: int) -> tuple[int, int] | None:
    """Where the string opens that ends right before this place, if that is in a line above: it took
    the next value's opening quote for its end, and only then is something wrong."""
    quote = lines[line][:column].rstrip()[-1:]
    if quote not in {"'", '"'} or not quote:
        return None
    for index in range(line - 1, -1, -1):
        source = lines[index]
        is_odd = (source.count(quote) - source.count("\\" + quote)) % 2 == 1
        opens = list(re.finditer(_OPENS + quote, source)) if is_odd else []
        if opens and not source.lstrip().startswith("#"):
            return index, opens[-1].end() - 1
    return None


def _find_bare_line(lines: Sequence[str], line: int, column: int) -> tuple[int, int] | None:
    """Of a key that cannot be one: the line above it, where that has no colon. YAML reads both as
    one value over two lines."""
    if ":" in lines[line][:column]:
        return None
    for index in range(line - 1, -1, -1):
        source = lines[index].strip()
        if source and not source.startswith("#"):
            is_bare = ":" not in source and not source.startswith("-")
            return (index, len(lines[index]) - len(lines[index].lstrip())) if is_bare else None
    return None


def _quoted(rest: str, before: str) -> str:
    """How to write a value, an item or a key that starts with what YAML reserves."""
    if before.count("[") > before.count("]") or before.count("{") > before.count("}"):
        rest = re.split(r"[,\]}]", rest, maxsplit=1)[0].rstrip()
    elif before in {"", "-"}:
        rest = rest.split(": ")[0].removesuffix(":")
    if '"' not in rest and "\\" not in rest:
        return f'put it in quotes: "{rest}"'
    return f"put it in quotes: '{rest}'" if "'" not in rest else "put it in quotes"


def _explain_syntax(problem: str, source: str, column: int) -> tuple[FindingId, str, str]:
    character = source[column : column + 1]
    before = source[:column].strip()
    if character == "\t" or "\t" in source[: len(source) - len(source.lstrip())]:
        return (
            FindingId.YAML_TAB,
            "the line is indented with a tab",
            "use spaces; YAML does not allow tabs there",
        )
    if "cannot start any token" in problem:
        rest = source[column:].split(" #")[0].rstrip()
        name = "a backtick" if character == "`" else f"`{character}`"
        return (
            FindingId.YAML_SYNTAX,
            f"a value cannot start with {name}",
            _quoted(rest, before),
        )
    if "did not find expected key" in problem and before.endswith(("'", '"')):
        return (
            FindingId.YAML_SYNTAX,
            f"not valid YAML: `{source[column:].rstrip()}` comes after the closing quote",
            "put the whole value in one pair of quotes; '' is a quote in single quotes",
        )
    for words, message, fix in _SYNTAX:
        if words in problem:
            return FindingId.YAML_SYNTAX, f"not valid YAML: {message}", fix
    return (
        FindingId.YAML_SYNTAX,
        f"not valid YAML: {problem}",
        "check the indentation and the quotes here",
    )


def find_ignores(
    lines: Sequence[str], scalars: Sequence[Span] = (), *, with_reason: bool = False
) -> Mapping[int, frozenset[str]]:
    """Line → ids in `# fsd: ignore[id, id] reason` on it; a comment inside of a scalar is none.

    With `with_reason` only where words follow the bracket.
    """
    found: dict[int, frozenset[str]] = {}
    for index, line in enumerate(lines):
        if _IGNORES not in line:
            continue
        match = re.search(_IGNORE, line)
        if match is None or _inside(index, match.start(), scalars):
            continue
        if with_reason and re.search(_WORD, match["reason"]) is None:
            continue
        ids = (id_.strip() for id_ in match["ids"].split(","))
        found[index + 1] = frozenset(id_ for id_ in ids if id_)
    return found


def _inside(line: int, column: int, scalars: Sequence[Span]) -> bool:
    """Scalars come in the order of the file, so the last that starts before is the only one."""
    index = bisect_right(scalars, (line, column, MAX_CHARACTERS, 0)) - 1
    return index >= 0 and (line, column) < scalars[index][2:]
