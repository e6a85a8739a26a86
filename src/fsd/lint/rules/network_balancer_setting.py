"""A network load balancer forwards TCP: it knows no hosts, no paths and no requests.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import Severity

BALANCER = ("service", "networking", "loadBalancer")
# The names in the model and in the file.
_OF_HTTP = (
    ("shared", "shared"),
    ("listener_arn", "listenerArn"),
    ("hosts", "hosts"),
    ("paths", "paths"),
    ("priority", "priority"),
    ("idle_timeout", "idleTimeout"),
    ("stickiness", "stickiness"),
)


def check(subject: Subject) -> Iterator[Problem]:
    balancer, scaling = subject.service.networking.load_balancer, subject.service.auto_scaling
    if balancer is None or not balancer.is_network:
        return
    kind = (*BALANCER, "type")
    for name, written in _OF_HTTP:
        if getattr(balancer, name):
            yield Problem(
                at=(*BALANCER, written),
                message=f"`{written}` needs an application load balancer, but the type is "
                "`network`",
                fix="remove it, or use `type: application`",
                uses=(kind, (*BALANCER, written)),
                on_key=True,
            )
    if scaling is not None and scaling.target_requests_per_task:
        at = ("service", "autoScaling", "targetRequestsPerTask")
        yield Problem(
            at=at,
            message="a network load balancer does not count requests",
            fix="use `targetCPUUtilization`, or your own `metric`",
            uses=(kind, at),
            on_key=True,
        )
    if balancer.access_logs is not None and not balancer.is_secure:
        logs = (*BALANCER, "accessLogs")
        yield Problem(
            at=logs,
            message="a network load balancer logs TLS connections only, and this one has none",
            fix="add `certificateArn`, or remove `accessLogs`",
            uses=(kind, logs, (*BALANCER, "certificateArn")),
            on_key=True,
            severity=Severity.WARNING,
        )
    if subject.service.check_protocol == "grpc":
        yield Problem(
            at=BALANCER,
            message="a network load balancer cannot run gRPC health checks",
            fix="add `healthCheck.protocol: tcp`",
            uses=(kind, ("service", "healthCheck", "protocol")),
            on_key=True,
        )
