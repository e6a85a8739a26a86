"""A target group that is there has a listener and a load balancer, whose settings are its owner's.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

BALANCER = ("service", "networking", "loadBalancer")
# The names in the model and in the file.
_OF_THE_OWNER = (
    ("listener_arn", "listenerArn"),
    ("shared", "shared"),
    ("certificate_arn", "certificateArn"),
    ("priority", "priority"),
    ("idle_timeout", "idleTimeout"),
    ("access_logs", "accessLogs"),
    ("stickiness", "stickiness"),
    ("ingress", "ingress"),
)


def check(subject: Subject) -> Iterator[Problem]:
    balancer = subject.service.networking.load_balancer
    if balancer is None or balancer.target_group_arn is None:
        return
    for name, written in _OF_THE_OWNER:
        if getattr(balancer, name):
            at = (*BALANCER, written)
            yield Problem(
                at=at,
                message=f"`{written}` has no effect with `targetGroupArn`: FSD does not change "
                "the target group, its listener or its load balancer",
                fix="remove one of the two",
                uses=(at, (*BALANCER, "targetGroupArn")),
            )
