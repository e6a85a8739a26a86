"""Which paths the code answers a GET on, with the prefixes of whatever includes a route.

    decorators, calls, lists, `urlpatterns`  ─▶  routes of owners (an app, a router, a Blueprint)
    include_router, register_blueprint, include, mount …  ─▶  which owner is below which

A route is a decorator or a registration. A client's call looks like one (`client.get("/health")`)
and is none.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fsd.scaffold.modules import UNKNOWN, Module, Ref, SourceModules, called, keyword

# Words that mean a check wherever they stand, and words that do so only below a general prefix:
# `/orders/status` is about orders.
HEALTH = re.compile(
    r"(?:(?:/[\w.~-]+){0,4}/(?:-/)?[_.]{0,2}(?:(?:[\w-]+[_-])?(?:health|healthz|healthy)"
    r"|health(?:[_-]?check|z)?s?|healthcheckz?|lb?heartbeat|liveness|livez|readiness|readyz)_{0,2}"
    r"|(?:/(?:api|v\d+|internal|private|public|system|monitor(?:ing)?|utils?|common|core|app|ops"
    r"|service|meta|-|_)){0,4}/_{0,2}(?:ping|heartbeat|alive|live|ready|status|up|probe|_?lb-status"
    r"|ht)_{0,2})"
    r"(?:/(?:live|liveness|alive|ready|readiness|check|status|ping|simple|basic))?/?"
)
_APPS = frozenset(
    {"FastAPI", "Flask", "Quart", "APIFlask", "OpenAPI", "Starlette", "Litestar", "Sanic", "Bottle"}
    | {"Application", "App", "API", "NinjaAPI", "NinjaExtraAPI", "Chalice", "Robyn", "Falcon"}
    | {"Connexion", "FlaskApp", "AsyncApp", "BlackSheep", "Microdot", "Esmerald", "Emmett"}
)
_ROUTERS = frozenset(
    {"APIRouter", "Blueprint", "APIBlueprint", "Router", "RouteTableDef", "Namespace", "Api"}
    | {"SimpleRouter", "DefaultRouter", "SubRouter", "group", "RoutableController"}
)
_GETS = frozenset({"get", "route", "head", "api_route", "any", "all", "get_api_route"})
_REGISTERS = frozenset(
    {"add_api_route", "add_url_rule", "add_route", "add_get", "add_head", "add_view"}
    | {"add_resource", "add_api_view"}
)
_DJANGO = frozenset({"path", "re_path", "url"})
_MOUNTS = frozenset(
    {"include_router", "register_blueprint", "blueprint", "mount", "add_namespace", "add_router"}
    | {"add_subapp", "init_app", "include_routes", "register_router"}
)
_PREFIXES = ("prefix", "url_prefix", "path", "base_path")
# Names that an application has where a function takes it as its argument.
_APP_NAMES = frozenset({"app", "application", "api", "web_app", "flask_app", "fastapi_app"})
_FREE_DECORATORS = ("litestar", "starlite", "blacksheep", "bottle", "robyn")
_CLIENTS = frozenset({"requests", "httpx", "responses", "respx", "requests_mock", "aiohttp_client"})
_PLAIN_REGEX = re.compile(r"[\w./~-]*")
_ASKS_WHO = re.compile(
    r"login|auth|jwt|token|permission|admin|current_(?:active_)?user|get_user|api_key|required",
    re.IGNORECASE,
)
_MOST_PATHS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`why` says what is not sure about its path; empty where it is certain."""

    path: str
    where: str
    why: str = ""
    is_closed: bool = False  # it asks who calls: a login, a token


@dataclass(frozen=True, slots=True)
class _Raw:
    owner: Ref | None
    path: str
    where: str
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class _Mount:
    parent: Ref | None
    child: Ref
    prefix: str
    replaces: bool = False  # the child's own prefix


@dataclass(slots=True)
class _FoundRoute:
    prefixes: dict[Ref, str] = field(default_factory=dict)
    apps: set[Ref] = field(default_factory=set)
    flat: set[Ref] = field(default_factory=set)  # whose paths have no slash at the end
    routes: list[_Raw] = field(default_factory=list)
    mounts: list[_Mount] = field(default_factory=list)


