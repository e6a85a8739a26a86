"""What the lines of a container's log tell about its start: where it listens, how it ended.

Servers say so in their own words, and they are read by pattern; a line that is not recognised
tells nothing. Pure: lines come in the order in which they were written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fsd.rollout.log_values import Listening, ServerRemark

LONGEST_EXCEPTION = 200  # characters that are shown
# Characters and lines of an event that are read: a log may hold anything, and is read in time.
_LONGEST_LINE = 1000
_LONGEST_EVENT = 300
_MOST_LINES = 3000  # of all events: the first, where a server starts, and the last
_FIRST = 500
_LONGEST_BANNER = 300
_LONGEST_TRACEBACK = 500
_TRACEBACKS = 20
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogText:
    """One event of a log stream; it may hold several lines."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLine:
    """An access log's line."""

    path: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSigns:
    has_lines: bool = False
    listening: tuple[Listening, ...] = ()  # each place once
    socket: str = ""  # a Unix socket that the server listens on
    exception: str = ""  # the last one, `ModuleNotFoundError: No module named 'x'`
    package: str = ""  # the installed one whose code raised it
    # That a framework takes for none of its own; "" where the line does not name it.
    refused_host: str | None = None
    answers: tuple[AccessLine, ...] = ()  # in order
    remark: ServerRemark | None = None


# Only addresses of this machine are hosts, and a time (12:30:45) is no port.
_HOST = r"(?:(?P<host>\[[0-9a-f:.]*\]|\blocalhost|\*|\b(?:[0-9]{1,3}\.){3}[0-9]{1,3})|(?<![\w.\]]))"
_PORT = r"(?P<port>[0-9]{2,5})\b"
# One row for servers that say it alike.
_LISTENING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # uvicorn, gunicorn, hypercorn, granian, waitress, aiohttp, sanic, Flask, Django, Gradio
        r"(?:running|listening|serving|served|started|starting|bound|goin' fast|available|ready)"
        rf"[^\n]{{0,60}}?\b(?:https?|tcp|h2c?|grpc)://{_HOST}:{_PORT}",
        # Streamlit's box
        rf"^\s*(?:local |network |external )?url:\s+https?://{_HOST}:{_PORT}",
        # Python's http.server: Serving HTTP on 0.0.0.0 port 8000
        rf"serving https? on {_HOST}[ ,]+port {_PORT}",
        # Daphne: Listening on TCP address 127.0.0.1:8000; Go, gRPC, uWSGI: bound on :8080
        r"(?:listening|listen|serving|bound|started|running|binding)\b[^\n/]{0,40}?"
        rf"\b(?:on|at|to)\b[^\n/]{{0,24}}?{_HOST}:{_PORT}",
        # Express: listening on port 3000; Tomcat started on port(s): 8080 (http)
        r"(?:listening|started|running|serving|ready|up)\b[^\n/]{0,40}?"
        r"\b(?:on|at)\b[^\n/]{0,16}?(?P<host>)\bport(?:\(s\))?:? (?P<port>[0-9]{2,5})\b",
        r"\blistening on (?P<host>)(?P<port>[0-9]{2,5})[\s.!]*$",
    )
)
_SOCKET = re.compile(
    r"listening at: unix:(?P<a>\S+)|running on unix socket (?P<b>\S+)", re.IGNORECASE
)
# Who is asked for something is not who listens, and a port for metrics is not the service's.
_OF_OTHERS = re.compile(
    r"connect(?:ed|ing|ion)?\b|\bclient|upstream|proxy|debugger|metrics|prometheus|broker|database|"
    r"redis|kafka|postgres|mysql|mongo|rabbit|amqp|otlp|export|collector|backend|endpoint|statsd|"
    r"dependency|worker url",
    re.IGNORECASE,
)

