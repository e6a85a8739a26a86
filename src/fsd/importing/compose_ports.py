"""The ports of a compose file's service: each that AWS can have, and the one that is balanced.

https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.importing.compose_file import port_of
from fsd.importing.reader import Loss, Reader, shown, without_empty
from fsd.importing.service_name import part_name
from fsd.importing.values import Value, listed, mapping, text_of

_BALANCED = frozenset({"http", "http2", "grpc"})
_RANGE = "a port is one port: it gets the first of the range"
_UDP = "FSD's ports are TCP, and this one is left out"
_UNKNOWN = "it is no number of a port, or a variable without a value"


def read_ports(reader: Reader, written: Mapping[str, Value]) -> tuple[dict[str, Value], int | None]:
    """`port` for one, `ports` for several, and the number of the one that is balanced.

    `written` is the same with its variables, for what is lost of them.
    Where the file says no protocols the first speaks HTTP: load balancers do to most.
    """
    found: dict[int, dict[str, Value]] = {}
    for key in ("ports", "expose"):
        for value, original in zip(listed(reader.take(key)), listed(written.get(key)), strict=True):
            port = port_of(value)
            if reason := _reason(value, port):
                loss = Loss(where=reader.place(key), value=shown(original), reason=reason)
                reader.losses.append(loss)
            if port is not None:
                found.setdefault(port, _port(port, mapping(value)))
    ports = sorted(found.values(), key=lambda each: each["protocol"] not in _BALANCED)
    if not ports:
        return {}, None
    first = next(iter(port for port, each in found.items() if each is ports[0]))
    if len(ports) == 1 and ports[0]["protocol"] in (None, "http"):
        return {"port": first}, first
    for each in ports[1:]:
        each["protocol"] = each["protocol"] or "tcp"
    return {"ports": [without_empty(each) for each in ports]}, first


def _port(port: int, value: dict[str, Value]) -> dict[str, Value]:
    said = text_of(value.get("app_protocol")).lower()
    other = "tcp" if said else None
    name = part_name(text_of(value.get("name")))
    return {"name": name, "port": port, "protocol": said if said in _BALANCED else other}


def _reason(value: Value, port: int | None) -> str:
    """Why it is not, or not wholly, what stands there; "" where it is."""
    target = mapping(value).get("target") if isinstance(value, dict) else value
    text = text_of(target)
    is_udp = "udp" in (text_of(mapping(value).get("protocol")), text.rpartition("/")[2])
    if port is None:
        return _UDP if is_udp else _UNKNOWN
    return _RANGE if "-" in text.partition("/")[0].rpartition(":")[2] else ""
