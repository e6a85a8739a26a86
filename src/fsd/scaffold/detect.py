"""Folder → what its first Service YAML should say, each value with where it comes from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsd.scaffold.containers import FoundContainer, read_container, variables
from fsd.scaffold.dotenv import offered_variables
from fsd.scaffold.entry import guess_command
from fsd.scaffold.folder import Folder
from fsd.scaffold.modules import SourceModules, called, keyword, read_program
from fsd.scaffold.name_and_owners import Found, find_name, find_owners, find_pack
from fsd.scaffold.project import required
from fsd.scaffold.routes import HEALTH, Route, find_routes
from fsd.scaffold.serving import Serves, find_serving, with_port_variable
from fsd.scaffold.source import Mention, SourceCode, read_sources
from fsd.scaffold.start import read_start
from fsd.scaffold.variables import DJANGO_SETTINGS, Variable, find_variables
from fsd_files.dockerfile import Instruction, substitute, unquote

API, WORKER = "api", "worker"

# What listens when nothing else is said.
_DEFAULT_PORTS = {
    "fastapi": 8000,
    "uvicorn": 8000,
    "gunicorn": 8000,
    "hypercorn": 8000,
    "starlette": 8000,
    "litestar": 8000,
    "django": 8000,
    "sanic": 8000,
    "aiohttp.web": 8080,
    "flask": 5000,
    "quart": 5000,
    "http.server": 8000,
    "streamlit": 8501,
    "gradio": 7860,
}
_OWN_HEALTH = {"streamlit": "/_stcore/health", "mlflow": "/health", "bentoml": "/healthz"} | {
    "flower": "/healthcheck"
}
# Images that start a server by themselves, on 80.
_SERVING_IMAGES = re.compile(r"(?:.*/)?tiangolo/(?:uvicorn-gunicorn|meinheld-gunicorn|uwsgi-nginx)")
# Images whose own CMD starts no service: a shell, or Python's prompt.
_WITHOUT_COMMAND = re.compile(
    r"^$|(?:^|/)(?:python|uv|alpine|debian|ubuntu|pypy|amazonlinux|fedora|centos|rockylinux|scratch"
    r"|miniconda3|distroless)\b"
)
_OPEN = (
    r"(?:/(?:api|v\d+|auth|accounts?|users?)){0,3}/"
    r"(?:version|info|about|metrics|robots\.txt|openapi\.json|docs|login|home)/?"
)
_KAFKA = ("aiokafka", "kafka", "confluent_kafka", "faust")
_BIND = re.compile(r"^\s*(?:bind|http|http-socket)\s*=.*?:(?P<port>\d{1,5})", re.MULTILINE)
_CHECKED = re.compile(r"https?://[^/\s'\"]+(?P<path>/[^\s'\"?)|,\]]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """None where the folder does not say."""

    name: Found
    kind: Found  # api or worker
    pack: Found | None
    owners: tuple[str, ...]
    owners_source: str
    port: Found | None
    port_variable: str  # PORT, which the command reads and ECS does not set
    health: Found | None
    unsure: Found | None  # a path whose prefix is not known; its source says why
    is_grpc: bool
    has_grpc_health: bool
    command: Found | None  # for an image that has none, as words; `source` says whose it is
    command_words: tuple[str, ...]
    variables: tuple[Variable, ...]
    grace: int  # seconds that it may need to start
    grace_source: str  # "" for the usual time
    notes: tuple[str, ...]  # what is not sure, for people
    aws: tuple[Mention, ...]
    calls: frozenset[str]
    kafka: Found | None
    container: FoundContainer
    folder: Folder

    @property
    def lacks_dockerfile(self) -> bool:
        """There is none, and something says what it would run."""
        is_missing = self.container.build is None and not self.folder.has_dockerfile
        return is_missing and not self.container.others and bool(self.command_words)


def detect(folder: Folder) -> Detected:
    container = read_container(folder)
    given = variables(container.stage)
    program = read_program(folder.sources, given)
    sources = read_sources(program)
    uses = {**required(folder), **_imported(sources)}
    serves = find_serving(container.command, container.scripts, given)
    if serves is not None and container.is_procfile:
        serves = with_port_variable(serves)
    grpc = _grpc(sources, uses)
    port = _port(folder, container, serves, sources, uses)
    guessed = _guess(container, program, uses, port)
    owners, owners_source = find_owners(folder)
    routes = find_routes(program)
    health, unsure = _health(container, routes, serves, _own_page(program))
    kafka = next((name for name in _KAFKA if name in uses), "")
    is_grpc = grpc is not None and port is not None and serves is None
    start = read_start(folder, container, uses)
    return Detected(
        name=find_name(folder),
        kind=_kind(serves, port, uses, sources),
        pack=find_pack(folder, owners, owners_source),
        owners=owners,
        owners_source=owners_source,
        port=port,
        port_variable=serves.variable if serves else "",
        health=health,
        unsure=unsure if health is None else None,
        is_grpc=is_grpc,
        has_grpc_health=_has_grpc_health(uses),
        command=guessed[1] if guessed else None,
        command_words=guessed[0] if guessed else (),
        variables=offered_variables(folder, program, start.variables),
        grace=start.grace,
        grace_source=start.grace_source,
        notes=(
            *_container_notes(container, serves, guessed),
            *start.notes,
            *_settings_notes(folder, program),
            *([] if is_grpc or port is None else _health_notes(health, unsure, uses, program)),
            *(_grpc_notes(uses) if is_grpc else ()),
        ),
        aws=_aws(sources) if "boto3" in uses or "aioboto3" in uses or "aiobotocore" in uses else (),
        calls=frozenset(name for source in sources for name in source.calls),
        kafka=Found(value=kafka, source=uses[kafka]) if kafka else None,
        container=container,
        folder=folder,
    )


def _kind(
    serves: Serves | None,
    port: Found | None,
    uses: Mapping[str, str],
    sources: Sequence[SourceCode],
) -> Found:
    if serves is not None and serves.is_worker:
        return Found(value=WORKER, source=f"the command, which runs {serves.program}")
    if port is None:
        listens = f"nothing that listens in {len(sources)} Python files"
        return Found(value=WORKER, source=listens)
    web = next((uses[name] for name in _DEFAULT_PORTS if name in uses), "")
    return Found(value=API, source=web or port.source)


def _guess(
    container: FoundContainer, program: SourceModules, uses: Mapping[str, str], port: Found | None
) -> tuple[tuple[str, ...], Found] | None:
    """What the manifest has to say, where the image does not."""
    if container.is_overridden:
        words = container.command
        return words, Found(value=" ".join(words), source=container.command_source)
    if container.command or _SERVING_IMAGES.match(container.base):
        return None
    guessed = guess_command(program, uses, port=int(port.value) if port else 8000)
    if guessed is None:
        return None
    return guessed[0], Found(value=" ".join(guessed[0]), source=f"a guess from {guessed[1]}")


def _port(
    folder: Folder,
    container: FoundContainer,
    serves: Serves | None,
    sources: Sequence[SourceCode],
    uses: Mapping[str, str],
) -> Found | None:
    """What runs says more than what is declared, and both more than a default."""
    if serves is not None and serves.is_worker:
        return None
    candidates = (
        *_command_port(container, serves, folder),
        *_read_port(container, sources),
        *(_found(each) for source in sources for each in source.grpc if each.value),
        *_own_ports(container, sources),
        *_expose(container.stage),
        *_configured(folder),
        *(_found(mention) for source in sources for mention in source.ports),
        *_composed(container),
        *_default_port(container, uses),
    )
    return next((found for found in candidates if 0 < int(found.value) < 65536), None)


def _found(mention: Mention) -> Found:
    return Found(value=mention.value, source=mention.where)


def _command_port(
    container: FoundContainer, serves: Serves | None, folder: Folder
) -> Iterator[Found]:
    """The command's own, else its configuration's, else the server's default."""
    if serves is None:
        return
    if serves.variable:
        exposed = next(_expose(container.stage), None)
        value = exposed.value if exposed else str(serves.port or 8000)
        yield Found(
            value=value, source=f"{container.command_source}, which reads {serves.variable}"
        )
    elif serves.is_said:
        yield Found(value=str(serves.port), source=container.command_source)
    else:
        if serves.program in ("gunicorn", "uwsgi"):
            yield from _configured(folder)
        if serves.port:
            source = f"what {serves.program} listens on by itself ({container.command_source})"
            yield Found(value=str(serves.port), source=source)


