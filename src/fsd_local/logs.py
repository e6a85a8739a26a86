"""CloudWatch Logs for the tasks of the embedded AWS, written in process.

Straight into the stream's events: the API's own path also keeps a second copy of each line for
GetLogRecord, which nothing here asks for.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from ministack.services import cloudwatch_logs

from fsd_local.patches.scope import scope
from fsd_local.ports import LogTarget

_LONGEST_STREAM = 20_000  # events; the oldest go first, so that a chatty task stays affordable
_LONGEST_EVENT = 256 * 1024  # characters, as PutLogEvents allows (in bytes)


class MiniStackLogs:
    """Implements the `LogSink` port. Thread-safe, as MiniStack's log store is."""

    def exists(self, target: LogTarget) -> bool:
        return _group(target) is not None

    def write(self, target: LogTarget, lines: Sequence[tuple[int, str]]) -> None:
        group = _group(target)
        if group is None:
            return
        with scope(target.account, target.region):
            stream = _stream(group, target)
            if stream is None or not lines:
                return
            now = int(time.time() * 1000)
            events = [
                {
                    "timestamp": at,
                    "message": text[:_LONGEST_EVENT],
                    "ingestionTime": now,
                    "eventId": uuid.uuid4().hex,
                }
                for at, text in lines
            ]
            cloudwatch_logs._append_log_events(stream, events)
            _trim(stream)
            cloudwatch_logs._fanout_to_live_tail_sessions(target.group, target.stream, events)

    def read(self, target: LogTarget, most: int) -> Sequence[tuple[int, str]]:
        """The last lines: (milliseconds since the epoch, text)."""
        group = _group(target)
        stream = group["streams"].get(target.stream) if group is not None else None
        events = list(stream["events"][-most:]) if stream is not None else []
        return [(event["timestamp"], event["message"]) for event in events]


def _group(target: LogTarget) -> Any:
    return cloudwatch_logs._log_groups.get_scoped(target.account, target.region, target.group)


def _stream(group: Any, target: LogTarget) -> Any:
    if target.stream not in group["streams"]:
        cloudwatch_logs._create_log_stream(
            {"logGroupName": target.group, "logStreamName": target.stream}
        )
    return group["streams"].get(target.stream)  # None where the group went away meanwhile


def _trim(stream: Any) -> None:
    if len(stream["events"]) > _LONGEST_STREAM:
        with cloudwatch_logs._log_events_lock:
            stream["events"] = stream["events"][-_LONGEST_STREAM * 3 // 4 :]