def find_routes(program: SourceModules) -> tuple[Route, ...]:
    found = _FoundRoute()
    for module in program.modules:
        _Reader(program, module, found).read()
    _django_roots(program, found)
    by_child: dict[Ref, list[_Mount]] = defaultdict(list)
    for mount in found.mounts:
        by_child[mount.child].append(mount)
    routes = [
        route
        for raw in found.routes
        for prefix, why in _prefixes(raw.owner, found, by_child, frozenset())
        if (route := _route(raw, prefix, why, flat=raw.owner in found.flat)) is not None
    ]
    return tuple(dict.fromkeys(routes))


def _route(raw: _Raw, prefix: str, why: str, *, flat: bool) -> Route | None:
    path = _join(prefix, raw.path)
    if UNKNOWN in path:
        shown = path.replace(UNKNOWN, "…")
        shown = shown if shown.startswith("/") else f"/{shown}"
        return Route(path=raw.path, where=raw.where, why=f"the code computes a part of `{shown}`")
    if any(mark in path for mark in "<{*"):
        return None
    path = path if path.startswith("/") else f"/{path}"
    if flat and len(path) > 1:
        path = path.rstrip("/")
    return Route(path=path, where=raw.where, why=why, is_closed=raw.is_closed)


def _join(prefix: str, path: str) -> str:
    if prefix.endswith("/") and path.startswith("/"):
        return prefix + path[1:]
    if path and not prefix.endswith("/") and not path.startswith("/"):
        return f"{prefix}/{path}"
    return prefix + path


def _prefixes(
    owner: Ref | None,
    found: _FoundRoute,
    by_child: Mapping[Ref, Sequence[_Mount]],
    above: frozenset[Ref],
) -> list[tuple[str, str]]:
    """Every prefix of an owner's routes, with what is not sure about it."""
    if owner is None:
        return [("", "")]
    own = found.prefixes.get(owner, "")
    mounts = [mount for mount in by_child.get(owner, ()) if mount.child not in above]
    if not mounts:
        is_app = owner in found.apps or (
            owner not in found.prefixes and owner[1].lower() in _APP_NAMES
        )
        return [(own, "" if is_app else f"nothing that was found includes `{owner[1]}`")]
    every = [
        (_join(_join(prefix, mount.prefix), "" if mount.replaces else own), why)
        for mount in mounts
        for prefix, why in _prefixes(mount.parent, found, by_child, above | {owner})
    ]
    return every[:_MOST_PATHS]


def _django_roots(program: SourceModules, found: _FoundRoute) -> None:
    """What ROOT_URLCONF names, else every `urlpatterns` that no other includes."""
    named = {
        path
        for module in program.modules
        if "ROOT_URLCONF" in module.values
        and (path := program.find(program.text(module, module.values["ROOT_URLCONF"])))
    }
    included = {mount.child for mount in found.mounts}
    for owner in [ref for ref in found.prefixes if ref[1] == "urlpatterns"]:
        if owner[0] in named or (not named and owner not in included):
            found.apps.add(owner)


