"""When a schedule is due: `rate(…)`, `cron(…)` and `at(…)` of EventBridge Scheduler. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = 366 * 8 + 2  # days: 29 February comes again within
_FIELDS = 6


class ExpressionError(ValueError):
    """An expression that EventBridge Scheduler does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    day: str
    months: frozenset[int]
    weekday: str
    years: frozenset[int]

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """In UTC. A time that a change of the clock skips is left out; one that it repeats is the
        first of the two."""
        start = instant.astimezone(zone).date()
        for offset in range(_LONGEST):
            day = start + timedelta(days=offset)
            if not self._has_day(day):
                continue
            for found in self._times(day, zone):
                if found > instant:
                    return found
        return None

    def _times(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                local = datetime.combine(day, time(hour, minute), zone)
                found = local.astimezone(UTC)
                if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    yield found

    def _has_day(self, day: date) -> bool:
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.weekday == "?":
            return any(_is_day(part, day) for part in self.day.split(","))
        return any(_is_weekday(part, day) for part in self.weekday.split(","))


def load_cron(expression: str) -> Cron:
    """Raises ExpressionError."""
    match = re.fullmatch(r"cron\(([^()]+)\)", expression)
    fields = match[1].upper().split() if match else []
    if len(fields) != _FIELDS or (fields[2] == "?") is (fields[4] == "?"):
        raise ExpressionError(expression)
    try:
        found = Cron(
            minutes=_numbers(fields[0], 0, 59),
            hours=_numbers(fields[1], 0, 23),
            day=fields[2],
            months=_numbers(fields[3], 1, 12, _MONTHS),
            weekday=fields[4],
            years=_numbers(fields[5], 1970, 2199),
        )
        found._has_day(date(min(found.years), min(found.months), 1))  # reads both days
    except ValueError as error:
        raise ExpressionError(expression) from error
    return found


def interval_of(expression: str) -> timedelta | None:
    """Of a `rate`; None for another."""
    match = _RATE.fullmatch(expression)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else None


def instant_of(expression: str, zone: ZoneInfo) -> datetime | None:
    """Of an `at`, in UTC; None for another."""
    match = re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", expression)
    return datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC) if match else None


def due_after(expression: str, since: datetime, zone: ZoneInfo) -> datetime | None:
    """The next time after `since`; None where there is none."""
    interval = interval_of(expression)
    if interval is not None:
        return since + interval
    instant = instant_of(expression, zone)
    if instant is not None:
        return instant if instant > since else None
    return load_cron(expression).next_after(since, zone)


def check(expression: str, zone: str) -> None:
    """Raises ExpressionError for what AWS refuses, KeyError for a time zone that it does not know.

    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
    """
    found = ZoneInfo(zone)
    if interval_of(expression) is None and instant_of(expression, found) is None:
        load_cron(expression)


def _numbers(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        ends, _, step = part.partition("/")
        first, dash, last = ends.partition("-")
        begin = low if first == "*" else _number(first, names)
        until = _number(last, names) if dash else (high if first == "*" or step else begin)
        if not low <= begin <= until <= high:
            raise ValueError(part)
        found |= set(range(begin, until + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...]) -> int:
    return names.index(text) + 1 if text in names else int(text)


def _is_day(part: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if part == "LW":
        return day.day == _nearest_weekday(day, last)
    if part.startswith("L"):
        return day.day == last - int(part.removeprefix("L").removeprefix("-") or 0)
    if part.endswith("W"):
        return day.day == _nearest_weekday(day, min(int(part[:-1]), last))
    return day.day in _numbers(part, 1, 31)


def _nearest_weekday(day: date, wanted: int) -> int:
    """Monday to Friday, in the same month."""
    last = calendar.monthrange(day.year, day.month)[1]
    weekday = date(day.year, day.month, wanted).weekday()
    if weekday == 5:  # Saturday
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:  # Sunday
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _is_weekday(part: str, day: date) -> bool:
    number = day.isoweekday() % 7 + 1  # Sunday is 1
    if part == "L":
        return number == 7
    name, hash_, which = part.partition("#")
    if hash_:
        return number == _number(name, _WEEKDAYS) and (day.day - 1) // 7 + 1 == int(which)
    if part.endswith("L"):
        last = calendar.monthrange(day.year, day.month)[1]
        return number == _number(part[:-1], _WEEKDAYS) and day.day + 7 > last
    return number in _numbers(part, 1, 7, _WEEKDAYS)
