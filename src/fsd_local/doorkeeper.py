"""Who may speak to the embedded AWS, before anything else is looked at. Pure.

It listens on loopback, where two others can reach it: a web page in the user's browser, and the
other users of the machine. A page is told by what browsers add and pages cannot forge: `Host` (a
name that an attacker rebinds to 127.0.0.1 is still in it), `Origin` and `Sec-Fetch-Site`. Other
users are told by the secret that they lack: `fsd_local.patches.callers`.

https://developer.mozilla.org/en-US/docs/Glossary/Forbidden_request_header
https://owasp.org/www-community/attacks/DNS_Rebinding
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The `Host` header, read. `port` is None where none is written or it is no number."""

    name: str
    port: int | None

    @property
    def is_loopback(self) -> bool:
        if self.name == "localhost" or self.name.endswith(".localhost"):
            return True
        try:
            return ip_address(self.name).is_loopback
        except ValueError:
            return False


def refuse_host(headers: Headers) -> str:
    """Why the request is not for this machine; "" where it is.

    Exactly one `Host`, and it names loopback: what a rebound name is not. Its port is not looked
    at: a proxy of the user's and `ssh -L` have another, the signature covers it, and a page of
    another port is told by its Origin.
    """
    hosts = [value for name, value in headers if name.lower() == b"host"]
    if len(hosts) != 1:
        return f"the request has {len(hosts)} Host headers"
    host = read_host(hosts[0].decode("latin-1"))
    if not host.is_loopback:
        return f"the Host {host.name!r} is not this machine's loopback"
    return ""


def refuse_page(headers: Headers) -> str:
    """Why the request may come from a web page; "" where it does not.

    No page has a business with the AWS APIs, not even one that the instance serves itself: a
    service behind a load balancer is at the same port.
    """
    for name, value in headers:
        if name.lower() == b"origin":
            return "a request with an Origin comes from a web page"
        if name.lower() == b"sec-fetch-site" and value.lower() != b"none":
            return "a request with Sec-Fetch-Site comes from a web page"
    return ""


def without_cors(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, less those that would let a page read it."""
    return [
        (name, value) for name, value in headers if not name.lower().startswith(b"access-control-")
    ]


def read_host(text: str) -> Host:
    """`127.0.0.1:4566`, `localhost`, `[::1]:4566`; a trailing dot of a name does not count."""
    text = text.strip().lower()
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        name, _, port = text.partition(":")
    return Host(
        name=name.rstrip("."), port=int(port) if port.isascii() and port.isdigit() else None
    )
