"""Log lines from CloudWatch. A group or stream that is not there (yet) has no lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError
from fsd.release.ports import LogLine, PermissionDenied

_EMPTY_PAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchLogs:
    """`fsd.release.ports.LogsPort`."""

    clients: Clients

    def tail(self, group: str, stream: str, limit: int) -> Sequence[LogLine]:
        """A page may be empty although there are lines before it: then the token goes back.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
        """
        parameters: dict[str, Any] = {
            "logGroupName": group,
            "logStreamName": stream,
            "startFromHead": False,
            "limit": limit,
        }
        for _ in range(_EMPTY_PAGES):
            try:
                page = call(self._client, "get_log_events", f"{group} {stream}", **parameters)
            except CallFailedError as error:
                return _none_if_absent(error)
            token = page.get("nextBackwardToken")
            if page.get("events") or not token or token == parameters.get("nextToken"):
                return tuple(_line(event, stream) for event in page.get("events", []))
            parameters["nextToken"] = token
        return ()

    def since(self, group: str, start: datetime, prefix: str = "") -> Sequence[LogLine]:
        below = {"logStreamNamePrefix": prefix} if prefix else {}
        try:
            lines = [
                _line(event, event.get("logStreamName", ""))
                for page in pages(
                    self._client,
                    "filter_log_events",
                    group,
                    logGroupName=group,
                    startTime=int(start.timestamp() * 1000),
                    **below,
                )
                for event in page.get("events", [])
            ]
        except CallFailedError as error:
            return _none_if_absent(error)
        return sorted(lines, key=lambda line: line.at)

    def has_group(self, name: str) -> bool:
        try:
            found = pages(self._client, "describe_log_groups", name, logGroupNamePrefix=name)
            return any(one["logGroupName"] == name for page in found for one in page["logGroups"])
        except PermissionDenied:
            return True

    @property
    def _client(self) -> Any:
        return self.clients.client("logs")


def _none_if_absent(error: CallFailedError) -> Sequence[LogLine]:
    if aws_code(error) == "ResourceNotFoundException":
        return ()
    raise error


def _line(event: dict[str, Any], stream: str) -> LogLine:
    at = datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC)
    return LogLine(at=at, text=str(event["message"]), stream=stream)
