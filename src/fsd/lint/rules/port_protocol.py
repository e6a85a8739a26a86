"""What the first port speaks, and whether a load balancer can send to it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

PORTS = ("service", "ports")
BALANCER = ("service", "networking", "loadBalancer")


def check(subject: Subject) -> Iterator[Problem]:
    balancer = subject.service.networking.load_balancer
    if balancer is None or not subject.service.ports:
        return
    spoken = subject.service.main_protocol
    is_secure = balancer.is_secure or balancer.listener_arn is not None
    if balancer.is_network:
        return
    if spoken == "tcp":
        yield _problem(
            "an application load balancer sends HTTP, and the first port speaks tcp",
            "add `type: network`, or put a port first that speaks http, http2 or grpc",
        )
    elif spoken in ("http2", "grpc") and not is_secure:
        yield _problem(
            f"a load balancer sends {spoken} only from an HTTPS listener, and there is no "
            "certificate",
            "add `networking.loadBalancer.certificateArn`",
        )


def _problem(message: str, fix: str) -> Problem:
    uses = (PORTS, (*BALANCER, "certificateArn"), (*BALANCER, "listenerArn"))
    return Problem(at=BALANCER, message=message, fix=fix, on_key=True, uses=uses)
