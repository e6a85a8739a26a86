"""The one way to write a duration."""

from __future__ import annotations

from datetime import timedelta


def duration_text(duration: timedelta) -> str:
    """`41s`, `2m04s`, `1h02m`; never `0s`, which would read as nothing done."""
    total = max(1, round(duration.total_seconds()))
    if total < 60:
        return f"{total}s"
    minutes, seconds = divmod(total, 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"
