"""Conditions of listener rules: what may be asked, and whether a request meets it. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from fsd_local.balancing.faults import not_done, not_valid
from fsd_local.balancing.query import Json

_CONFIGS: Mapping[str, str] = {
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "host-header": "HostHeaderConfig",
    "query-string": "QueryStringConfig",
    "path-pattern": "PathPatternConfig",
    "source-ip": "SourceIpConfig",
}
_FLAT = {"host-header", "path-pattern"}  # may have their values beside `Field`
_ONCE = {"host-header", "path-pattern", "http-request-method", "source-ip"}
_MOST_VALUES = 5
_LONGEST_VALUE = 128
_METHOD = re.compile(r"[A-Z_-]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9.*?-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedRequest:
    """What the conditions of a rule look at."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]  # lower-case names
    query: Mapping[str, Sequence[str]]
    client: str  # IP address
    port: int = 0  # of the listener that is asked for; 0 for whichever answers


def check_conditions(conditions: Sequence[Json]) -> None:
    """Raises BalancingFault."""
    if not conditions:
        raise not_valid("A condition must be specified")
    for condition in conditions:
        _check_condition(condition)
    for field, count in Counter(str(condition["Field"]) for condition in conditions).items():
        if field in _ONCE and count > 1:
            raise not_valid(f"A rule can only have one '{field}' condition")
    if sum(len(_values(condition)) for condition in conditions) > _MOST_VALUES:
        raise not_valid(f"A rule can only have '{_MOST_VALUES}' condition values and regex values")


def _check_condition(condition: Json) -> None:
    field = str(condition.get("Field", ""))
    if field not in _CONFIGS:
        raise not_valid(f"Condition field '{field}' must be one of '{','.join(_CONFIGS)}'")
    config = _CONFIGS[field]
    if condition.get("RegexValues") or (condition.get(config) or {}).get("RegexValues"):
        raise not_done("match regular expressions (RegexValues)")
    if config not in condition and not (field in _FLAT and condition.get("Values")):
        fields = f"Values or RegexValues or {config}" if field in _FLAT else config
        raise not_valid(
            f"For conditions of type '{field}', you must specify the following fields: '{fields}'"
        )
    values = _values(condition)
    if not values:
        raise not_valid(
            "You must provide exactly one of the following: ['Values' 'RegexValues'] for config "
            f"of type '{config}'"
        )
    for value in values:
        _check_value(field, value)
    if field == "http-header" and not condition[config].get("HttpHeaderName"):
        raise not_valid("An HTTP header name must be specified")


def _check_value(field: str, value: object) -> None:
    if isinstance(value, dict):
        return
    text = str(value)
    if len(text) > _LONGEST_VALUE:
        raise not_valid(
            f"Condition value for '{field}' cannot contain more than {_LONGEST_VALUE} characters"
        )
    if field == "source-ip" and not _is_network(text):
        raise not_valid(f"The specified value '{text}' is not a valid CIDR block")
    is_bad_method = field == "http-request-method" and not _METHOD.fullmatch(text)
    is_bad_host = field == "host-header" and not (_HOST.fullmatch(text) and "." in text)
    if is_bad_method or is_bad_host:
        raise not_valid(f"Condition value '{text}' contains a character that is not valid")


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _values(condition: Json) -> list[object]:
    config = condition.get(_CONFIGS.get(str(condition.get("Field")), "")) or {}
    return list(condition.get("Values") or config.get("Values") or ())


def meets(condition: Json, request: BalancedRequest) -> bool:
    """Whether the request has one of the condition's values."""
    values = _values(condition)
    match condition.get("Field"):
        case "path-pattern":
            return any(_is_like(request.path, str(value)) for value in values)
        case "host-header":
            return any(_is_like(request.host.lower(), str(value).lower()) for value in values)
        case "http-request-method":
            return request.method in values
        case "query-string":
            return any(_has_pair(request.query, value) for value in values)
        case "http-header":
            name = str(condition["HttpHeaderConfig"].get("HttpHeaderName", "")).lower()
            found = request.headers.get(name)
            return found is not None and any(
                _is_like(found.lower(), str(value).lower()) for value in values
            )
        case "source-ip":
            return any(_is_within(request.client, str(value)) for value in values)
        case _:
            return False


def _is_like(text: str, pattern: str) -> bool:
    """`*` is any text, `?` one character; all else is itself."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _has_pair(query: Mapping[str, Sequence[str]], value: object) -> bool:
    """A pair without a key is about any key; neither is case-sensitive."""
    pair = value if isinstance(value, dict) else {"Value": value}
    key, wanted = pair.get("Key"), str(pair.get("Value", "")).lower()
    return any(
        (key is None or _is_like(name.lower(), str(key).lower())) and _is_like(one.lower(), wanted)
        for name, found in query.items()
        for one in found
    )


def _is_within(client: str, network: str) -> bool:
    try:
        return ip_address(client) in ip_network(network, strict=False)
    except ValueError:
        return False
