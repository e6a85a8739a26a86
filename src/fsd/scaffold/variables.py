"""Which environment variables the code reads, and what it does without them.

`os.environ`, environs, django-environ, decouple, Starlette's Config, and the settings classes of
pydantic, whose fields are variables without being called so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fsd.scaffold.modules import UNKNOWN, Module, SourceModules, called, keyword

DJANGO_SETTINGS = "DJANGO_SETTINGS_MODULE"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The base image, the shell, ECS or a CI sets these.
_NOT_OURS = re.compile(
    r"PATH|HOME|USER|SHELL|PWD|HOSTNAME|TERM|TMPDIR|LANG|LC_.*|CI|DISPLAY|VIRTUAL_ENV|EDITOR"
    r"|PYTHON.*|PYTEST.*|GITHUB_.*|GITLAB_.*|RUNNER_.*|KUBERNETES_.*|ECS_.*|XDG_.*|NO_COLOR|COLUMNS"
    r"|SERVER_SOFTWARE|RUN_MAIN|WERKZEUG_.*|AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN"
    r"|PROFILE|REGION|DEFAULT_REGION|CONTAINER_.*|EXECUTION_ENV|LAMBDA_.*|ENDPOINT_URL.*)"
)
_SECRET = re.compile(
    r"(?:^|_)(?:SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|TOKEN|APIKEY|CREDENTIALS?|DSN"
    r"|SALT|PEPPER)(?:$|_)"
    r"|(?:API|PRIVATE|SECRET|ACCESS|ENCRYPTION|SIGNING|MASTER|JWT|FERNET|LICENSE|AUTH)_?KEY(?:$|_)"
    r"|(?:^|_)(?:DATABASE|DB|POSTGRES(?:QL)?|PG|MYSQL|MONGO(?:DB)?|REDIS|BROKER|RABBITMQ|AMQP"
    r"|SQLALCHEMY(?:_DATABASE)?|CLOUDAMQP|CELERY_BROKER|RESULT_BACKEND)_?(?:URL|URI)(?:$|_)"
    r"|CONNECTION_STRING|WEBHOOK_URL|APP_?PASSWORD"
)
_NOT_SECRET = re.compile(
    r"EXPIR|LIFETIME|TTL|MINUTES|SECONDS|DAYS|HOURS|ALGORITHM|LENGTH|LIMIT|HEADER|ENABLE|TIMEOUT"
    r"|_NAME$|_TYPE$|_PATH$|_FILE$|_COUNT$|^MAX_|_HOST$|_PORT$|TOKEN_UR[IL]|_SIZE$|_ARN$|_ID$"
    r"|_PREFIX$|TOKENS$|AUDIENCE|ISSUER|REQUIRED|^USE_|_ROTATION"
)
_READS = frozenset({"getenv", "get"})
_TYPED = frozenset(
    {"str", "bool", "int", "float", "list", "tuple", "dict", "json", "url", "path", "bytes"}
    | {"db", "db_url", "cache", "email_url", "datetime", "date", "decimal", "uuid", "log_level"}
    | {"dj_db_url", "dj_email_url", "dj_cache_url", "timedelta", "enum", "search_url"}
)
# What django-environ and environs read where no name is given.
_IMPLIED = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL"} | {
    "email_url": "EMAIL_URL"
}
_BASES = frozenset({"BaseSettings", "Settings"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """`default` is None where the code has none that could be read."""

    name: str
    where: str
    default: str | None = None
    is_needed: bool = False  # the code ends without it
    values: tuple[str, ...] = ()  # the only ones that it takes

    @property
    def is_secret(self) -> bool:
        return is_secret(self.name)


def is_secret(name: str) -> bool:
    upper = name.upper()
    return _SECRET.search(upper) is not None and _NOT_SECRET.search(upper) is None


def is_offered(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and _NOT_OURS.fullmatch(name) is None


def find_variables(program: SourceModules) -> dict[str, Variable]:
    """By name; of several mentions the first that says most."""
    found: dict[str, Variable] = {}
    for module in program.modules:
        for variable in (*_read(program, module), *_settings(program, module)):
            before = found.get(variable.name)
            if is_offered(variable.name) and (before is None or _knows_more(variable, before)):
                found[variable.name] = variable
    return found


def _knows_more(new: Variable, old: Variable) -> bool:
    return (bool(new.values), new.default is not None) > (bool(old.values), old.default is not None)


def _read(program: SourceModules, module: Module) -> Iterator[Variable]:
    tried = {id(node) for node in _tried(module)}
    for node in module.nodes:
        match node:
            case ast.Subscript(value=base, slice=key, ctx=ast.Load()) if _is_environ(module, base):
                name = program.text(module, key)
                is_needed = id(node) not in tried
                yield Variable(name=name, where=_where(module, node), is_needed=is_needed)
            case ast.Call():
                yield from _called(program, module, node)


def _tried(module: Module) -> Iterator[ast.AST]:
    """What stands in a `try:` whose handlers take a KeyError."""
    for node in module.nodes:
        if isinstance(node, ast.Try) and any(
            handler.type is None or re.search(r"KeyError|Exception", ast.unparse(handler.type))
            for handler in node.handlers
        ):
            yield from (inner for each in node.body for inner in ast.walk(each))


def _called(program: SourceModules, module: Module, call: ast.Call) -> Iterator[Variable]:
    option = keyword(call, "envvar")
    if option is not None:
        for each in program.elements(module, option) or [option]:
            yield Variable(name=program.text(module, each), where=_where(module, call))
        return
    name = called(call)
    if name == "setdefault" and len(call.args) == 2:
        yield from _chosen_settings(program, module, call)
    is_plain = name == "getenv" or (
        name == "get"
        and isinstance(call.func, ast.Attribute)
        and _is_environ(module, call.func.value)
    )
    if not is_plain and not _is_reader(module, call):
        return
    first = call.args[0] if call.args else keyword(call, "name", "var", "key")
    text = program.text(module, first) if first is not None else _IMPLIED.get(name, "")
    given = call.args[1] if len(call.args) > 1 else keyword(call, "default")
    default = program.text(module, given) if given is not None else None
    yield Variable(
        name=text,
        where=_where(module, call),
        default=default if default and UNKNOWN not in default else None,
        is_needed=given is None and not is_plain,
        values=_values(program, module, keyword(call, "cast", "enum", "type")),
    )


def _chosen_settings(program: SourceModules, module: Module, call: ast.Call) -> Iterator[Variable]:
    """What a Django server takes; manage.py is for commands.

    https://docs.djangoproject.com/en/stable/topics/settings/#envvar-DJANGO_SETTINGS_MODULE
    """
    name, default = (program.text(module, each) for each in call.args)
    if name == DJANGO_SETTINGS and UNKNOWN not in default and not module.path.endswith("manage.py"):
        yield Variable(name=name, where=_where(module, call), default=default)


def _is_environ(module: Module, node: ast.expr) -> bool:
    """A WSGI application's `environ` is a request's, not the process's."""
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ"):
            return True
        case ast.Name(id=name):
            return module.imports.get(name) == ("os", "environ")
    return False


