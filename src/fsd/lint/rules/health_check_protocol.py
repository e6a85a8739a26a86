"""What a health check speaks, and what only some protocols have: a path, codes, a method.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

CHECK = ("service", "healthCheck")
PORTS = ("service", "ports")
_METHOD = r"/[^/]+/[^/]+"
_MOST_GRPC_CODE = 99


def check(subject: Subject) -> Iterator[Problem]:
    """Not where a command is the check, which then is asked for nothing."""
    if subject.service.main_port is None or subject.service.checks.command is not None:
        return
    if subject.has_load_balancer:
        yield from _balanced(subject)
    match subject.service.check_protocol:
        case "tcp":
            yield from _without_answer(subject)
        case "grpc":
            yield from _grpc(subject)
        case _ if _codes(subject, low=0, high=_MOST_GRPC_CODE):
            yield _problem(
                subject, "matcher", "has codes of gRPC", "write HTTP codes, such as `200-299`"
            )


def _balanced(subject: Subject) -> Iterator[Problem]:
    """A target group of HTTP asks in the protocol that its targets speak."""
    balancer = subject.service.networking.load_balancer
    if balancer is not None and balancer.is_network:
        return
    asks, speaks = subject.service.check_protocol, subject.service.main_protocol
    port = subject.service.main_port
    if asks == "tcp" and speaks != "tcp":
        fix = "use http, https or grpc, or remove `protocol`"
        yield _problem(
            subject, "protocol", "is not a check that an application load balancer makes", fix
        )
    elif asks == "grpc" and speaks != "grpc":
        fix = f"write `ports: [{{port: {port}, protocol: grpc}}]` instead of `port: {port}`"
        what = f"is for a gRPC target group, and port {port} speaks {speaks}"
        yield _problem(subject, "protocol", what, fix)
    elif asks != "grpc" and speaks == "grpc":
        what = f"is not how a load balancer checks port {port}, which speaks grpc"
        yield _problem(subject, "protocol", what, "use grpc, or remove `protocol`")


def _without_answer(subject: Subject) -> Iterator[Problem]:
    for key in ("path", "matcher"):
        if subject.is_written(*CHECK, key):
            what = "has no effect: a TCP check only opens a connection"
            yield _problem(subject, key, what, "remove it, or set `protocol: http`")


def _grpc(subject: Subject) -> Iterator[Problem]:
    path = subject.service.checks.path
    if subject.is_written(*CHECK, "path") and not re.fullmatch(_METHOD, path):
        fix = "write `/package.Service/Method`, or remove it for `/grpc.health.v1.Health/Check`"
        yield _problem(subject, "path", "is not a gRPC method", fix)
    if _codes(subject, low=_MOST_GRPC_CODE + 1, high=999):
        yield _problem(subject, "matcher", "has codes of HTTP", 'write gRPC codes, such as `"0"`')


def _codes(subject: Subject, *, low: int, high: int) -> bool:
    """Whether the matcher has one of these."""
    matcher = (subject.service.checks.matcher or "").replace("-", ",")
    return any(low <= int(part) <= high for part in matcher.split(",") if part)


def _problem(subject: Subject, key: str, what: str, fix: str) -> Problem:
    value = subject.text(*CHECK, key) or getattr(subject.service.checks, key)
    return Problem(
        at=(*CHECK, key),
        message=f"`{key}: {value}` {what}",
        fix=fix,
        uses=(PORTS, (*CHECK, "protocol"), (*CHECK, "command")),
    )
