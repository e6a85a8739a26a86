"""What Python source says about the service that it is: read by `ast`, never imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

HEALTH = re.compile(
    r"/(?:[\w-]+/){0,3}_{0,2}(?:health|healthz|health[_-]?check|ping|heartbeat|livez?|liveness"
    r"|readyz?|readiness|status|up)/?"
)
# Calls whose first argument is a path of another kind.
_NOT_ROUTES = frozenset({"open", "join", "Path", "request", "urlopen", "startswith", "endswith"})
_SERVE = frozenset({"run", "run_app", "serve", "run_simple", "bind"})
_SERVERS = frozenset({"HTTPServer", "ThreadingHTTPServer", "TCPServer", "ThreadingTCPServer"})
_PORT = range(1, 65536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A value and the line that says it."""

    value: str
    path: str
    line: int

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    imports: tuple[Mention, ...]
    routes: tuple[Mention, ...]
    ports: tuple[Mention, ...]
    aws: tuple[Mention, ...]  # boto3 clients and resources
    calls: frozenset[str]  # names of methods


EMPTY = Source(imports=(), routes=(), ports=(), aws=(), calls=frozenset())


def read_source(text: str, *, path: str) -> Source:
    """What cannot be parsed says nothing: it may be a template, or for another Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return EMPTY
    nodes = tuple(ast.walk(tree))
    calls = tuple(node for node in nodes if isinstance(node, ast.Call))
    return Source(
        imports=tuple(
            Mention(value=name, path=path, line=line)
            for node in nodes
            for name, line in _imported(node)
        ),
        routes=_mentions(path, (found for node in nodes for found in _routes(node))),
        ports=_mentions(path, (found for call in calls for found in _ports(call))),
        aws=_mentions(path, (found for call in calls for found in _aws(call))),
        calls=frozenset(call.func.attr for call in calls if isinstance(call.func, ast.Attribute)),
    )


def _mentions(path: str, found: Iterator[tuple[str, int]]) -> tuple[Mention, ...]:
    return tuple(Mention(value=value, path=path, line=line) for value, line in found)


def _imported(node: ast.AST) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield alias.name, node.lineno
        case ast.ImportFrom(module=str(module), level=0, names=names):
            yield module, node.lineno
            for alias in names:
                yield f"{module}.{alias.name}", node.lineno


def _routes(node: ast.AST) -> Iterator[tuple[str, int]]:
    """`@app.get("/health")`, `path("health/", …)`, and `if path == "/health"`."""
    match node:
        case ast.Call(func=function, args=[ast.Constant(value=str(value)), *_]):
            name = _name(function)
            route = f"/{value}" if name in ("path", "re_path") else value
            if name not in _NOT_ROUTES and HEALTH.fullmatch(route):
                yield route, node.lineno
        case ast.Compare(comparators=[ast.Constant(value=str(value))], ops=[ast.Eq()]):
            if HEALTH.fullmatch(value):
                yield value, node.lineno
        case ast.MatchValue(value=ast.Constant(value=str(value))) if HEALTH.fullmatch(value):
            yield value, node.lineno


def _ports(call: ast.Call) -> Iterator[tuple[str, int]]:
    """`uvicorn.run(app, port=8000)`, `HTTPServer(("", 8000), …)`, `environ.get("PORT", 8000)`."""
    name = _name(call.func)
    if name in _SERVE:
        for keyword in call.keywords:
            if keyword.arg == "port":
                yield from _port(keyword.value, call.lineno)
    elif name in _SERVERS and call.args and isinstance(call.args[0], ast.Tuple):
        for element in call.args[0].elts[1:]:
            yield from _port(element, call.lineno)
    elif name in ("get", "getenv") and len(call.args) == 2:
        key, default = call.args
        if isinstance(key, ast.Constant) and key.value in ("PORT", "HTTP_PORT", "APP_PORT"):
            yield from _port(default, call.lineno)


def _port(node: ast.expr, line: int) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, str):
        text = str(node.value)
        if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) in _PORT:
            yield text, line


def _aws(call: ast.Call) -> Iterator[tuple[str, int]]:
    """`boto3.client("s3")`, `session.resource("dynamodb")`."""
    if _name(call.func) in ("client", "resource", "create_client") and call.args:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, call.lineno


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
