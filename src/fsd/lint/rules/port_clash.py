"""Ports of one container: each number and each name once, and `port` only where there is no list.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

PORT = ("service", "port")
PORTS = ("service", "ports")


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    if service.ports and service.port is not None:
        yield Problem(
            at=PORT,
            message="`port` is a short form of `ports` with one entry, and both are set",
            fix=f"remove it, and make {service.port} the first entry of `ports`",
            uses=(PORTS,),
        )
    for key, values in (
        ("port", [each.port for each in service.ports]),
        ("name", [each.name for each in service.ports]),
    ):
        for index, value in enumerate(values):
            if value is not None and value in values[:index]:
                yield Problem(
                    at=(*PORTS, index, key),
                    message=f"{key} {value} is used twice",
                    fix=f"give each entry of `ports` a different {key}, or remove one",
                    uses=(PORTS,),
                )
