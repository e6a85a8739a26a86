"""Which server a command starts, on which port, and whether anybody outside can reach it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from fsd_files.dockerfile import substitute

# Program → the port that it takes by itself, the flags that say another, the host by itself.
_SERVERS: Mapping[str, tuple[int, tuple[str, ...], str]] = {
    "uvicorn": (8000, ("--port",), "127.0.0.1"),
    "gunicorn": (8000, ("-b", "--bind"), "127.0.0.1"),
    "hypercorn": (8000, ("-b", "--bind"), "127.0.0.1"),
    "daphne": (8000, ("-p", "--port"), "127.0.0.1"),
    "granian": (8000, ("--port",), "127.0.0.1"),
    "fastapi": (8000, ("--port",), "0.0.0.0"),
    "flask": (5000, ("-p", "--port"), "127.0.0.1"),
    "quart": (5000, ("-p", "--port"), "127.0.0.1"),
    "litestar": (8000, ("-p", "--port"), "127.0.0.1"),
    "sanic": (8000, ("-p", "--port"), "127.0.0.1"),
    "waitress-serve": (8080, ("--port", "--listen"), "0.0.0.0"),
    "uwsgi": (0, ("--http", "--http-socket", "--https", "--http11-socket"), "0.0.0.0"),
    "streamlit": (8501, ("--server.port",), "0.0.0.0"),
    "runserver": (8000, ("-p", "--port"), "127.0.0.1"),
    "runserver_plus": (8000, ("-p", "--port"), "127.0.0.1"),
    "http.server": (8000, (), "0.0.0.0"),
    "chainlit": (8000, ("--port",), "127.0.0.1"),
    "mlflow": (5000, ("-p", "--port"), "127.0.0.1"),
    "panel": (5006, ("--port",), "0.0.0.0"),
    "bokeh": (5006, ("--port",), "0.0.0.0"),
    "robyn": (8080, ("--port",), "127.0.0.1"),
    "bentoml": (3000, ("-p", "--port"), "0.0.0.0"),
    "jupyter": (8888, ("--port",), "127.0.0.1"),
    "dagster-webserver": (3000, ("-p", "--port"), "127.0.0.1"),
    "flower": (5555, ("--port",), "0.0.0.0"),
    "nameko": (0, (), ""),
}
WORKERS = frozenset(
    {"celery", "rq", "dramatiq", "huey_consumer", "huey_consumer.py", "arq", "faust", "taskiq"}
    | {"faststream", "procrastinate", "rqworker", "qcluster", "rqscheduler", "dagster-daemon"}
    | {"process_tasks", "run_huey", "db_worker", "rundramatiq", "saq", "streaq", "supercronic"}
)
_HOSTS = ("--host", "-h", "--server.address", "--address", "-b", "--bind", "--listen", "-H")
_PORT = re.compile(r"(?:\S*:)?(?P<port>\d{1,5})(?!\S)")
_PORT_VARIABLE = re.compile(r"\$\{?(?P<name>\w*PORT\w*)\}?")
_LOOPBACK = re.compile(r"(?:https?://)?(?:127\.0\.0\.1|localhost|\[?::1\]?)(?::\d+)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serves:
    """`port` is 0 where the command says that something serves, and not where."""

    program: str
    port: int
    is_said: bool  # by the command, not the program's own default
    is_reachable: bool  # from outside of the container
    variable: str = ""  # PORT, where the command takes the port from it and the image has none
    is_worker: bool = False


def find_serving(
    command: Sequence[str], scripts: Mapping[str, str], variables: Mapping[str, str]
) -> Serves | None:
    """The first server in the command, or in the scripts that it runs.

    What a script starts beside it, with `&`, counts only where nothing else is there.
    """
    aside: Serves | None = None
    for text in (_joined(command), *map(_without_comments, scripts.values())):
        for words in _commands(text):
            found = _serves(words, variables)
            if found is not None and words[-1] != "&":
                return found
            aside = aside or found
    return aside


def with_port_variable(serves: Serves) -> Serves:
    """gunicorn binds 0.0.0.0 and PORT by itself, where nothing else is said and PORT is set.

    https://docs.gunicorn.org/en/stable/settings.html#bind
    """
    if serves.program != "gunicorn" or serves.is_said or serves.variable:
        return serves
    return replace(serves, variable="PORT", is_reachable=True)


def _joined(command: Sequence[str]) -> str:
    """`sh -c "…"` runs its last word."""
    if len(command) > 1 and command[0].rpartition("/")[2] in ("sh", "bash", "ash", "dash"):
        return command[-1] if command[1].endswith("c") and len(command) > 2 else " ".join(command)
    return " ".join(
        word if word and not re.search(r"\s", word) else shlex.quote(word) for word in command
    )


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines).replace("\\\n", " ")


def _commands(text: str) -> Iterator[list[str]]:
    for part in re.split(r"\n|&&|\|\||;|\bthen\b|\belse\b|\bdo\b", text):
        try:
            words = shlex.split(part, comments=False)
        except ValueError:
            words = part.split()
        start = 0
        for end in [index + 1 for index, word in enumerate(words) if word == "&"]:
            yield words[start:end]
            start = end
        if words[start:]:
            yield words[start:]


def _serves(words: Sequence[str], variables: Mapping[str, str]) -> Serves | None:
    names = [word.rpartition("/")[2] for word in words]
    for index, name in enumerate(names):
        if name == "celery" and "flower" in names[index:]:  # its web page, no worker
            at = names.index("flower", index)
            return _server("flower", words[at + 1 :], variables)
        if name in WORKERS:
            return Serves(program=name, port=0, is_said=False, is_reachable=False, is_worker=True)
        if name in _SERVERS and _starts(names, index):
            return _server(name, words[index + 1 :], variables)
        if name.startswith("-") or "=" in name:
            continue
    return None


def _starts(names: Sequence[str], index: int) -> bool:
    """`pip install uvicorn` and `flask db upgrade` start nothing."""
    if any(name in ("install", "which", "pip", "echo", "add", "command") for name in names[:index]):
        return False
    program, rest = names[index], names[index + 1 :]
    subcommand = {
        "flask": "run",
        "quart": "run",
        "litestar": "run",
        "streamlit": "run",
        "chainlit": "run",
        "mlflow": "server",
        "bentoml": "serve",
        "panel": "serve",
    }
    if program == "fastapi":
        return "run" in rest[:2] or "dev" in rest[:2]
    wanted = subcommand.get(program)
    return wanted is None or wanted in rest


def _server(program: str, words: Sequence[str], variables: Mapping[str, str]) -> Serves:
    default, flags, _ = _SERVERS[program]
    arguments = variables.get("GUNICORN_CMD_ARGS", "").split() if program == "gunicorn" else []
    values = list(_values([*arguments, *words]))
    said = [value for flag, value in values if flag in flags]
    if program in ("runserver", "runserver_plus", "http.server"):
        said += [word for word in words[:2] if re.fullmatch(r"(?:\S*:)?(?:\d+|\$\S+)", word)]
    if not said and (own := _own_variable(program)) in variables:
        said = [variables[own]]
    port, variable = 0, ""
    for text in reversed(said):
        asked = _PORT_VARIABLE.search(text)
        unset = asked is not None and asked["name"] not in variables and ":-" not in text
        port = _number(substitute(text, variables))
        variable = asked["name"] if asked and unset else ""
        if port or variable:
            break
    bound = _bound(program, values, said, variables)
    return Serves(
        program=program,
        port=port or default,
        is_said=bool(port or variable),
        is_reachable=_LOOPBACK.match(substitute(bound, variables)) is None,
        variable=variable,
    )


def _own_variable(program: str) -> str:
    """What the server reads itself, where no flag says the port."""
    return {"gunicorn": "PORT", "uvicorn": "UVICORN_PORT", "flask": "FLASK_RUN_PORT"}.get(
        program, ""
    )


def _bound(
    program: str,
    values: Sequence[tuple[str, str]],
    said: Sequence[str],
    variables: Mapping[str, str],
) -> str:
    """The address that it listens on. A configuration file is taken to say a good one."""
    hosts = [value for flag, value in values if flag in _HOSTS and not value.isdigit()]
    hosts += [word for word in said if ":" in word and "$" not in word.partition(":")[0]]
    if hosts:
        return hosts[-1]
    own = {"uvicorn": "UVICORN_HOST", "flask": "FLASK_RUN_HOST"}.get(program, "")
    if own in variables:
        return variables[own]
    is_configured = {"-c", "--config"} & {flag for flag, _ in values}
    if is_configured or (program == "gunicorn" and "PORT" in variables):
        return "0.0.0.0"
    return _SERVERS[program][2]


def _number(text: str) -> int:
    match = _PORT.search(text)
    return int(match["port"]) if match and 0 < int(match["port"]) < 65536 else 0


def _values(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if not word.startswith("-"):
            continue
        flag, equals, value = word.partition("=")
        if equals:
            yield flag, value
        elif re.fullmatch(r"-[bpk]\S+", word):
            yield word[:2], word[2:]
        else:
            yield word, following
