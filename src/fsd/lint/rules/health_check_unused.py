"""A path to check, and no port at which anybody could ask for it.

ECS has two checks: the load balancer's, which asks for a path at a port, and the container's, which
is a command. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.models import STEADY_FOR

PATH = ("service", "healthCheck", "path")
COMMAND = ("service", "healthCheck", "command")
PORT = ("service", "port")
PORTS = ("service", "ports")
BALANCER = ("service", "networking", "loadBalancer")


def check(subject: Subject) -> Iterator[Problem]:
    """Not with a load balancer: then the port is missing, which another rule says."""
    service = subject.service
    is_worker = service.main_port is None and service.networking.load_balancer is None
    if not is_worker or not subject.is_written(*PATH):
        return
    if service.checks.command is not None:
        fix = "remove it: ECS checks a worker with `healthCheck.command`"
    else:
        fix = (
            "`healthCheck.command`, which ECS runs in the container; without it, a task that ends "
            f"in the first {service.steady_for or STEADY_FOR} s (`deployment.steadyFor`) fails the "
            "release"
        )
    yield Problem(
        at=PATH,
        message=f"nothing requests `{service.checks.path}`, because a worker has no port",
        fix=fix,
        uses=(PORT, PORTS, BALANCER, COMMAND),
    )