def _read_port(container: FoundContainer, sources: Sequence[SourceCode]) -> Iterator[Found]:
    """The image's PORT, where the code listens on a port at all."""
    port = variables(container.stage).get("PORT", "")
    if _is_port(port) and any(source.ports for source in sources):
        for each in container.stage:
            if each.name == "ENV" and "PORT" in each.text:
                yield _in_dockerfile(port, each)


def _own_ports(container: FoundContainer, sources: Sequence[SourceCode]) -> Iterator[Found]:
    """In the file that the command runs: `python main.py`, `python -m app.main`."""
    words = [word.removesuffix(".py").replace("/", ".") for word in container.command]
    for source in sources:
        for mention in source.ports:
            name = mention.path.removesuffix(".py").removesuffix("/__main__").replace("/", ".")
            if any(word and (name == word or name.endswith(f".{word}")) for word in words):
                yield _found(mention)


def _expose(stage: Sequence[Instruction]) -> Iterator[Found]:
    known = variables(stage)
    for instruction in stage:
        if instruction.name == "EXPOSE":
            for word in instruction.words():
                port, _, protocol = substitute(unquote(word), known).partition("/")
                if _is_port(port) and protocol in ("", "tcp"):
                    yield _in_dockerfile(port, instruction)


def _configured(folder: Folder) -> Iterator[Found]:
    for path, text in folder.texts.items():
        match = _BIND.search(text) if "gunicorn" in path or path == "uwsgi.ini" else None
        if match:
            yield Found(value=match["port"], source=path)


