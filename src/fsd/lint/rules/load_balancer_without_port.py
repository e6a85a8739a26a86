"""A load balancer sends to a port; without one FSD makes a worker, and no load balancer."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

LOAD_BALANCER = ("service", "networking", "loadBalancer")
PORT = ("service", "port")
PORTS = ("service", "ports")


def check(subject: Subject) -> Iterator[Problem]:
    if subject.service.networking.load_balancer is not None and subject.service.main_port is None:
        yield Problem(
            at=LOAD_BALANCER,
            message="there is no `service.port`, so there will be no load balancer",
            fix="add `port: …` below `service:`, or remove `loadBalancer`",
            on_key=True,
            uses=(PORT, PORTS),
        )
