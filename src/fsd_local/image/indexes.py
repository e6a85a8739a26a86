"""Leaves out an extra index of pip that cannot be reached, as pip does in the end.

pip tries such an index again for every package: minutes for what says nothing.
https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-extra-index-url
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

_OPTION = "--extra-index-url"
_TIMEOUT = 5.0  # seconds
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "PIP_PROXY")


def without_silent_indexes(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command, and the hosts that were left out. Through a proxy every host may be reached."""
    if any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXIES):
        return list(argv), []
    kept: list[str] = []
    hosts: list[str] = []
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        url = value if equals else next(words, "") if option == _OPTION else ""
        if option == _OPTION and (host := _silent_host(url)):
            hosts.append(host)
        else:
            kept += [word, *([url] if option == _OPTION and not equals else [])]
    return kept, hosts


def _silent_host(url: str) -> str:
    """ "" where it answers, or is no place of a network."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    if not parts.hostname or not port:
        return ""
    return "" if _answers(parts.hostname, port) else parts.hostname


@cache
def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT).close()
    except OSError:
        return False
    return True
