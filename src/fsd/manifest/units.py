"""The number to write where somebody wrote a unit: `512MB`, `0.25`, `5s`.

Each number of the language has one unit, and is written without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from math import ceil

from fsd.manifest.fargate import nearest_cpu


class Unit(StrEnum):
    """What a number of the language counts; the value is how a message names it."""

    CPU = "CPU units, 1024 is one vCPU"
    MEMORY = "MiB"
    SECONDS = "seconds"
    MINUTES = "minutes"
    DAYS = "days"
    PERCENT = "percent"
    PORT = "port"
    COUNT = "count"
    DISK = "GiB"


# By the last key of the path, which is enough: none means two things.
UNITS: Mapping[str, Unit] = {
    "cpu": Unit.CPU,
    "memory": Unit.MEMORY,
    "startPeriod": Unit.SECONDS,
    "messagesPerTask": Unit.COUNT,
    "target": Unit.COUNT,
    "priority": Unit.COUNT,
    "retries": Unit.COUNT,
    "targetRequestsPerTask": Unit.COUNT,
    "idleTimeout": Unit.SECONDS,
    "stickiness": Unit.SECONDS,
    "base": Unit.COUNT,
    "percent": Unit.PERCENT,
    "ephemeralStorage": Unit.DISK,
    "stopTimeout": Unit.SECONDS,
    "softLimit": Unit.COUNT,
    "hardLimit": Unit.COUNT,
    "interval": Unit.SECONDS,
    "timeout": Unit.SECONDS,
    "gracePeriod": Unit.SECONDS,
    "scaleInCooldown": Unit.SECONDS,
    "scaleOutCooldown": Unit.SECONDS,
    "deregistrationDelay": Unit.SECONDS,
    "bakeTime": Unit.MINUTES,
    "stepPercent": Unit.PERCENT,
    "stepBakeTime": Unit.MINUTES,
    "steadyFor": Unit.SECONDS,
    "retention": Unit.DAYS,
    "targetCPUUtilization": Unit.PERCENT,
    "targetMemoryUtilization": Unit.PERCENT,
    "minimumHealthyPercent": Unit.PERCENT,
    "maximumPercent": Unit.PERCENT,
    "healthyPercent": Unit.PERCENT,
    "port": Unit.PORT,
    "desiredCount": Unit.COUNT,
    "minCapacity": Unit.COUNT,
    "maxCapacity": Unit.COUNT,
    "healthyThreshold": Unit.COUNT,
    "unhealthyThreshold": Unit.COUNT,
    "threshold": Unit.COUNT,
}

# Seconds; what Go, Compose, systemd and people write.
_TIMES = {
    "ms": 0.001,
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hr": 3600,
    "hrs": 3600,
    "hour": 3600,
    "hours": 3600,
    "d": 86400,
    "day": 86400,
    "days": 86400,
    "w": 604800,
    "week": 604800,
    "weeks": 604800,
    "month": 30 * 86400,
    "months": 30 * 86400,
    "y": 365 * 86400,
    "year": 365 * 86400,
    "years": 365 * 86400,
}
# MiB. Who writes `512MB` for a container means 512 MiB: AWS's own pages do.
_MEMORIES = {
    "": 1,
    "k": 1 / 1024,
    "kb": 1 / 1024,
    "ki": 1 / 1024,
    "kib": 1 / 1024,
    "m": 1,
    "mb": 1,
    "mi": 1,
    "mib": 1,
    "g": 1024,
    "gb": 1024,
    "gi": 1024,
    "gib": 1024,
}
_VCPUS = {"": 1, "vcpu": 1, "vcpus": 1, "cpu": 1, "cpus": 1, "core": 1, "cores": 1, "m": 0.001}
_PER_UNIT = {Unit.SECONDS: 1, Unit.MINUTES: 60, Unit.DAYS: 86400}
_LONGEST = 40  # characters; no amount is longer

_AMOUNT = re.compile(r"(?P<number>[0-9]*\.?[0-9]+|[0-9]+\.)\s*(?P<unit>[a-z%]*)", re.IGNORECASE)
_PORT = re.compile(
    r"(?:[0-9.]*:|localhost:|\[::\]:)*(?P<port>[0-9]{1,5})(?:/(?:tcp|http|https))?$", re.IGNORECASE
)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "none": 0}


def unit_of(key: str) -> Unit | None:
    return UNITS.get(key)


def unit_text(key: str) -> str:
    """` (seconds)`, to be put behind a number; "" where the key's name says it."""
    unit = unit_of(key)
    return "" if unit in (None, Unit.PORT, Unit.COUNT) else f" ({unit})"


