"""Whose lines `fsd logs` shows, where several services write to one log group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.compile.desired import Json
from fsd.release.operation import ServiceRef
from fsd.release.service_logs import ServiceLogs
from fsd.snapshot import StoppedTask
from tests.fakes.aws import START, FakeAws

OWN, LATER, THEIRS = "7f3a" * 8, "7f3b" * 8, "9c1e" * 8
REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev"
)


def stopped(task: str) -> StoppedTask:
    return StoppedTask(id=task, task_definition_arn="", stop_code="", stopped_reason="")


def logged(group: str) -> Json:
    options: Json = {"awslogs-group": group, "awslogs-stream-prefix": "ecs"}
    logs: Json = {"logDriver": "awslogs", "options": options}
    names = ("web", "nginx")
    return {"containerDefinitions": [{"name": name, "logConfiguration": logs} for name in names]}


def aws_that_logs_to(group: str) -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_running(1)
    aws.ecs.definitions = [replace(one, definition=logged(group)) for one in aws.ecs.definitions]
    aws.ecs.stopped = [stopped(OWN)]
    for task in (OWN, THEIRS):
        for container in ("web", "nginx"):
            aws.logs.say(f"{container} {task[:4]}", stream=f"ecs/{container}/{task}")
    return aws


def logs_of(aws: FakeAws, *, task: str = "") -> ServiceLogs:
    return ServiceLogs(aws=aws.aws(), ref=REF, start=START - timedelta(hours=1), task=task)


def texts(logs: ServiceLogs) -> Sequence[str]:
    return sorted(line.text for line in logs.read())


def test_service_logs__shared_group__lines_of_its_own_tasks() -> None:
    logs = logs_of(aws_that_logs_to("/company/all"))

    assert texts(logs) == ["nginx 7f3a", "web 7f3a"]
    assert logs.groups_left_out == ["/company/all"]


def test_service_logs__shared_group__task_that_starts_meanwhile_is_shown() -> None:
    aws = aws_that_logs_to("/company/all")
    logs = logs_of(aws)
    logs.read()

    aws.ecs.stopped = [stopped(LATER)]
    aws.logs.say("web later", stream=f"ecs/web/{LATER}")
    aws.logs.say("web still", stream=f"ecs/web/{OWN}")

    assert texts(logs) == ["web later", "web still"]


def test_service_logs__shared_group__task_of_another_service_is_not_shown() -> None:
    logs = logs_of(aws_that_logs_to("/company/all"), task=THEIRS)

    assert texts(logs) == []
    assert logs.groups_left_out == ["/company/all"]


def test_service_logs__task_that_ecs_lists_late__is_shown_in_the_end() -> None:
    aws = aws_that_logs_to("/company/all")
    logs = logs_of(aws)
    logs.read()

    aws.ecs.stopped = [stopped(OWN), stopped(THEIRS)]
    shown = [text for _ in range(20) for text in texts(logs)]

    assert shown == ["nginx 9c1e", "web 9c1e"]


def test_service_logs__its_own_group__also_tasks_that_ecs_forgot() -> None:
    logs = logs_of(aws_that_logs_to("/ecs/web-dev"))

    assert texts(logs) == ["nginx 7f3a", "nginx 9c1e", "web 7f3a", "web 9c1e"]
    assert logs.groups_left_out == []


@pytest.mark.parametrize("group", ["/ecs/web-dev", "/company/all"])
def test_service_logs__streams_of_firelens__by_the_task(group: str) -> None:
    aws = aws_that_logs_to(group)
    options: Json = {"Name": "cloudwatch", "log_group_name": group, "log_stream_prefix": "from-"}
    sent: Json = {"logDriver": "awsfirelens", "options": options}
    web: Json = {"containerDefinitions": [{"name": "web", "logConfiguration": sent}]}
    aws.ecs.definitions = [replace(one, definition=web) for one in aws.ecs.definitions]
    aws.logs.lines = []
    for task in (OWN, THEIRS):
        aws.logs.say(task[:4], stream=f"from-web-firelens-{task}")

    assert texts(logs_of(aws, task="7f3a")) == ["7f3a"]


def test_service_logs__group_that_nobody_else_uses__leaves_nothing_out() -> None:
    aws = aws_that_logs_to("/team/web")
    aws.ecs.stopped = [stopped(OWN), stopped(THEIRS)]
    logs = logs_of(aws)

    assert len(texts(logs)) == 4
    assert logs.groups_left_out == []