@dataclass(frozen=True, slots=True)
class _Reader:
    program: SourceModules
    module: Module
    found: _FoundRoute

    def read(self) -> None:
        for name, value in self.module.values.items():
            if isinstance(value, ast.Call):
                self._made((self.module.path, name), value)
        methods = {id(each) for node in self.module.nodes for each in _methods(node)}
        for node in self.module.nodes:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() if id(node) not in methods:
                    self._decorated(node)
                case ast.ClassDef():
                    self._class(node)
                case ast.Call():
                    self._call(node)
                case ast.Assign(targets=[ast.Name(id="urlpatterns")], value=value):
                    self._patterns(value)
                case ast.AugAssign(target=ast.Name(id="urlpatterns"), value=value):
                    self._patterns(value)
                case ast.Compare() | ast.MatchValue():
                    self._compared(node)

    def _where(self, node: ast.expr | ast.stmt | ast.pattern) -> str:
        return f"{self.module.path}:{node.lineno}"

    def _text(self, node: ast.expr | None) -> str:
        return "" if node is None else self.program.text(self.module, node)

    def _ref(self, node: ast.expr) -> Ref | None:
        """`app.router` is the app."""
        if isinstance(node, ast.Attribute) and node.attr in ("router", "urls", "app"):
            inner = self._ref(node.value)
            if inner in self.found.prefixes or isinstance(node.value, ast.Name):
                resolved = self.program.resolve(self.module, node)
                return resolved if resolved is not None else inner
        return self.program.resolve(self.module, node)

    # What has routes

    def _made(self, ref: Ref, call: ast.Call) -> None:
        name = called(call)
        if name not in _APPS and name not in _ROUTERS:
            return
        prefix = self._text(keyword(call, *_PREFIXES)) if name not in _APPS else ""
        if name == "Namespace" and keyword(call, "path") is None and call.args:
            prefix = f"/{self._text(call.args[0])}"
        self.found.prefixes[ref] = prefix
        if name in _APPS:
            self.found.apps.add(ref)
        if name in ("Litestar", "Router"):
            self.found.flat.add(ref)
        if name == "Api" and call.args and (parent := self._ref(call.args[0])):
            self.found.mounts.append(_Mount(parent, ref, ""))
        if name == "group":
            for child in call.args:
                self._below(ref, child, "")
        self._listed(ref, "", keyword(call, "routes", "route_handlers", "handlers", "urls"))
        if name in ("Litestar", "Application", "Router") and call.args:
            self._listed(ref, "", call.args[0])

    def _class(self, node: ast.ClassDef) -> None:
        """A controller, whose methods have the routes; or a decorated resource."""
        self._decorated(node)
        if not _is_controller(node):
            return
        ref = (self.module.path, node.name)
        path = next(
            (
                self._text(each.value)
                for each in node.body
                if isinstance(each, ast.Assign | ast.AnnAssign)
                and "path"
                in map(_last, each.targets if isinstance(each, ast.Assign) else [each.target])
            ),
            "",
        )
        self.found.prefixes[ref] = path
        self.found.flat.add(ref)
        for method in node.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in _decorators(method):
                    if isinstance(call.func, ast.Name) and called(call) in _GETS:
                        self._add(ref, call, "")

    # Routes

    def _decorated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        is_closed = _is_closed(node)
        for call in _decorators(node):
            if called(call) not in _GETS:
                continue
            if isinstance(call.func, ast.Attribute):
                base = call.func.value
                if _last(base) not in _CLIENTS:
                    self._add(self._ref(base), call, is_closed=is_closed)
            elif isinstance(call.func, ast.Name):
                self._free(node.name, call, call.func.id)

    def _free(self, function: str, call: ast.Call, name: str) -> None:
        """`@get("/health")` of a framework whose application lists its handlers."""
        where = self.module.imports.get(name, ("", ""))[0].partition(".")[0]
        if where not in _FREE_DECORATORS:
            return
        is_listed = where in ("litestar", "starlite")
        ref = (self.module.path, function) if is_listed else None
        if ref is not None:
            self.found.prefixes.setdefault(ref, "")
            self.found.flat.add(ref)
        self._add(ref, call, "/")

    def _add(
        self,
        owner: Ref | None,
        call: ast.Call,
        default: str | None = None,
        *,
        is_closed: bool = False,
    ) -> None:
        if not self._answers_get(call):
            return
        first = call.args[0] if call.args else keyword(call, "path", "rule", "uri", "pattern")
        if first is None and default is None:
            return
        paths = self.program.elements(self.module, first) if first is not None else []
        texts = [self._text(node) for node in paths] or [
            self._text(first) if first is not None else default or ""
        ]
        for text in texts:
            self.found.routes.append(_Raw(owner, text, self._where(call), is_closed))

    def _answers_get(self, call: ast.Call) -> bool:
        methods = keyword(call, "methods", "method", "http_method_names")
        if methods is None:
            return True
        named = [self._text(each) for each in self.program.elements(self.module, methods)]
        named = named or [self._text(methods)]
        return any(name.upper() in ("GET", "HEAD", UNKNOWN) for name in named)

    def _call(self, call: ast.Call) -> None:
        name = called(call)
        if not isinstance(call.func, ast.Attribute):
            return
        base = call.func.value
        if name in _REGISTERS and self._answers_get(call):
            texts = [self._text(arg) for arg in call.args] + [
                self._text(keyword(call, "path", "rule", "uri_template", "uri"))
            ]
            for path in [text for text in texts if text.startswith(("/", UNKNOWN + "/"))]:
                self.found.routes.append(_Raw(self._ref(base), path, self._where(call)))
        elif name in ("add_routes", "add_handlers", "register_controllers"):
            self._listed(self._ref(base), "", call.args[-1] if call.args else None)
        elif name == "register" and call.args and self._ref(base) in self.found.prefixes:
            path = self._text(call.args[0])
            if _PLAIN_REGEX.fullmatch(path):
                self.found.routes.append(_Raw(self._ref(base), f"{path}/", self._where(call)))
            else:
                self._mounted(base, call)
        elif name in _MOUNTS:
            self._mounted(base, call)

    def _mounted(self, base: ast.expr, call: ast.Call) -> None:
        parent = self._ref(base)
        prefix_node = keyword(call, *_PREFIXES)
        texts = [arg for arg in call.args[:2] if isinstance(arg, ast.Constant | ast.JoinedStr)]
        children = [arg for arg in call.args[:2] if arg not in texts]
        if called(call) in ("mount", "add_subapp", "add_router") and texts:
            prefix_node = texts[0]
            children = [*children, *texts[1:]]
        child = children[0] if children else keyword(call, "router", "blueprint", "app")
        if child is None:
            return
        if called(call) == "init_app":
            inner = self._ref(child)
            if inner and parent in self.found.prefixes and parent not in self.found.apps:
                self.found.mounts.append(_Mount(inner, parent, ""))
            return
        replaces = called(call) in ("register_blueprint", "blueprint", "add_namespace")
        has_prefix = prefix_node is not None and not _is_none(prefix_node)
        prefix = self._text(prefix_node) if has_prefix else ""
        runs_over = self.module.loops.get(child.id) if isinstance(child, ast.Name) else None
        every = self.program.elements(self.module, runs_over) if runs_over else [child]
        for each in every:
            if ref := self._ref(each):
                self.found.mounts.append(_Mount(parent, ref, prefix, replaces and has_prefix))

    # Lists of routes

    def _below(self, parent: Ref | None, child: ast.expr, prefix: str) -> None:
        if ref := self._ref(child):
            self.found.mounts.append(_Mount(parent, ref, prefix))

    def _patterns(self, value: ast.expr) -> None:
        owner = (self.module.path, "urlpatterns")
        self.found.prefixes.setdefault(owner, "")
        self._listed(owner, "", value)

    def _listed(self, owner: Ref | None, prefix: str, node: ast.expr | None) -> None:
        elements = self.program.elements(self.module, node)
        if isinstance(node, ast.Call) and called(node) == "i18n_patterns":
            self._each(owner, UNKNOWN + "/", list(node.args))
        elif not elements and isinstance(node, ast.Name | ast.Attribute):
            self._below(owner, node, prefix)
        else:
            self._each(owner, prefix, elements)

    def _each(self, owner: Ref | None, prefix: str, elements: Sequence[ast.expr]) -> None:
        for element in elements:
            match element:
                case ast.Call() if called(element) in _DJANGO:
                    self._pattern(owner, prefix, element)
                case ast.Call(args=[first, *_]) if called(element) in ("Mount", "Include", "Host"):
                    self._mount_object(owner, _join(prefix, self._text(first)), element)
                case ast.Call(args=[first, *_]) if called(element) in {"Route", "URLSpec", *_GETS}:
                    if self._answers_get(element):
                        self._raw(owner, _join(prefix, self._text(first)), element)
                case ast.Tuple(elts=[ast.Constant(value=str(text)), _, *_]):
                    self._raw(owner, _join(prefix, _regex(text)), element)
                case ast.Call(func=ast.Attribute(attr="Router") | ast.Name(id="Router")):
                    self._listed(
                        owner,
                        _join(prefix, self._text(keyword(element, "path"))),
                        keyword(element, "route_handlers", "routes"),
                    )
                case ast.Name() | ast.Attribute():
                    self._below(owner, element, prefix)

    def _raw(self, owner: Ref | None, path: str, node: ast.expr) -> None:
        self.found.routes.append(_Raw(owner, path, self._where(node)))

    def _mount_object(self, owner: Ref | None, prefix: str, call: ast.Call) -> None:
        routes = keyword(call, "routes")
        if routes is not None:
            self._listed(owner, prefix, routes)
        inner = keyword(call, "app") or (call.args[1] if len(call.args) > 1 else None)
        if inner is not None:
            self._below(owner, inner, prefix)

    def _pattern(self, owner: Ref | None, prefix: str, call: ast.Call) -> None:
        if len(call.args) < 2:
            return
        text = self._text(call.args[0])
        path = _join(prefix, text if called(call) == "path" else _regex(text))
        view = call.args[1]
        if isinstance(view, ast.Attribute) and view.attr in ("urls", "site_urls"):
            self._below(owner, view.value, path)
        elif not (isinstance(view, ast.Call) and called(view) == "include" and view.args):
            self._raw(owner, path, call)
        else:
            self._included(owner, path, view.args[0], call)

    def _included(self, owner: Ref | None, path: str, what: ast.expr, call: ast.Call) -> None:
        if isinstance(what, ast.Tuple) and what.elts:
            what = what.elts[0]
        match what:
            case ast.Constant(value=str(dotted)):
                inner = self.program.find(dotted)
                if inner:
                    self.found.mounts.append(_Mount(owner, (inner, "urlpatterns"), path))
                elif dotted.startswith(("health_check", "watchman", "django_healthchecks")):
                    self._raw(owner, path, call)
            case ast.Attribute(value=base, attr="urls"):
                self._below(owner, base, path)
            case ast.Name() if what.id in self.module.imports:
                where, name = self.module.imports[what.id]
                inner = self.program.find(f"{where}.{name}", importer=self.module.path)
                child = (inner, "urlpatterns") if inner else self._ref(what)
                if child:
                    self.found.mounts.append(_Mount(owner, child, path))
            case _:
                self._listed(owner, path, what)

    def _compared(self, node: ast.Compare | ast.MatchValue) -> None:
        """`if self.path == "/health"`, `case "/health":`; only what is called like a check."""
        match node:
            case ast.Compare(comparators=[ast.Constant(value=str(text))], ops=[ast.Eq()]):
                pass
            case ast.Compare(comparators=[many], ops=[ast.In()]):
                for each in self.program.elements(self.module, many):
                    if HEALTH.fullmatch(self._text(each)):
                        self.found.routes.append(_Raw(None, self._text(each), self._where(node)))
                return
            case ast.MatchValue(value=ast.Constant(value=str(text))):
                pass
            case _:
                return
        if HEALTH.fullmatch(text):
            self.found.routes.append(_Raw(None, text, self._where(node)))


