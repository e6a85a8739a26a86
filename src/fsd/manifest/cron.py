"""Cron expressions as EventBridge Scheduler and Application Auto Scaling read them. Pure.

Six fields, of which one of the two days is `?`; days of the week count from Sunday, which is 1.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FIELDS = "minutes hours day-of-month month day-of-week year"

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNIX_FIELDS = 5
_LONGEST = 256  # characters of a schedule, as EventBridge Scheduler takes it
_EVERY = r"@every (?:([0-9]+)h)?(?:([0-9]+)m)?(?:0s)?"
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = ""  # a pattern beside numbers, ranges, steps and `*`
    takes_steps: bool = True

    def is_right(self, text: str) -> bool:
        return all(self._is_part(part.upper()) for part in text.split(","))

    def _is_part(self, part: str) -> bool:
        if self.special and re.fullmatch(self.special, part):
            return self._has_known_day(part)
        match = re.fullmatch(r"(\*|[A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/([0-9]+))?", part)
        if match is None:
            return False
        first, last, step = match.groups()
        if step is not None and (not self.takes_steps or int(step) == 0):
            return False
        if first == "*":
            return last is None
        ends = [self._number(end) for end in (first, last) if end is not None]
        return all(self.low <= end <= self.high for end in ends)

    def _has_known_day(self, part: str) -> bool:
        head = re.match(r"[A-Z]{3}|[0-9]+", part)
        return head is None or self.low <= self._number(head[0]) <= self.high

    def _number(self, text: str) -> int:
        """-1 for what is none."""
        if text in self.names:
            return self.names.index(text) + 1
        return int(text) if text.isdigit() else -1


_CRON = (
    _Field(name="minutes", low=0, high=59),
    _Field(name="hours", low=0, high=23),
    _Field(name="day-of-month", low=1, high=31, special=r"\?|L(-[0-9]+)?|LW|[0-9]+W"),
    _Field(name="month", low=1, high=12, names=_MONTHS),
    _Field(
        name="day-of-week",
        low=1,
        high=7,
        names=_DAYS,
        special=r"\?|L|([1-7]|[A-Z]{3})L|([1-7]|[A-Z]{3})#[1-5]",
        takes_steps=False,
    ),
    _Field(name="year", low=1970, high=2199),
)


def find_fault(expression: str) -> tuple[str, str] | None:
    """(what AWS refuses, what to write) of a `cron(…)`; None for one that it takes."""
    written = expression.removeprefix("cron(").removesuffix(")").split()
    if len(written) != len(_CRON):
        what = f"`{expression}` has {len(written)} fields, but AWS requires 6: {FIELDS}"
        meant = from_unix(" ".join(written)) if len(written) == _UNIX_FIELDS else None
        return what, f"`{meant}`" if meant else "`cron(0 6 * * ? *)` is six o'clock every day"
    for field, text in zip(_CRON, written, strict=True):
        if not field.is_right(text):
            what = f"`{text}` is not a value of {field.name} in `{expression}`"
            return what, _plain(expression) or _limits(field)
    days = (written[2], written[4])
    if (days[0] == "?") is (days[1] == "?"):
        what = f"`{expression}` needs `?` in one of day-of-month and day-of-week, and not in both"
        written[4 if days[1] in {"*", "?"} else 2] = "?"
        if days == ("?", "?"):
            written[2] = "*"
        return what, f"`cron({' '.join(written)})`"
    return None


def _plain(expression: str) -> str | None:
    """Where it is right but for commas between the fields, or a `cron(…)` around a `cron(…)`."""
    inner = expression.replace("cron(", "").rstrip(")")
    found = f"cron({' '.join(part.strip(',') for part in inner.split())})"
    is_right = found != expression and find_fault(found) is None
    return f"write `{found}`" if is_right else None


def _limits(field: _Field) -> str:
    names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return f"{field.name} is {field.low} to {field.high}{names}"


def from_unix(text: str) -> str | None:
    """A crontab's line, a nickname or `@every 1h30m` as AWS's expression.

    None for what AWS cannot say: both days at once, seconds, a step over a whole month's end.
    """
    if len(text) > _LONGEST:
        return None
    text = _NICKNAMES.get(text.strip(), text.strip())
    every = re.fullmatch(_EVERY, text)
    if every is not None:
        minutes = int(every[1] or 0) * 60 + int(every[2] or 0)
        return _rate(minutes) if minutes else None
    fields = text.split()
    if len(fields) != _UNIX_FIELDS:
        return None
    minute, hour, day, month, weekday = fields
    weekdays = _weekdays(weekday)
    if weekdays is None or (day != "*" and weekdays != "*"):
        return None
    if weekdays == "*":
        weekdays = "?"
    else:
        day = "?"
    found = f"cron({minute} {hour} {day} {month} {weekdays} *)"
    return found if find_fault(found) is None else None


def _rate(minutes: int) -> str:
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        count, rest = divmod(minutes, length)
        if count and not rest:
            return f"rate({count} {unit}{'' if count == 1 else 's'})"
    return ""


def _weekdays(text: str) -> str | None:
    """Sunday is 0 or 7 in a crontab, and 1 for AWS, which has no steps in this field."""
    if text == "*":
        return text
    found = [*_parts(text)]
    return None if None in found else ",".join(str(part) for part in found)


def _parts(text: str) -> Iterator[str | None]:
    for part in text.upper().split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(end in _DAYS or re.fullmatch("[0-7]", end) for end in ends):
            yield None
            continue
        yield "-".join(end if end in _DAYS else _DAYS[int(end) % 7] for end in ends)