_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?P<message>: .*)?$")
# What a server raises because a worker of it has failed: the cause was said before it.
_FOLLOWS = re.compile(
    r"gunicorn\.errors\.HaltServer|SystemExit|KeyboardInterrupt|StopIteration|"
    r"(?:asyncio\.\S*)?CancelledError"
)
_VALIDATION = re.compile(r"validation errors? for \w+$")
_LINK = re.compile(r"\s*For further information visit ")
_DETAIL = re.compile(r" [\[(]type=.*$")
_REQUIRED = re.compile(r"[Ff]ield required")
_MOST_SETTINGS = 60  # lines: two or three of each
_FRAME = re.compile(r'\s*File "')
_INSTALLED = re.compile(r"/(?:site|dist)-packages/(?P<package>\w+)")
_BOX = re.compile(r"^\s*[|+][-+|]*\s?")  # around the parts of an exception group
# A framework, or an interpreter, that ends without a traceback.
_FATAL = tuple(
    re.compile(pattern)
    for pattern in (
        r"Error loading ASGI app\. .+",  # uvicorn
        r"(?:ERROR|error): +(?P<said>.*(?:[Cc]ould not import|not found in module).*)",
        r"Error: (?:While importing|Could not import|Failed to find) .+",  # Flask
        r"Error: (?:Invalid value|No such (?:option|command)|Missing) .+",  # click
        r"\S+: error: .+",  # argparse, gunicorn
        r"Error: Cannot find module .+",  # Node
        r"Exception in thread \"main\" (?P<said>.+)",  # Java
        r"panic: .+",  # Go
        r"(?:/bin/)?\w*sh: (?:line )?\d*:? ?.+: (?:not found|command not found|"
        r"No such file or directory|Permission denied)",
        # A script of the image, by its path.
        r"\S*/(?P<said>[\w.-]+\.sh: (?:line )?\d*:? ?.+: (?:not found|command not found))",
        r"\S*python\S*: (?:can't open file .+|No module named .+|Error while finding .+)",
        r"exec \S+: .+",
        r"standard_init_linux\.go:\d+: .+",
        r"\[Errno \d+\] .+",
        r"(?:[\w.]+(?:Error|Exception)): .+",
        r"Reason: (?P<said>(?:Worker|App) failed to .+)",  # gunicorn, where it is all there is
    )
)
_STRUCTURED = ("exc_info", "exception", "stack_trace", "stacktrace", "traceback", "stack", "error")
_MESSAGES = ("message", "msg", "event", "log")
_LEVEL = re.compile(r"^(?:[\d\[\(][^A-Za-z]*)?(?:\[?(?:CRITICAL|FATAL|ERROR|error)\]?:?\s+)")

_REFUSED_HOST = re.compile(r"DisallowedHost|Invalid (?:host|HTTP_HOST) header", re.IGNORECASE)
_NAMED_HOST = re.compile(r"Invalid HTTP_HOST header: '(?P<host>[^']{1,100})'", re.IGNORECASE)
_ACCESS = re.compile(
    r"\b(?:GET|HEAD) (?P<path>/\S{0,200}) HTTP/[0-9.]+\"?[,:]? (?P<status>[1-5]\d\d)\b"
)
_REMARKS = (
    (re.compile(r"was sent SIGKILL! Perhaps out of memory\?"), ServerRemark.WORKER_KILLED),
    (re.compile(r"WORKER TIMEOUT \(pid:\d+\)"), ServerRemark.WORKER_TIMEOUT),
)


def read_signs(events: Sequence[LogText]) -> LogSigns:
    """Never fails: what is not recognised is not there."""
    every = [(event.at, line) for event in events for line in _lines(event.text)]
    lines = (
        every if len(every) <= _MOST_LINES else [*every[:_FIRST], *every[_FIRST - _MOST_LINES :]]
    )
    texts = [line for _, line in lines]
    exception, package = _find_exception(texts)
    return LogSigns(
        has_lines=any(text.strip() for text in texts),
        listening=_find_listening(lines),
        socket=_find_socket(texts),
        exception=exception,
        package=package,
        refused_host=_find_refused_host(texts),
        remark=_find_remark(texts),
        answers=tuple(
            AccessLine(path=found["path"], status=int(found["status"]))
            for text in texts
            for found in _ACCESS.finditer(text)
        ),
    )


def _lines(text: str) -> list[str]:
    """The lines of an event; of a JSON record, those of its message and its exception."""
    plain = _ANSI.sub("", text)
    if plain.lstrip().startswith("{"):
        plain = _of_json(plain) or plain
    return [line[:_LONGEST_LINE].rstrip() for line in plain.splitlines()[-_LONGEST_EVENT:]]


