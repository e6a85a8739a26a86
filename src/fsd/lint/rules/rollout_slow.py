"""A rollout that takes minutes is one that nobody waits for, and a slow way back.

What a release waits for is in the manifest: the first health check, the draining of old targets,
the batches that minimumHealthyPercent and maximumPercent leave room for, the bake time. A grace
period does not slow a good release down; it is how long a bad one stays unnoticed.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import Severity
from fsd.manifest.key_path import KeyPath
from fsd.manifest.rollout_time import (
    Estimate,
    Part,
    batch_size,
    batches,
    estimate_failure,
    estimate_rollout,
)

_LIMIT = 300
_DEPLOYMENT = ("service", "deployment")
_CHECK = ("service", "healthCheck")
_MAXIMUM = (*_DEPLOYMENT, "maximumPercent")
_MINIMUM = (*_DEPLOYMENT, "minimumHealthyPercent")

_PLACES: dict[Part, KeyPath] = {
    Part.START: ("service",),
    Part.CHECK: (*_CHECK, "interval"),
    Part.GRACE: (*_CHECK, "gracePeriod"),
    Part.DRAIN: (*_DEPLOYMENT, "deregistrationDelay"),
    Part.BATCHES: _MAXIMUM,
    Part.BAKE: (*_DEPLOYMENT, "bakeTime"),
    Part.STEADY: (*_DEPLOYMENT, "steadyFor"),
}
_FIXES = {
    Part.START: "use a smaller image",
    Part.CHECK: "set `interval: 10`: a new task is healthy after its first successful check",
    Part.GRACE: "set `gracePeriod: 60`, or the time that the service needs to start",
    Part.DRAIN: "set `deregistrationDelay: 30`, unless requests take longer",
    Part.BATCHES: "set `minimumHealthyPercent: 100` and `maximumPercent: 200` to replace all "
    "tasks at once",
    Part.BAKE: "shorten `bakeTime` if the alarms go off sooner",
    Part.STEADY: "set `steadyFor: 60`, or the time in which a bad release crashes",
}
_USES: tuple[KeyPath, ...] = (
    *_PLACES.values(),
    _MINIMUM,
    ("service", "resources", "desiredCount"),
    ("service", "port"),
    (*_DEPLOYMENT, "strategy"),
)


def check(subject: Subject) -> Iterator[Problem]:
    service, deployment = subject.service, subject.service.deployment
    if deployment.minimum_healthy_percent == deployment.maximum_percent == 100:
        yield _refused(subject)
        return
    shifts = deployment.shifts_traffic  # then the time is asked for, and there are no batches
    if service.resources.desired and batch_size(service) <= 0 and not shifts:
        yield _hanging(subject)
        return
    rollout, failure = estimate_rollout(service), estimate_failure(service)
    if rollout.seconds > _LIMIT and not shifts:
        yield _slow(subject, rollout, what="a rollout takes", after=_in_batches(subject))
    elif failure.seconds > _LIMIT:
        yield _slow(subject, failure, what="a release that never becomes healthy is noticed after")


def _slow(subject: Subject, estimate: Estimate, *, what: str, after: str = "") -> Problem:
    parts = ", ".join(f"{seconds} s {part}" for part, seconds in estimate.parts)
    return Problem(
        at=_place(subject, estimate.dominant),
        message=f"{what} about {estimate.seconds} s{after}: {parts}",
        fix=_FIXES[estimate.dominant],
        uses=_USES,
    )


def _in_batches(subject: Subject) -> str:
    count = batches(subject.service)
    return f" in {count} batches" if count > 1 else ""


def _place(subject: Subject, part: Part) -> KeyPath:
    if part is Part.BATCHES and not subject.is_written(*_MAXIMUM):
        return _MINIMUM
    return _PLACES[part]


def _refused(subject: Subject) -> Problem:
    """CreateService and UpdateService answer an InvalidParameterException, whatever the count."""
    return Problem(
        at=_place(subject, Part.BATCHES),
        message="ECS refuses minimumHealthyPercent 100 with maximumPercent 100: it could neither "
        "stop nor start a task",
        fix=_FIXES[Part.BATCHES],
        uses=_USES,
        severity=Severity.ERROR,
    )


def _hanging(subject: Subject) -> Problem:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html"""
    deployment, count = subject.service.deployment, subject.service.resources.desired
    return Problem(
        at=_place(subject, Part.BATCHES),
        message=f"a rollout of {count} task{'' if count == 1 else 's'} never ends: "
        f"minimumHealthyPercent {deployment.minimum_healthy_percent} and maximumPercent "
        f"{deployment.maximum_percent} let ECS neither stop nor start one",
        fix=_FIXES[Part.BATCHES],
        uses=_USES,
        severity=Severity.WARNING,
    )
