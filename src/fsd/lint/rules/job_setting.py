"""A Job runs and ends, and a Service runs all the time: each has keys that the other has not.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest import names
from fsd.manifest.key_path import KeyPath, dotted

OF_JOBS = ("schedule", "timezone", "timeout", "retries", "existingSchedule")
# What AWS has for services alone, and what asks for a port.
OF_SERVICES: tuple[KeyPath, ...] = (
    ("port",),
    ("ports",),
    ("existingService",),
    ("healthCheck",),
    ("autoScaling",),
    ("deployment",),
    ("resources", "desiredCount"),
    ("resources", "minCapacity"),
    ("resources", "maxCapacity"),
    ("networking", "loadBalancer"),
    ("networking", "connect"),
    ("observability", "metrics"),
)
ZONE = ("service", "timezone")
SCHEDULE = ("service", "schedule")
EXISTING = ("service", "existingSchedule")


def check(subject: Subject) -> Iterator[Problem]:
    if not subject.manifest.is_job:
        for name in OF_JOBS:
            yield from _misplaced(subject, ("service", name), "a Service", fix="set `kind: Job`")
        return
    for path in OF_SERVICES:
        at = ("service", *path)
        yield from _misplaced(subject, at, "a Job", fix="remove it, or set `kind: Service`")
    schedule = subject.service.schedule or ""
    if subject.service.timezone is not None and not schedule.startswith("cron("):
        what = f"`{schedule}`" if schedule else "a Job without a schedule"
        yield Problem(
            at=ZONE,
            message=f"{what} has no time zone",
            fix="remove it, or set `schedule` to a `cron(…)` expression",
            uses=(SCHEDULE, ("kind",)),
            on_key=True,
        )
    yield from _check_existing(subject)


def _check_existing(subject: Subject) -> Iterator[Problem]:
    existing = subject.service.existing_schedule
    if existing is None:
        return
    if subject.service.schedule is None:
        yield Problem(
            at=EXISTING,
            message="a Job without a schedule takes over none: nothing would start it any more",
            fix="set `schedule`, or remove `existingSchedule`",
            uses=(SCHEDULE,),
            on_key=True,
        )
    own = names.schedule(subject.manifest.metadata.name, subject.environment or "")
    if existing.arn.endswith(f":schedule/default/{own}"):
        yield Problem(
            at=(*EXISTING, "arn"),
            message="FSD's own schedule has this ARN: a deployment updates it, and disables none",
            fix="remove `existingSchedule`; the first `fsd deploy` needs --adopt",
        )
    elif ":scheduler:" in existing.arn and existing.role is None:
        yield Problem(
            at=(*EXISTING, "arn"),
            message="EventBridge Scheduler disables a schedule only if its role is passed again",
            fix="set `existingSchedule.role` to the role that `aws scheduler get-schedule` shows",
        )


def _misplaced(subject: Subject, at: KeyPath, kind: str, *, fix: str) -> Iterator[Problem]:
    if subject.is_written(*at):
        yield Problem(
            at=at, message=f"{kind} has no `{dotted(at)}`", fix=fix, uses=(("kind",),), on_key=True
        )
