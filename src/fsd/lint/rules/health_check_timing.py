"""Elastic Load Balancing refuses a health check whose timeout is not below its interval. ECS does
not mind, so a command in the container of a service without a load balancer may have both alike.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

TIMEOUT = ("service", "healthCheck", "timeout")
INTERVAL = ("service", "healthCheck", "interval")


def check(subject: Subject) -> Iterator[Problem]:
    checks = subject.service.checks
    is_in_container = checks.command is not None
    if checks.timeout < checks.interval or (
        is_in_container and subject.service.networking.load_balancer is None
    ):
        return
    is_default = not subject.is_written(*TIMEOUT)
    timeout = f"timeout {checks.timeout} s" + (", the default," if is_default else "")
    yield Problem(
        at=INTERVAL if is_default else TIMEOUT,
        message=f"{timeout} is not below interval {checks.interval} s",
        fix=f"use a timeout below {checks.interval}, "
        f"or an interval above {checks.timeout} (5 to 300)",
        uses=(TIMEOUT, INTERVAL),
    )
