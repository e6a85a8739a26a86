"""Parsed Python files as one program: what a name stands for, in this file or in another one.

A value that the code computes is not guessed: its text has UNKNOWN where it is not known.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

UNKNOWN = "\0"
_DEEPEST = 8  # of names that stand for other names

_TYPES = frozenset({"int", "str", "Path", "cast"})  # `int(x)`, and environs' `env.int("X", 1)`
_ENVIRONMENT = frozenset({"getenv", "get", "env", "config", "Option"})
_TEXT_METHODS = frozenset(
    {"format", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "lower"}
)

Ref = tuple[str, str]  # the path of a module, and a name in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    path: str
    body: tuple[ast.stmt, ...]
    nodes: tuple[ast.AST, ...]
    imports: Mapping[str, tuple[str, str]]  # local name → module as written, name in it or ""
    values: Mapping[str, ast.expr]  # what a name is assigned, anywhere in the file
    loops: Mapping[str, ast.expr]  # what the name runs over
    fields: Mapping[str, ast.expr]  # of all classes

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))


@dataclass(frozen=True, kw_only=True)
class SourceModules:
    modules: tuple[Module, ...]
    given: Mapping[str, str] = field(default_factory=dict)  # variables that the image sets

    @cached_property
    def by_path(self) -> Mapping[str, Module]:
        return {module.path: module for module in self.modules}

    @cached_property
    def _by_end(self) -> Mapping[tuple[str, ...], str]:
        """`app.api.items` → its file, also where `app` is below `src/`. The shortest path wins."""
        found: dict[tuple[str, ...], str] = {}
        for module in sorted(self.modules, key=lambda each: each.path.count("/")):
            parts = _dotted(module.path)
            for start in range(len(parts)):
                found.setdefault(parts[start:], module.path)
        return found

    def find(self, dotted: str, *, importer: str = "") -> str | None:
        """The file of a module; dots in front are relative to the importing file."""
        level = len(dotted) - len(dotted.lstrip("."))
        parts = tuple(part for part in dotted.lstrip(".").split(".") if part)
        if not level:
            return self._by_end.get(parts)
        folders = importer.split("/")[:-level]
        wanted = "/".join((*folders, *parts))
        return next(
            (path for path in (f"{wanted}.py", f"{wanted}/__init__.py") if path in self.by_path),
            None,
        )

    def resolve(self, module: Module, node: ast.expr, depth: int = 0) -> Ref | None:
        """Where the thing is made that `router`, `items.router` or `"app.items.router"` is."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Name(id=name):
                return self._named(module, name, depth)
            case ast.Attribute(value=ast.Name(id=base), attr=name) if base in module.imports:
                where, inner = module.imports[base]
                path = self.find(f"{where}.{inner}" if inner else where, importer=module.path)
                path = path or self.find(where, importer=module.path)
                return self._named(self.by_path[path], name, depth + 1) if path else None
            case ast.Attribute(value=ast.Attribute() as inside, attr=name):
                path = self.find(ast.unparse(inside))
                return self._named(self.by_path[path], name, depth + 1) if path else None
            case ast.Constant(value=str(text)):
                where, _, name = text.rpartition(".")
                path = self.find(where)
                return (path, name) if path else None
        return None

    def _named(self, module: Module, name: str, depth: int) -> Ref | None:
        if name in module.values or name not in module.imports:
            value = module.values.get(name)
            if isinstance(value, ast.Name) and value.id != name:
                return self.resolve(module, value, depth + 1)
            return (module.path, name)
        where, inner = module.imports[name]
        path = self.find(where, importer=module.path)
        if path is None or not inner:
            return None
        return self._named(self.by_path[path], inner, depth + 1) if depth < _DEEPEST else None

    def text(self, module: Module, node: ast.expr | None, depth: int = 0) -> str:
        """What a text or a number will be; UNKNOWN for each part that is computed."""
        if depth > _DEEPEST:
            return UNKNOWN
        deeper = depth + 1
        match node:
            case ast.Constant(value=bool() | None):
                return UNKNOWN
            case ast.Constant(value=str(value) | int(value)):
                return str(value)
            case ast.JoinedStr(values=parts):
                return "".join(self.text(module, part, deeper) for part in parts)
            case ast.FormattedValue(value=value):
                return self.text(module, value, deeper)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(module, left, deeper) + self.text(module, right, deeper)
            case ast.BoolOp(op=ast.Or(), values=[*_, last]):
                return self.text(module, last, deeper)
            case ast.Name() | ast.Attribute():
                return self._constant(module, node, deeper)
            case ast.Call() | ast.BinOp() | ast.Subscript():
                return self._computed(module, node, deeper)
        return UNKNOWN

    def _computed(
        self, module: Module, node: ast.Call | ast.BinOp | ast.Subscript, depth: int
    ) -> str:
        """`"/%s" % X`, `X.rstrip("/")`, and `os.environ["X"]` where the image sets it."""
        match node:
            case ast.Call(func=ast.Attribute(value=base, attr=method), keywords=[]) if (
                method in _TEXT_METHODS
            ):
                arguments = [self.text(module, each, depth) for each in node.args]
                return _changed(self.text(module, base, depth), method, arguments)
            case ast.Call():
                return self._default(module, node, depth)
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
                filled = right.elts if isinstance(right, ast.Tuple) else [right]
                return _filled(text, "%s", [self.text(module, each, depth) for each in filled])
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=key):
                return self.given.get(self.text(module, key, depth), UNKNOWN)
        return UNKNOWN

    def _constant(self, module: Module, node: ast.Name | ast.Attribute, depth: int) -> str:
        ref = self.resolve(module, node)
        where = self.by_path.get(ref[0]) if ref else None
        if ref and where and ref[1] in where.values:
            return self.text(where, where.values[ref[1]], depth)
        if isinstance(node, ast.Attribute):  # `settings.API_PREFIX`: one class has such a field
            found = [
                self.text(each, each.fields[node.attr], depth)
                for each in self.modules
                if node.attr in each.fields
            ]
            return found[0] if len(set(found)) == 1 else UNKNOWN
        return UNKNOWN

    def _default(self, module: Module, call: ast.Call, depth: int) -> str:
        """`int(x)`, `os.getenv("PORT", 8000)`, `Field(default="/api")`: without a value given."""
        name = called(call)
        if self.given and call.args and name in _ENVIRONMENT | _TYPES:
            given = self.given.get(self.text(module, call.args[0], depth))
            if given is not None:
                return given
        for keyword in call.keywords:
            if keyword.arg == "default":
                return self.text(module, keyword.value, depth)
        if name in _TYPES and isinstance(call.func, ast.Name) and call.args:
            return self.text(module, call.args[-1], depth)
        if name in _ENVIRONMENT | _TYPES and len(call.args) == 2:
            return self.text(module, call.args[1], depth)
        if name == "Field" and call.args:
            return self.text(module, call.args[0], depth)
        return UNKNOWN

    def elements(self, module: Module, node: ast.expr | None, depth: int = 0) -> list[ast.expr]:
        """Of a list or tuple, also of one that has a name, and of several that are added."""
        if depth > _DEEPEST:
            return []
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [
                    inner
                    for item in items
                    for inner in (
                        self.elements(module, item.value, depth + 1)
                        if isinstance(item, ast.Starred)
                        else [item]
                    )
                ]
            case (
                ast.BinOp(left=left, op=ast.Add(), right=right)
                | ast.IfExp(body=left, orelse=right)  # whichever it is, it can be there
            ):
                return [
                    *self.elements(module, left, depth + 1),
                    *self.elements(module, right, depth + 1),
                ]
            case ast.Name(id=name) if name in module.values:
                return self.elements(module, module.values[name], depth + 1)
        return []


