"""When a scheduled job of Copilot's runs, and for how long.

https://aws.github.io/copilot-cli/docs/manifest/scheduled-job/
"""

from __future__ import annotations

import re

from fsd.importing.reader import Reader, literal
from fsd.importing.values import Value
from fsd.manifest.cron import from_unix


def read_job(reader: Reader) -> dict[str, Value]:
    on = reader.inside("on")
    schedule = _schedule(on)
    on.finish()
    found: dict[str, Value] = {
        "schedule": schedule,
        "timeout": _duration(reader.seconds("timeout")),
        "retries": reader.number("retries"),
    }
    if found["retries"]:
        reader.lose("retries", "FSD repeats a start that ECS refuses, not a run that fails")
    return found


def _schedule(on: Reader) -> Value:
    """AWS's own expressions, a crontab's line, `@daily`, `@every 90m`; `none` is by hand."""
    written = on.text("schedule")
    if not written or written == "none":
        return None
    if re.match(r"(rate|cron)\(", written):
        return literal(written)
    found = from_unix(written)
    if found is None:
        on.lose("schedule", "EventBridge Scheduler has no such schedule: write `schedule` yourself")
    return found


def _duration(seconds: int | None) -> Value:
    if not seconds:
        return None
    return f"{seconds}s" if seconds % 60 else f"{seconds // 60}m"