def _of_json(text: str) -> str:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(record, dict):
        return ""
    said = [record.get(key) for key in (*_MESSAGES, *_STRUCTURED)]
    return "\n".join(each for each in said if isinstance(each, str))


def _find_listening(lines: Iterable[tuple[datetime, str]]) -> tuple[Listening, ...]:
    found: dict[tuple[str, int], Listening] = {}
    for at, text in lines:
        banner = text[:_LONGEST_BANNER]
        for match in filter(None, (pattern.search(banner) for pattern in _LISTENING)):
            port, host = int(match["port"]), (match["host"] or "").strip("[]")
            is_of_others = _OF_OTHERS.search(text[: match.start("port")]) is not None
            if 0 < port <= 65535 and not is_of_others:
                place = Listening(host=host, port=port, at=at, line=text.strip())
                found.setdefault((host, port), place)
    named = {place.port for place in found.values() if place.host}
    return tuple(place for place in found.values() if place.host or place.port not in named)


def _find_socket(texts: Iterable[str]) -> str:
    found = next((m for text in texts if (m := _SOCKET.search(text))), None)
    return (found["a"] or found["b"]) if found else ""


def _find_exception(texts: Sequence[str]) -> tuple[str, str]:
    """The last traceback's last line, with the package that raised it; without one, what else looks
    like an end."""
    plain = [_BOX.sub("", text) for text in texts]
    starts = [number for number, text in enumerate(plain) if _TRACEBACK in text]
    for start in reversed(starts[-_TRACEBACKS:]):
        below = plain[start + 1 : start + 1 + _LONGEST_TRACEBACK]
        said = _after_traceback(below, indent=_indent(plain[start]))
        if said and not _FOLLOWS.match(said):
            return _clip(said), _find_package(below, indent=_indent(plain[start]))
    for text in reversed(plain):
        line = _LEVEL.sub("", text.strip())
        found = next((m for pattern in _FATAL if (m := pattern.match(line))), None)
        if found is not None:
            return _clip(found.groupdict().get("said") or found[0]), ""
    return "", ""


def _find_package(texts: Sequence[str], *, indent: int) -> str:
    """Of the innermost frame; "" where it is the service's own code."""
    frames: list[str] = []
    for text in texts:
        if text.strip() and _indent(text) <= indent:
            break
        if _FRAME.match(text):
            frames.append(text)
    found = _INSTALLED.search(frames[-1]) if frames else None
    return found["package"] if found else ""


def _after_traceback(texts: Sequence[str], *, indent: int) -> str:
    """The first line that is not further in than the traceback's first."""
    for number, text in enumerate(texts):
        if text.strip() and _indent(text) <= indent:
            said = text.strip()
            if not _EXCEPTION.match(said):
                return ""
            return " ".join([said, *_settings(said, texts[number + 1 :])]).strip()
    return ""


def _settings(said: str, below: Sequence[str]) -> list[str]:
    """Pydantic names each setting in a line below, and what is wrong with it in the next."""
    if not _VALIDATION.search(said):
        return []
    lines = [line.strip() for line in below[:_MOST_SETTINGS] if not _LINK.match(line)]
    pairs = list(zip(lines[::2], lines[1::2], strict=False))
    others = [
        f"{name} {_DETAIL.sub('', reason)}"
        for name, reason in pairs[1:]
        if re.fullmatch(r"\w+", name) and _REQUIRED.match(reason)
    ]
    first = " ".join(pairs[0]) if pairs else " ".join(lines[:1])
    return [", ".join([_DETAIL.sub("", first) if others else first, *others])]


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _clip(text: str) -> str:
    return text if len(text) <= LONGEST_EXCEPTION else text[: LONGEST_EXCEPTION - 1] + "…"


def _find_remark(texts: Sequence[str]) -> ServerRemark | None:
    for pattern, remark in _REMARKS:
        if any(pattern.search(text) for text in texts):
            return remark
    return None


def _find_refused_host(texts: Sequence[str]) -> str | None:
    """Django names its class and the host in one line, or in two."""
    named = next((found["host"] for text in texts if (found := _NAMED_HOST.search(text))), None)
    if named is None and any(_REFUSED_HOST.search(text) for text in texts):
        return ""
    return named