def _filled(text: str, mark: str, values: Sequence[str]) -> str:
    """`"/%s/v1" % "api"`; UNKNOWN where the marks are others."""
    parts = text.split(mark)
    if len(parts) != len(values) + 1 or "%" in text.replace(mark, ""):
        return UNKNOWN
    return "".join(part + value for part, value in zip(parts, [*values, ""], strict=True))


def _changed(text: str, method: str, arguments: Sequence[str]) -> str:
    """What a method of a text makes of it."""
    if method == "format":
        return _filled(text, "{}", arguments)
    if UNKNOWN in text or any(UNKNOWN in each for each in arguments):
        return UNKNOWN
    first = arguments[0] if arguments else None
    match method:
        case "strip":
            return text.strip(first)
        case "lstrip":
            return text.lstrip(first)
        case "rstrip":
            return text.rstrip(first)
        case "removeprefix":
            return text.removeprefix(first or "")
        case "removesuffix":
            return text.removesuffix(first or "")
    return text.lower()


def read_program(
    sources: Mapping[str, str], given: Mapping[str, str] | None = None
) -> SourceModules:
    """What cannot be parsed says nothing: it may be a template, or for another Python."""
    return SourceModules(
        given=given or {},
        modules=tuple(
            module
            for path, text in sources.items()
            if (module := _module(text, path=path)) is not None
        ),
    )


def _module(text: str, *, path: str) -> Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes = tuple(ast.walk(tree))
    return Module(
        path=path,
        body=tuple(tree.body),
        nodes=nodes,
        imports=dict(_imports(nodes)),
        values=dict(_values(nodes)),
        loops={
            node.target.id: node.iter
            for node in nodes
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        },
        fields=dict(_fields(nodes)),
    )


def _imports(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    local = alias.asname or alias.name.partition(".")[0]
                    yield local, (alias.name if alias.asname else local, "")
            case ast.ImportFrom(module=module, names=names, level=level):
                where = "." * level + (module or "")
                for alias in names:
                    yield alias.asname or alias.name, (where, alias.name)


def _values(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """The walk is by level, so that a module's own name is seen before a function's."""
    for node in reversed(nodes):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value


def _fields(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _values(tuple(node.body))


def called(call: ast.Call) -> str:
    """`get` of `app.router.get(…)`."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def _dotted(path: str) -> tuple[str, ...]:
    parts = path.removesuffix(".py").split("/")
    return tuple(parts[:-1] if parts[-1] == "__init__" else parts)
