from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ministack.services import cloudwatch_logs

from fsd_local.logs import MiniStackLogs
from fsd_local.patches.scope import scope
from fsd_local.ports import LogTarget

_accounts = itertools.count(1)
GROUP = "/ecs/app-dev"


@pytest.fixture
def target() -> LogTarget:
    account = f"8{next(_accounts):011}"
    return LogTarget(account=account, region="us-east-1", group=GROUP, stream="app/web/1")


def create_group(target: LogTarget) -> None:
    with scope(target.account, target.region):
        cloudwatch_logs._create_log_group({"logGroupName": target.group})


def read(target: LogTarget) -> Any:
    with scope(target.account, target.region):
        _, _, body = cloudwatch_logs._get_log_events(
            {"logGroupName": target.group, "logStreamName": target.stream, "startFromHead": True}
        )
    return [(event["timestamp"], event["message"]) for event in json.loads(body)["events"]]


def test_write__lines__are_read_by_the_api_in_order(target: LogTarget) -> None:
    create_group(target)
    logs = MiniStackLogs()
    logs.write(target, [(1000, "one"), (1001, "two")])
    logs.write(target, [(1002, "three")])
    assert read(target) == [(1000, "one"), (1001, "two"), (1002, "three")]


def test_write__no_line_yet__the_stream_is_there(target: LogTarget) -> None:
    create_group(target)

    MiniStackLogs().write(target, [])

    assert read(target) == []


def test_write__group_went_away__is_nothing(target: LogTarget) -> None:
    MiniStackLogs().write(target, [(1, "lost")])
    assert not MiniStackLogs().exists(target)


def test_exists__group_in_another_region__is_another_group(target: LogTarget) -> None:
    create_group(target)
    there = LogTarget(account=target.account, region="eu-west-1", group=GROUP, stream="s")
    assert MiniStackLogs().exists(target)
    assert not MiniStackLogs().exists(there)


def test_write__chatty_task__keeps_the_latest(target: LogTarget) -> None:
    create_group(target)
    logs = MiniStackLogs()
    logs.write(target, [(n, str(n)) for n in range(20_001)])
    with scope(target.account, target.region):
        events = cloudwatch_logs._log_groups[GROUP]["streams"][target.stream]["events"]
    assert len(events) == 15_000
    assert events[-1]["message"] == "20000"
