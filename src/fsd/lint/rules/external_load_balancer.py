"""A load balancer that faces the internet, where most services only talk to each other."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.edit import SetValue

INTERNAL = ("service", "networking", "loadBalancer", "internal")


def check(subject: Subject) -> Iterator[Problem]:
    load_balancer = subject.service.networking.load_balancer
    if load_balancer is not None and not load_balancer.internal:
        yield Problem(
            at=INTERNAL,
            message="the load balancer is reachable from the internet",
            fix="set `internal: true` if only other services call this one; if it is meant to be "
            "public, add `# fsd: ignore[external-load-balancer]` and the reason",
            edit=SetValue(at=INTERNAL, value=True),
        )
