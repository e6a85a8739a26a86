from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import Stubber

from fsd.aws.logs import CloudWatchLogs
from fsd.errors import CallFailedError
from fsd.release.ports import LogLine
from tests.moto.conftest import TestClients

GROUP = "/ecs/web-dev"


@pytest.fixture
def logs(clients: TestClients) -> CloudWatchLogs:
    return CloudWatchLogs(clients=clients)


@pytest.fixture
def start(clients: TestClients, in_moto: None) -> datetime:
    """A group with two streams, whose lines alternate by the second."""
    del in_moto
    client = clients.client("logs")
    client.create_log_group(logGroupName=GROUP)
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    for offset, stream in enumerate(("web/web/a", "worker/w/b")):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        client.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[
                {
                    "timestamp": int((now + timedelta(seconds=2 * n + offset)).timestamp() * 1000),
                    "message": f"{stream} {n}",
                }
                for n in range(3)
            ],
        )
    return now


def test_tail__more_lines_than_asked__the_last_oldest_first(
    logs: CloudWatchLogs, start: datetime
) -> None:
    assert list(logs.tail(GROUP, "web/web/a", 2)) == [
        LogLine(at=start + timedelta(seconds=2), text="web/web/a 1", stream="web/web/a"),
        LogLine(at=start + timedelta(seconds=4), text="web/web/a 2", stream="web/web/a"),
    ]


@pytest.mark.usefixtures("start")
def test_tail__no_such_stream__empty(logs: CloudWatchLogs) -> None:
    assert list(logs.tail(GROUP, "web/web/none", 2)) == []


@pytest.mark.usefixtures("in_moto")
def test_tail__no_such_group__empty(logs: CloudWatchLogs) -> None:
    assert list(logs.tail("/none", "web/web/a", 2)) == []


def test_tail__first_page_is_empty__goes_back_by_the_token(
    logs: CloudWatchLogs, stub: Callable[[str], Stubber]
) -> None:
    expected = {
        "logGroupName": GROUP,
        "logStreamName": "s",
        "startFromHead": False,
        "limit": 5,
    }
    aws = stub("logs")
    aws.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"}, expected)
    aws.add_response(
        "get_log_events",
        {"events": [{"timestamp": 1000, "message": "hello"}], "nextBackwardToken": "b/2"},
        {**expected, "nextToken": "b/1"},
    )

    [line] = logs.tail(GROUP, "s", 5)

    assert line == LogLine(at=datetime.fromtimestamp(1, UTC), text="hello", stream="s")


def test_tail__token_does_not_move__empty(
    logs: CloudWatchLogs, stub: Callable[[str], Stubber]
) -> None:
    aws = stub("logs")
    aws.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"})
    aws.add_response("get_log_events", {"events": [], "nextBackwardToken": "b/1"})

    assert list(logs.tail(GROUP, "s", 5)) == []


def test_tail__denied__raised(logs: CloudWatchLogs, stub: Callable[[str], Stubber]) -> None:
    stub("logs").add_client_error("get_log_events", "AccessDeniedException", "no")

    with pytest.raises(CallFailedError) as caught:
        logs.tail(GROUP, "s", 5)

    assert caught.value.where == f"GetLogEvents {GROUP} s"


def test_since__all_streams__interleaved_by_time(logs: CloudWatchLogs, start: datetime) -> None:
    lines = logs.since(GROUP, start + timedelta(seconds=2))

    assert [line.text for line in lines] == [
        "web/web/a 1",
        "worker/w/b 1",
        "web/web/a 2",
        "worker/w/b 2",
    ]
    assert lines[0].stream == "web/web/a"


def test_since__prefix__asked_for(logs: CloudWatchLogs, stub: Callable[[str], Stubber]) -> None:
    stub("logs").add_response(
        "filter_log_events",
        {"events": []},
        {"logGroupName": GROUP, "startTime": 1000, "logStreamNamePrefix": "worker/"},
    )

    assert list(logs.since(GROUP, datetime.fromtimestamp(1, UTC), "worker/")) == []


@pytest.mark.usefixtures("in_moto")
def test_since__no_such_group__empty(logs: CloudWatchLogs) -> None:
    assert list(logs.since("/none", datetime.now(UTC))) == []


def test_since__second_page__read_too(logs: CloudWatchLogs, stub: Callable[[str], Stubber]) -> None:
    aws = stub("logs")
    expected = {"logGroupName": GROUP, "startTime": 0}
    aws.add_response(
        "filter_log_events",
        {"events": [{"timestamp": 2, "message": "b", "logStreamName": "s"}], "nextToken": "n"},
        expected,
    )
    aws.add_response(
        "filter_log_events",
        {"events": [{"timestamp": 1, "message": "a", "logStreamName": "s"}]},
        {**expected, "nextToken": "n"},
    )

    assert [line.text for line in logs.since(GROUP, datetime.fromtimestamp(0, UTC))] == ["a", "b"]
