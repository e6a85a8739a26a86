"""A rule of a listener needs a condition; what is the load balancer's own is its owner's to set.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

BALANCER = ("service", "networking", "loadBalancer")
_MOST_VALUES = 5
# Of the load balancer or the listener itself: the names in the model and in the file.
_OF_THE_OWNER = (
    ("certificate_arn", "certificateArn"),
    ("idle_timeout", "idleTimeout"),
    ("access_logs", "accessLogs"),
    ("ingress", "ingress"),
)


def check(subject: Subject) -> Iterator[Problem]:
    balancer = subject.service.networking.load_balancer
    if balancer is None or balancer.is_network:  # has no rules, which another finding says
        return
    values = [*balancer.hosts, *balancer.paths]
    uses = tuple((*BALANCER, key) for key in ("listenerArn", "shared", "hosts", "paths"))
    if balancer.listener_arn is not None and balancer.shared is not None:
        message = "`shared` names a load balancer that FSD creates, and `listenerArn` names an "
        "existing listener"
        yield Problem(at=(*BALANCER, "shared"), message=message, fix="remove one", uses=uses)
    if not balancer.has_rule:
        for written, value in (("hosts", balancer.hosts), ("paths", balancer.paths)):
            if value:
                message = f"`{written}` choose among services, and this load balancer has only one"
                fix = "add `shared` or `listenerArn`, or remove it"
                yield Problem(at=(*BALANCER, written), message=message, fix=fix, uses=uses)
        return
    if not values:
        fix = "add `hosts` or `paths`"
        message = "the manifest does not say which of the listener's requests go to the service"
        key = "shared" if balancer.listener_arn is None else "listenerArn"
        yield Problem(at=(*BALANCER, key), message=message, fix=fix, uses=uses)
    if len(values) > _MOST_VALUES:
        message = f"a rule can have {_MOST_VALUES} hosts and paths, and this one has {len(values)}"
        at = (*BALANCER, "paths" if balancer.paths else "hosts")
        yield Problem(at=at, message=message, fix="use wildcards: `/offers/*`", uses=uses)
    for name, written in _OF_THE_OWNER if balancer.listener_arn is not None else ():
        if getattr(balancer, name):
            message = f"`{written}` is a setting of the listener, which FSD does not change"
            yield Problem(at=(*BALANCER, written), message=message, fix="remove it", uses=uses)
