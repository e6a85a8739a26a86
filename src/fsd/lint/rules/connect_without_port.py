"""Service Connect offers a port: without one there is nothing that others could reach.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

CONNECT = ("service", "networking", "connect")
PORT = ("service", "port")
PORTS = ("service", "ports")


def check(subject: Subject) -> Iterator[Problem]:
    service, connect = subject.service, subject.service.networking.connect
    if connect is not None and connect.name is not None and service.offered_port is None:
        yield Problem(
            at=(*CONNECT, "name"),
            message=f"no other service can reach `{connect.name}`, because the service has no port",
            fix="set `service.port` or `connect.port`; if the service only calls others, remove "
            "`name`",
            uses=(PORT, PORTS, (*CONNECT, "port")),
        )
