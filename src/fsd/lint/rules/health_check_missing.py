"""A service with a port is asked for its health, also where the manifest does not say how.

A task that does not answer 2xx at FSD's default, GET /health, is replaced again and again until ECS
gives up on the release.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-healthcheck.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.models import DEFAULT_PATH

PORT = ("service", "port")
PORTS = ("service", "ports")
CHECK = ("service", "healthCheck")


def check(subject: Subject) -> Iterator[Problem]:
    port, path = subject.service.main_port, subject.service.check_path
    if port is not None and path == DEFAULT_PATH and not subject.is_written(*CHECK):
        yield Problem(
            at=(*PORTS, 0, "port") if subject.service.ports else PORT,
            message=f"no health check is set for port {port}, so FSD checks it with GET {path}",
            fix=f"add `healthCheck: {{path: {path}}}`, or the path that answers 200 when the "
            "service is healthy",
            uses=(CHECK,),
        )