def _is_controller(node: ast.ClassDef) -> bool:
    return any(_last(base) in ("Controller", "APIController") for base in node.bases)


def _methods(node: ast.AST) -> Sequence[ast.stmt]:
    """Of a controller, which has the routes itself."""
    return node.body if isinstance(node, ast.ClassDef) and _is_controller(node) else ()


def _decorators(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> Iterator[ast.Call]:
    return (each for each in node.decorator_list if isinstance(each, ast.Call))


def _is_closed(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """By a decorator (`@login_required`), or by what FastAPI is to find first (`Depends`)."""
    names = [
        _last(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list
    ]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        given = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        given += [each.annotation for each in node.args.args if each.annotation is not None]
        names += [
            _last(call.args[0])
            for each in given
            for call in ast.walk(each)
            if isinstance(call, ast.Call) and called(call) in ("Depends", "Security") and call.args
        ]
    return any(_ASKS_WHO.search(name) for name in names)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _regex(text: str) -> str:
    """A path that is written as a regular expression: `^health/?$` is `health/`."""
    plain = text.removeprefix("^").removesuffix("$").removesuffix("\\Z").replace("/?", "/")
    plain = plain.replace("\\.", ".").replace("\\/", "/").replace("\\-", "-")
    return plain if _PLAIN_REGEX.fullmatch(plain) else UNKNOWN