def _is_reader(module: Module, call: ast.Call) -> bool:
    """`env("X")`, `env.str("X")`, `config("X")`, whose objects come from one of the libraries."""
    match call.func:
        case ast.Name(id=name):
            return _reads(module, name)
        case ast.Attribute(value=ast.Name(id=name), attr=method) if method in _TYPED:
            return _reads(module, name)
    return False


def _reads(module: Module, name: str) -> bool:
    where = module.imports.get(name, ("", ""))[0].partition(".")[0]
    if where in ("decouple", "environs", "environ") and name != "environ":
        return True
    made = module.values.get(name)
    if isinstance(made, ast.Call):
        return called(made) in ("Env", "FileAwareEnv", "Config", "AutoConfig")
    return name == "env" and name in module.imports  # made in another file


def _settings(program: SourceModules, module: Module) -> Iterator[Variable]:
    classes = _settings_classes(program)
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and (module.path, node.name) in classes:
            yield from _fields(program, module, node)


def _settings_classes(program: SourceModules) -> set[tuple[str, str]]:
    """Those of pydantic, and what is made from them."""
    bases: dict[tuple[str, str], tuple[Module, list[ast.expr]]] = {
        (module.path, node.name): (module, node.bases)
        for module in program.modules
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
    }
    found = {
        key
        for key, (module, parents) in bases.items()
        for parent in parents
        if _name(parent) in _BASES and _is_pydantic(module, parent)
    }
    names = {name for _, name in found}
    while True:
        more = {
            key
            for key, (_, parents) in bases.items()
            if key not in found and any(_name(parent) in names for parent in parents)
        }
        if not more:
            return found
        found |= more
        names |= {name for _, name in more}


def _is_pydantic(module: Module, base: ast.expr) -> bool:
    match base:
        case ast.Name(id=name):
            return module.imports.get(name, ("", ""))[0].startswith("pydantic")
        case ast.Attribute(value=ast.Name(id=name)):
            return module.imports.get(name, ("", ""))[0].startswith("pydantic")
    return False


