"""Without a certificate a load balancer speaks plain HTTP: who is on the way reads all of it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

LOAD_BALANCER = ("service", "networking", "loadBalancer")


def check(subject: Subject) -> Iterator[Problem]:
    load_balancer = subject.service.networking.load_balancer
    if load_balancer is None or load_balancer.internal or load_balancer.is_secure:
        return
    if load_balancer.is_network:  # what is in its connections is not known
        return
    yield Problem(
        at=LOAD_BALANCER,
        message="this load balancer accepts plain HTTP from the internet",
        fix="set `certificateArn: arn:aws:acm:…` to an ACM certificate; port 443 then serves "
        "HTTPS, and port 80 redirects to it",
        uses=((*LOAD_BALANCER, "internal"), (*LOAD_BALANCER, "certificateArn")),
        on_key=True,
    )
