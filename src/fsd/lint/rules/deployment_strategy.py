"""Traffic shifts between two target groups that FSD makes behind an application load balancer.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-implementation.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath

DEPLOYMENT = ("service", "deployment")
STRATEGY = (*DEPLOYMENT, "strategy")
BALANCER = ("service", "networking", "loadBalancer")
LONGEST_PAUSE = 14 * 24 * 60  # minutes
REQUESTS = ("service", "autoScaling", "targetRequestsPerTask")


def check(subject: Subject) -> Iterator[Problem]:
    strategy = subject.service.deployment.strategy
    yield from _settings_of_others(subject)
    yield from _approval(subject)
    if subject.manifest.is_job or not subject.service.deployment.shifts_traffic:
        return
    problem = _without_pair(subject)
    if problem is not None:
        yield problem
    if subject.service.deployment.early_success is not None:
        yield Problem(
            at=(*DEPLOYMENT, "earlySuccess"),
            message=f"ECS has no early success with `strategy: {strategy}`",
            fix="remove it, or use `strategy: rolling`",
            uses=(STRATEGY, (*DEPLOYMENT, "earlySuccess")),
            on_key=True,
        )
    scaling = subject.service.auto_scaling
    if scaling is not None and scaling.target_requests_per_task:
        yield Problem(
            at=REQUESTS,
            message=f"AWS cannot scale by requests with `strategy: {strategy}`: they are counted "
            "for one target group, and the tasks change theirs",
            fix="use `targetCPUUtilization`, or `strategy: rolling`",
            uses=(STRATEGY, REQUESTS),
            on_key=True,
        )


def _settings_of_others(subject: Subject) -> Iterator[Problem]:
    deployment = subject.service.deployment
    for name, found in (("canary", deployment.canary), ("linear", deployment.linear)):
        if found is not None and deployment.strategy != name:
            at = (*DEPLOYMENT, name)
            yield Problem(
                at=at,
                message=f"`{name}` has no effect with `strategy: {deployment.strategy}`",
                fix=f"remove it, or use `strategy: {name}`",
                uses=(STRATEGY, at),
                on_key=True,
            )


def _approval(subject: Subject) -> Iterator[Problem]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TimeoutConfiguration.html"""
    deployment, at = subject.service.deployment, (*DEPLOYMENT, "approval")
    if deployment.approval is None:
        return
    if not deployment.shifts_traffic:
        yield Problem(
            at=at,
            message="ECS does not pause a deployment with `strategy: rolling`",
            fix="remove it, or use `strategy: blueGreen`",
            uses=(STRATEGY, at),
            on_key=True,
        )
    elif deployment.approval.minutes > LONGEST_PAUSE:
        yield Problem(
            at=(*at, "timeout"),
            message=f"ECS waits at most 336h for an answer, and not {deployment.approval.timeout}",
            fix="use `timeout: 336h`, or less",
            uses=(at, (*at, "timeout")),
        )


def _without_pair(subject: Subject) -> Problem | None:
    """Where FSD cannot make two target groups and the rule that divides requests between them."""
    strategy, balancer = subject.service.deployment.strategy, None
    if subject.has_load_balancer:
        balancer = subject.service.networking.load_balancer
    why = ""
    at: KeyPath = BALANCER
    if balancer is None:
        why, at = "this service has no load balancer", STRATEGY
    elif balancer.is_network:
        why, at = "this is a network load balancer", (*BALANCER, "type")
    elif balancer.target_group_arn is not None:
        why, at = "FSD does not create this target group", (*BALANCER, "targetGroupArn")
    if not why:
        return None
    return Problem(
        at=at,
        message=f"`strategy: {strategy}` shifts traffic between two target groups of an "
        f"application load balancer, and {why}",
        fix="use `strategy: rolling`, or a `networking.loadBalancer` that FSD creates",
        uses=(STRATEGY, at, BALANCER, ("service", "port")),
    )