def number_meant(key: str, text: str) -> int | None:
    """The whole number to write for this key; None where the text is no amount of its unit."""
    unit, written = unit_of(key), text.strip().lower()
    if unit is None or len(written) > _LONGEST:
        return None
    if written in _WORDS:
        return _WORDS[written]
    match unit:
        case Unit.CPU:
            return _cpu(written)
        case Unit.MEMORY:
            return _memory(written)
        case Unit.DISK:
            amount = _memory(written if _amount_has_unit(written) else f"{written}gb")
            return None if amount is None else ceil(amount / 1024)
        case Unit.SECONDS | Unit.MINUTES | Unit.DAYS:
            return _duration(written, unit)
        case Unit.PERCENT:
            return _percent(written)
        case Unit.PORT:
            found = _PORT.match(written)
            return int(found["port"]) if found else None
    return _plain(written)


def _cpu(text: str) -> int | None:
    """CPU units; `0.25` and `500m` are vCPUs, and Fargate has sizes only."""
    parsed = _amount(text)
    if parsed is None:
        return None
    number, unit = parsed
    if unit == "" and (number >= 64 or "." not in text):
        return _whole(number)
    if unit not in _VCPUS:
        return None
    return nearest_cpu(ceil(number * _VCPUS[unit] * 1024))


def _memory(text: str) -> int | None:
    """MiB; `0.5` and `1.5` without a unit are GB, as in Fargate's prices."""
    parsed = _amount(text)
    if parsed is None or parsed[1] not in _MEMORIES:
        return None
    number, unit = parsed
    if unit == "" and "." in text and number < 64:
        unit = "gb"
    return ceil(number * _MEMORIES[unit])


def _amount_has_unit(text: str) -> bool:
    parsed = _amount(text)
    return parsed is not None and parsed[1] != ""


def _duration(text: str, unit: Unit) -> int | None:
    """In the key's unit, rounded up; `1m30s` and `1 min 30 s` too."""
    seconds, rest = 0.0, text.replace(" ", "")
    if not rest:
        return None
    while rest:
        found = _AMOUNT.match(rest)
        if found is None:
            return None
        name = found["unit"]
        if name not in _TIMES and name:
            return None
        seconds += float(found["number"]) * (_TIMES[name] if name else _PER_UNIT[unit])
        rest = rest[found.end() :]
    return ceil(round(seconds / _PER_UNIT[unit], 6))


def _percent(text: str) -> int | None:
    """`0.75` is 75: nobody keeps a CPU below one percent."""
    parsed = _amount(text)
    if parsed is None or parsed[1] not in ("", "%", "percent", "pct"):
        return None
    number, unit = parsed
    return round(number * 100) if unit == "" and "." in text and number <= 1 else round(number)


def _plain(text: str) -> int | None:
    parsed = _amount(text)
    return _whole(parsed[0]) if parsed and parsed[1] in ("", "x", "tasks", "task") else None


def _whole(number: float) -> int | None:
    return int(number) if number == int(number) else None


def _amount(text: str) -> tuple[float, str] | None:
    """Number and unit of `512 MB`, `1,024` or `1_024`."""
    found = _AMOUNT.fullmatch(re.sub(r"(?<=[0-9])[,_](?=[0-9]{3}\b)", "", text))
    return (float(found["number"]), found["unit"]) if found else None
