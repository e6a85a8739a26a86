"""A record leads to a load balancer that FSD knows, and the listener's rule takes its name.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-to-elb-load-balancer.html
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fsd.lint.rule import Problem, Subject

BALANCER = ("service", "networking", "loadBalancer")


def check(subject: Subject) -> Iterator[Problem]:
    balancer = subject.service.networking.load_balancer
    if balancer is None or balancer.domain is None:
        return
    name, at = balancer.domain.name, (*BALANCER, "domain")
    theirs = "listenerArn" if balancer.listener_arn is not None else "targetGroupArn"
    if balancer.listener_arn is not None or balancer.target_group_arn is not None:
        yield Problem(
            at=at,
            message=f"FSD does not know which load balancer `{name}` belongs to: `{theirs}` does "
            "not say it",
            fix="remove it, and create a record for that load balancer yourself",
            uses=(at, (*BALANCER, theirs)),
            on_key=True,
        )
    elif balancer.hosts and not any(fnmatchcase(name, host.lower()) for host in balancer.hosts):
        yield Problem(
            at=at,
            message=f"the rule takes {' '.join(balancer.hosts)}, and no request for `{name}`",
            fix=f"add `{name}` to `hosts`",
            uses=(at, (*BALANCER, "hosts")),
            on_key=True,
        )