def _fields(program: SourceModules, module: Module, node: ast.ClassDef) -> Iterator[Variable]:
    options = _options(program, module, node)
    prefix = options.get("env_prefix", "")
    for item in node.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=value):
                if name.startswith("_") or name == "model_config" or _name(kind) == "ClassVar":
                    continue
                for each in _aliases(program, module, value) or [f"{prefix}{name}".upper()]:
                    yield _field(program, module, item, name=each, kind=kind, value=value)


def _field(
    program: SourceModules,
    module: Module,
    item: ast.AnnAssign,
    *,
    name: str,
    kind: ast.expr,
    value: ast.expr | None,
) -> Variable:
    default = value
    if isinstance(value, ast.Call) and called(value) == "Field":
        default = keyword(value, "default", "default_factory") or next(iter(value.args), None)
    is_needed = default is None or (isinstance(default, ast.Constant) and default.value is Ellipsis)
    values = _values(program, module, kind)
    text = _chosen(program, module, default) if default is not None and not is_needed else None
    return Variable(
        name=name, where=_where(module, item), default=text, is_needed=is_needed, values=values
    )


def _chosen(program: SourceModules, module: Module, default: ast.expr) -> str | None:
    """`Stage.PRODUCTION` is the text that this member has."""
    if isinstance(default, ast.Constant) and isinstance(default.value, bool):
        return str(default.value).lower()
    text = program.text(module, default)
    if UNKNOWN in text and isinstance(default, ast.Attribute):
        owner = _class(program, module, default.value)
        if owner is not None:
            text = dict(_members(program, *owner)).get(default.attr, UNKNOWN)
    return text if text and UNKNOWN not in text else None


def _values(program: SourceModules, module: Module, kind: ast.expr | None) -> tuple[str, ...]:
    """Of an Enum's class, or of a Literal; () for what takes any text."""
    match kind:
        case ast.Subscript(value=base, slice=inner) if _name(base) == "Literal":
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return tuple(program.text(module, item) for item in items)
        case ast.Subscript(value=base, slice=inner) if _name(base) in ("Optional", "Annotated"):
            first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
            return _values(program, module, first)
        case ast.BinOp(left=left, op=ast.BitOr()):
            return _values(program, module, left)
        case ast.Name(id=name) if name in module.values:
            return _values(program, module, module.values[name])
        case ast.Name() | ast.Attribute():
            owner = _class(program, module, kind)
            is_enum = owner is not None and any(
                _name(base).endswith(("Enum", "Flag")) for base in owner[1].bases
            )
            return tuple(text for _, text in _members(program, *owner)) if owner and is_enum else ()
    return ()


def _class(
    program: SourceModules, module: Module, node: ast.expr
) -> tuple[Module, ast.ClassDef] | None:
    ref = program.resolve(module, node)
    found = program.by_path.get(ref[0]) if ref else None
    if ref is None or found is None:
        return None
    return next(
        (
            (found, each)
            for each in found.nodes
            if isinstance(each, ast.ClassDef) and each.name == ref[1]
        ),
        None,
    )


def _members(
    program: SourceModules, module: Module, node: ast.ClassDef
) -> Iterator[tuple[str, str]]:
    for item in node.body:
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="auto"))):
                yield name, name.lower()
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, program.text(module, value)


def _options(program: SourceModules, module: Module, node: ast.ClassDef) -> Mapping[str, str]:
    """Of `model_config = SettingsConfigDict(…)` and of `class Config`."""
    for item in node.body:
        match item:
            case ast.Assign(targets=[ast.Name(id="model_config")], value=ast.Call(keywords=given)):
                return {each.arg: program.text(module, each.value) for each in given if each.arg}
            case ast.ClassDef(name="Config", body=body):
                return {
                    each.targets[0].id: program.text(module, each.value)
                    for each in body
                    if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
                }
    return {}


def _aliases(program: SourceModules, module: Module, value: ast.expr | None) -> list[str]:
    if not isinstance(value, ast.Call) or called(value) != "Field":
        return []
    alias = keyword(value, "validation_alias", "alias", "env")
    if alias is None:
        return []
    if isinstance(alias, ast.Call) and alias.args:
        alias = alias.args[0]
    items = program.elements(module, alias)
    text = program.text(module, items[0] if items else alias)
    return [text.upper()] if UNKNOWN not in text else []


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
    return ""


def _where(module: Module, node: ast.expr | ast.stmt) -> str:
    return f"{module.path}:{node.lineno}"
