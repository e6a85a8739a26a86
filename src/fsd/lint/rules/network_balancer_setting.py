"""A network load balancer forwards TCP: it knows no hosts, no paths and no requests.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import Severity
from fsd.manifest.models import LoadBalancer

BALANCER = ("service", "networking", "loadBalancer")
# Seconds. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
_LEAST_IDLE = 60
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
_MOST_IDLE_OF_HTTP = 4000
# The names in the model and in the file.
_OF_HTTP = (
    ("shared", "shared"),
    ("listener_arn", "listenerArn"),
    ("hosts", "hosts"),
    ("paths", "paths"),
    ("priority", "priority"),
    ("stickiness", "stickiness"),
)


def check(subject: Subject) -> Iterator[Problem]:
    balancer, scaling = subject.service.networking.load_balancer, subject.service.auto_scaling
    if balancer is not None:
        yield from _idle_timeout(balancer)
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


def _idle_timeout(balancer: LoadBalancer) -> Iterator[Problem]:
    seconds, at, kind = balancer.idle_timeout, (*BALANCER, "idleTimeout"), (*BALANCER, "type")
    if seconds is None:
        return
    if not balancer.is_network and seconds > _MOST_IDLE_OF_HTTP:
        yield Problem(
            at=at,
            message=f"idleTimeout {seconds} is more than an application load balancer allows",
            fix=f"use at most {_MOST_IDLE_OF_HTTP}",
            uses=(kind,),
        )
    elif balancer.is_network and balancer.is_secure:
        yield Problem(
            at=at,
            message="the idle timeout of a TLS listener is 350 s and cannot be changed",
            fix="remove it, or end TLS in the service: without `certificateArn` and `domain`",
            uses=(kind, (*BALANCER, "certificateArn")),
            on_key=True,
        )
    elif balancer.is_network and seconds < _LEAST_IDLE:
        yield Problem(
            at=at,
            message=f"idleTimeout {seconds} is less than a network load balancer allows",
            fix=f"use {_LEAST_IDLE} to 6000",
            uses=(kind,),
        )
