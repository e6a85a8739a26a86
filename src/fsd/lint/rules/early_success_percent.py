"""ECS refuses an early success with fewer healthy tasks than a rollout has to keep.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/early-success-criteria.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

EARLY = ("service", "deployment", "earlySuccess")
PERCENT = (*EARLY, "healthyPercent")
MINIMUM = ("service", "deployment", "minimumHealthyPercent")


def check(subject: Subject) -> Iterator[Problem]:
    deployment = subject.service.deployment
    early, minimum = deployment.early_success, deployment.minimum_healthy_percent
    if early is None or early.healthy_percent >= minimum:
        return
    yield Problem(
        at=PERCENT,
        message=f"healthyPercent {early.healthy_percent} is below minimumHealthyPercent {minimum}",
        fix=f"set `healthyPercent: {minimum}`, or lower minimumHealthyPercent",
        uses=(PERCENT, MINIMUM),
    )
