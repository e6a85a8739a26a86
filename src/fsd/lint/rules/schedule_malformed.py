"""A schedule is text that AWS reads when it is deployed; what AWS would refuse is found before.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath

SCHEDULE = ("service", "schedule")
ZONE = ("service", "timezone")


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    schedule = service.schedule or ""
    fault = _find_fault(schedule) if schedule.startswith("cron(") else None
    if fault is not None:
        yield Problem(at=SCHEDULE, message=fault[0], fix=fault[1])
    yield from _zone(service.timezone, ZONE)
    scheduled = service.auto_scaling.schedules if service.auto_scaling else ()
    for index, one in enumerate(scheduled):
        at: KeyPath = ("service", "autoScaling", "schedules", index)
        found = _find_fault(one.expression)
        if found is not None:
            yield Problem(at=(*at, "cron"), message=found[0], fix=found[1])
        yield from _zone(one.timezone, (*at, "timezone"))


def _find_fault(schedule: str) -> tuple[str, str] | None:
    # Only a schedule pays for it.
    from fsd.manifest.cron import find_fault

    return find_fault(schedule)


def _zone(zone: str | None, at: KeyPath) -> Iterator[Problem]:
    if zone is not None and not is_zone(zone):
        yield Problem(
            at=at,
            message=f"`{zone}` is not a time zone of the IANA database",
            fix="use a name from it, such as Europe/Berlin or UTC",
        )


def is_zone(name: str) -> bool:
    """True also on a machine that has no time zones at all: AWS will say it then."""
    # Only a schedule with a time zone pays for it.
    import zoneinfo

    known = zoneinfo.available_timezones()
    return not known or name in known