def _composed(container: FoundContainer) -> Iterator[Found]:
    if container.main is not None:
        for port in container.main.ports:
            yield Found(value=str(port), source=f"compose's service {container.main.name}")


def _default_port(container: FoundContainer, uses: Mapping[str, str]) -> Iterator[Found]:
    if _SERVING_IMAGES.match(container.base):
        yield Found(value="80", source=f"what the image {container.base} listens on")
    for name, port in _DEFAULT_PORTS.items():
        if name in uses:
            source = f"what {name} listens on by itself ({uses[name]})"
            yield Found(value=str(port), source=source)


def _health(
    container: FoundContainer, routes: Sequence[Route], serves: Serves | None, page: Found | None
) -> tuple[Found | None, Found | None]:
    """A path that is certain, and the best of those that are not."""
    checks = sorted(
        (route for route in routes if HEALTH.fullmatch(route.path)),
        key=lambda route: (
            "health" not in route.path,
            "ready" in route.path or "readiness" in route.path,
            len(route.path),
            route.where,
        ),
    )
    sure = [Found(value=route.path, source=route.where) for route in checks if not route.why]
    unsure = [
        Found(value=route.path, source=f"{route.where}: {route.why}")
        for route in checks
        if route.why
    ]
    own = _OWN_HEALTH.get(serves.program, "") if serves else ""
    said = (
        *sure,
        *_checked(container),
        *([Found(value=own, source=f"what {serves.program} answers")] if own and serves else []),
    )
    fallback = () if unsure else (*_open_page(routes, "/"), *([page] if page else []))
    others = () if unsure else _open_page(routes, _OPEN)
    return next(iter((*said, *fallback, *others)), None), next(iter(unsure), None)


def _open_page(routes: Sequence[Route], pattern: str) -> Iterator[Found]:
    """Routes that mostly answer 200 to anybody, the shortest first."""
    for route in sorted(routes, key=lambda each: (len(each.path), each.where)):
        if not route.why and not route.is_closed and re.fullmatch(pattern, route.path):
            yield Found(value=route.path, source=route.where)


def _own_page(program: SourceModules) -> Found | None:
    """That of FastAPI's documentation, which answers whatever the service depends on.

    https://fastapi.tiangolo.com/tutorial/metadata/#docs-urls
    """
    for module in program.modules:
        for node in module.nodes:
            if isinstance(node, ast.Call) and called(node) == "FastAPI":
                hidden = (keyword(node, "openapi_url"), keyword(node, "docs_url"))
                if not any(each is not None for each in hidden):
                    where = f"{module.path}:{node.lineno}"
                    return Found(value="/docs", source=f"{where}, FastAPI's own page")
    return None


def _checked(container: FoundContainer) -> Iterator[Found]:
    """The path that HEALTHCHECK asks, or compose's `healthcheck`."""
    for instruction in container.stage:
        match = _CHECKED.search(instruction.text) if instruction.name == "HEALTHCHECK" else None
        if match:
            yield _in_dockerfile(match["path"], instruction)
    if container.main is not None:
        match = _CHECKED.search(str(container.main.raw.get("healthcheck", "")))
        if match:
            source = f"compose's healthcheck of {container.main.name}"
            yield Found(value=match["path"], source=source)


