"""What an exception says of a task's surroundings: a variable or a server is missing. Pure."""

from __future__ import annotations

import ipaddress
import re

from fsd.rollout.log_values import Unreachable

# As frameworks and libraries say that a variable is not set. A name in lower case is a field's.
_VARIABLES = tuple(
    re.compile(pattern)
    for pattern in (
        r"^KeyError: '(?P<name>[A-Z][A-Z0-9_]+)'$",
        r"Config '(?P<name>\w+)' is missing, and has no default",  # Starlette
        # Django; https://docs.djangoproject.com/en/stable/topics/settings/
        r"define the environment variable (?P<name>[A-Z][A-Z0-9_]+)",
        r"The (?P<name>[A-Z][A-Z0-9_]+) setting must not be empty",
        r"Set the (?P<name>[A-Z][A-Z0-9_]+) environment variable",  # django-environ
        r"UndefinedValueError: (?P<name>\w+) not found\. Declare it",  # python-decouple
        r"Environment variable [\"'`](?P<name>\w+)[\"'`] (?:is )?(?:not set|invalid)",  # environs
        r"validation errors? for \w+ (?P<name>\w+) (?:Field required|field required)",  # pydantic
        r"(?:^|[ :])(?P<name>[A-Z][A-Z0-9_]+): (?:unbound variable|parameter (?:null or )?not set)",
        # What people write themselves.
        r"(?:^|[\s`'\":(])(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)[`'\"]?"
        r"(?: environment)?(?: variables?)? "
        r"(?:(?:is|was|are) (?:not set|not defined|missing|required|unset|empty|undefined)"
        r"|not set|not defined|not found in (?:the )?environment|missing"
        r"|(?:must|has to|needs to|should) be (?:set|defined|provided|specified))",
        r"(?:[Mm]issing|[Uu]nset|[Rr]equired)(?: required)? env(?:ironment)?(?: variables?)?:? "
        r"[`'\"\[{(]*(?P<name>[A-Z][A-Z0-9_]+)",
    )
)
_SETTINGS = re.compile(r"validation errors? for (?P<name>\w+)")
_FURTHER = re.compile(r"(\w+) [Ff]ield required")
_UNREACHABLE = re.compile(
    r"connection refused|could not connect|can't connect|timed? ?out|could not translate host|"
    r"name or service not known|no such host|getaddrinfo|temporary failure in name resolution|"
    r"connect call failed|cannot connect|nodename nor servname|no route to host",
    re.IGNORECASE,
)
# A client that is told no host looks for a server of the machine that it runs on.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-HOST
_SOCKET = re.compile(
    r"(?:connection to server on socket|server through socket) [\"'](?P<path>/[^\"']+)[\"']|"
    r"local MySQL server through socket '(?P<other>/[^']+)'",
    re.IGNORECASE,
)
_UNKNOWN_NAME = re.compile(
    r"could not translate host|name or service not known|no such host|getaddrinfo|gaierror|"
    r"name resolution|nodename nor servname",
    re.IGNORECASE,
)
_NAME = r"(?P<host>[A-Za-z0-9_](?:[\w.-]*[\w])?|::1)"
# As clients name whom they cannot reach.
_HOSTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"connect(?:ing)? to (?:\w+://)?(?:[^@\s/]*@)?{_NAME}:(?P<port>\d+)",  # redis, amqp
        rf"server (?:at|on) [\"']{_NAME}[\"'](?: \([^)]*\))?(?:, port (?P<port>\d+))?",
        rf"could not translate host name [\"']{_NAME}[\"']",
        rf"connect call failed \('{_NAME}', (?P<port>\d+)",
        rf"connectionpool\(host='{_NAME}', port=(?P<port>\d+)\)",
        rf"cannot connect to host {_NAME}:(?P<port>\d+)",
        rf"ServerSelectionTimeoutError: {_NAME}:(?P<port>\d+)",
        rf"\w+://(?:[^@\s/]*@)?{_NAME}:(?P<port>\d+)",
    )
)


def find_variables(exception: str) -> tuple[str, ...]:
    """The environment variables that are not set, as far as the text tells."""
    found = next((match for pattern in _VARIABLES if (match := pattern.search(exception))), None)
    if found is None:
        return ()
    others = _FURTHER.findall(exception) if "validation error" in exception else []
    return tuple(dict.fromkeys(name.upper() for name in (found["name"], *others)))


def find_settings(exception: str) -> str:
    """The class of pydantic's that names the fields: a variable may have its `env_prefix`.

    https://docs.pydantic.dev/latest/concepts/pydantic_settings/#environment-variable-names
    """
    found = _SETTINGS.search(exception)
    return found["name"] if found else ""


def is_unreachable(exception: str) -> bool:
    return names_a_socket(exception) or _UNREACHABLE.search(exception) is not None


def names_a_socket(text: str) -> bool:
    """Whether a database's server was looked for on a Unix socket."""
    return _SOCKET.search(text) is not None


def find_unreachable(exception: str) -> Unreachable:
    """Whom the program could not reach, as far as the text names it."""
    socket = _SOCKET.search(exception)
    if socket is not None:
        return Unreachable(socket=socket["path"] or socket["other"], is_local=True)
    found = next((match for pattern in _HOSTS if (match := pattern.search(exception))), None)
    if found is None:
        return Unreachable()
    host, port = found["host"], found.groupdict().get("port") or ""
    is_unknown = "." not in host and _UNKNOWN_NAME.search(exception) is not None
    return Unreachable(host=host, port=port, is_local=_is_local(host), is_unknown=is_unknown)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
