"""What Python source says about the service that it is: read by `ast`, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fsd.scaffold.modules import Module, SourceModules, called

_SERVE = frozenset({"run", "run_app", "serve", "run_simple", "bind", "listen", "TCPSite"})
_SERVERS = frozenset({"HTTPServer", "ThreadingHTTPServer", "TCPServer", "ThreadingTCPServer"})
_SERVERS_OF_WSGI = frozenset({"make_server", "WSGIServer", "start_server"})
_SOCKETS = frozenset({"add_insecure_port", "add_secure_port"})
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
class SourceCode:
    imports: tuple[Mention, ...]
    ports: tuple[Mention, ...]
    grpc: tuple[Mention, ...]  # ports of a gRPC server; empty text where it is computed
    aws: tuple[Mention, ...]  # boto3 clients and resources
    calls: frozenset[str]  # names of methods


def read_sources(program: SourceModules) -> tuple[SourceCode, ...]:
    return tuple(_read(program, module) for module in program.modules)


def _read(program: SourceModules, module: Module) -> SourceCode:
    calls = tuple(module.calls())
    path = module.path
    return SourceCode(
        imports=tuple(
            Mention(value=name, path=path, line=line)
            for node in module.nodes
            for name, line in _imported(node)
        ),
        ports=_mentions(path, (found for call in calls for found in _ports(program, module, call))),
        grpc=_mentions(path, (found for call in calls for found in _grpc(program, module, call))),
        aws=_mentions(path, (found for call in calls for found in _aws(call))),
        calls=frozenset(call.func.attr for call in calls if isinstance(call.func, ast.Attribute)),
    )


def _mentions(path: str, found: Iterable[tuple[str, int]]) -> tuple[Mention, ...]:
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


def _ports(program: SourceModules, module: Module, call: ast.Call) -> Iterator[tuple[str, int]]:
    """`uvicorn.run(app, port=8000)`, `HTTPServer(("", 8000), …)`, `environ.get("PORT", 8000)`."""
    name = called(call)
    said: list[ast.expr] = []
    if name in _SERVE:
        said = [each.value for each in call.keywords if each.arg == "port"]
        if name == "listen" and call.args:
            said.append(call.args[0])
    elif name in _SERVERS and call.args and isinstance(call.args[0], ast.Tuple):
        said = call.args[0].elts[1:]
    elif name in _SERVERS_OF_WSGI:
        said = call.args[:2]
    elif name in ("get", "getenv", "config", "env", "int") and len(call.args) == 2:
        key, default = call.args
        if isinstance(key, ast.Constant) and key.value in ("PORT", "HTTP_PORT", "APP_PORT"):
            said = [default]
    for node in said:
        text = program.text(module, node)
        if _is_port(text):
            yield text, call.lineno


def _grpc(program: SourceModules, module: Module, call: ast.Call) -> Iterator[tuple[str, int]]:
    """`server.add_insecure_port("[::]:" + port)`."""
    if called(call) in _SOCKETS and call.args:
        text = program.text(module, call.args[0]).rpartition(":")[2]
        yield text if _is_port(text) else "", call.lineno


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) in _PORT


def _aws(call: ast.Call) -> Iterator[tuple[str, int]]:
    """`boto3.client("s3")`, `session.resource("dynamodb")`."""
    if called(call) in ("client", "resource", "create_client") and call.args:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, call.lineno