def _health_notes(
    health: Found | None, unsure: Found | None, uses: Mapping[str, str], program: SourceModules
) -> Iterator[str]:
    if health is None and unsure is None:
        yield (
            "no health route was found: on `/` any answer below 500 counts as healthy; put a path "
            "that answers 2xx into healthCheck.path, and leave healthCheck.matcher out"
        )
    elif health is None and unsure is not None:
        yield (
            f"not sure about the health path: `{unsure.value}` stands in {unsure.source}; "
            "put the whole path into healthCheck.path"
        )
    elif health is not None and not HEALTH.fullmatch(health.value) and ":" in health.source:
        yield (
            f"no health route was found; `{health.value}` ({health.source}) is asked instead: "
            "it has to answer 2xx, whatever it depends on"
        )
    if "django" in uses and _asks_for_hosts(program):
        yield (
            "Django answers 400 to a host that ALLOWED_HOSTS does not have, and the load balancer "
            "asks by the task's IP address: allow that too"
        )


def _settings_notes(folder: Folder, program: SourceModules) -> Iterator[str]:
    """Django's settings are chosen by a variable, whose default is mostly for a laptop."""
    chosen = find_variables(program).get(DJANGO_SETTINGS)
    if chosen is None or not chosen.default:
        return
    package = chosen.default.rpartition(".")[0].replace(".", "/")
    for name in ("production", "prod"):
        path = f"{package}/{name}.py"
        is_there = any(each == path or each.endswith(f"/{path}") for each in folder.sources)
        if package and is_there and not chosen.default.endswith(f".{name}"):
            other = f"{package.replace('/', '.')}.{name}"
            yield (
                f"{DJANGO_SETTINGS} is {chosen.default} by default ({chosen.where}), and {path} "
                f"exists: set it to {other} in service.yml if that is for AWS"
            )
            return


def _asks_for_hosts(program: SourceModules) -> bool:
    """Whether ALLOWED_HOSTS is given, and `*` is nowhere in it, not even as a default."""
    given = [
        ast.unparse(each.values["ALLOWED_HOSTS"])
        for each in program.modules
        if "ALLOWED_HOSTS" in each.values
    ]
    return bool(given) and not any("'*'" in text for text in given)


def _container_notes(
    container: FoundContainer, serves: Serves | None, guessed: tuple[tuple[str, ...], Found] | None
) -> Iterator[str]:
    build = container.build
    if build is not None and not build.is_ordinary:
        stage = f", stage {build.target}" if build.target else ""
        context = f", context {build.context}" if build.context != "." else ""
        said = f" ({build.source})" if build.source != build.dockerfile else ""
        yield f"the image is built from {build.dockerfile}{stage}{context}{said}"
    if build is not None and container.others and build.dockerfile != "Dockerfile":
        yield f"not taken: {', '.join(container.others[:5])}"
    is_served = _SERVING_IMAGES.match(container.base) is not None
    if build is not None and not container.command and guessed is None and not is_served:
        base = (
            ""
            if _WITHOUT_COMMAND.search(container.base)
            else f", and {container.base} may have one"
        )
        yield f"{build.dockerfile} has no CMD{base}: say with `command` in service.yml what runs"
    elif guessed is not None and build is not None:
        yield f"{build.dockerfile} has no CMD: `command` is {guessed[1].source}"
    if serves is not None and not serves.is_worker and not serves.is_reachable:
        yield (
            f"{serves.program} listens on 127.0.0.1 ({container.command_source}): nothing outside "
            "of the container reaches it; make it listen on 0.0.0.0"
        )
    if container.once:
        yield (
            f"compose's {', '.join(container.once)} runs once and is no service: "
            "it became no manifest"
        )


def _grpc(sources: Sequence[SourceCode], uses: Mapping[str, str]) -> Mention | None:
    if "grpc" not in uses and "grpclib" not in uses:
        return None
    return next((mention for source in sources for mention in source.grpc), None)


def _has_grpc_health(uses: Mapping[str, str]) -> bool:
    return "grpc_health" in uses or "grpcio-health-checking" in uses


def _grpc_notes(uses: Mapping[str, str]) -> Iterator[str]:
    if not _has_grpc_health(uses):
        yield "no gRPC health service was found: the health check only connects to the port"


def _aws(sources: Sequence[SourceCode]) -> tuple[Mention, ...]:
    """The first use of each service."""
    first: dict[str, Mention] = {}
    for source in sources:
        for mention in source.aws:
            first.setdefault(mention.value, mention)
    return tuple(first[name] for name in sorted(first))


def _in_dockerfile(value: str, instruction: Instruction) -> Found:
    where = f"{instruction.where.path}:{instruction.line} ({instruction.name})"
    return Found(value=value, source=where)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _imported(sources: Sequence[SourceCode]) -> dict[str, str]:
    """Module → where it is imported first."""
    found: dict[str, str] = {}
    for source in sources:
        for mention in source.imports:
            found.setdefault(mention.value, mention.where)
            found.setdefault(mention.value.partition(".")[0], mention.where)
    return found
