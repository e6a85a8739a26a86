from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fsd.aws.exec_sessions import EcsExecSessions
from fsd.errors import CallFailedError
from fsd.release.ports import ExecContainer, ExecTask
from tests.moto.conftest import TestClients

ARN = "arn:aws:ecs:us-east-1:123456789012:task/dev/7f3a"
STARTED = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONTAINER = ExecContainer(name="api", runtime_id="7f3a-1", agent="RUNNING")
TASK = ExecTask(id="7f3a", started_at=STARTED, is_enabled=True, containers=(CONTAINER,))
ASKED = {
    "cluster": "dev",
    "task": "7f3a",
    "container": "api",
    "command": "sh",
    "interactive": True,
}


@pytest.fixture
def sessions(clients: TestClients) -> EcsExecSessions:
    return EcsExecSessions(clients=clients, read_key=dict)


def test_running_tasks__one_that_runs_and_one_that_starts__the_first(
    sessions: EcsExecSessions, stub: Callable[[str], Stubber]
) -> None:
    ecs = stub("ecs")
    ecs.add_response(
        "list_tasks", {"taskArns": [ARN, ARN + "b"]}, {"cluster": "dev", "serviceName": "api-dev"}
    )
    agent = {"name": "ExecuteCommandAgent", "lastStatus": "RUNNING"}
    running = {
        "taskArn": ARN,
        "lastStatus": "RUNNING",
        "startedAt": STARTED,
        "enableExecuteCommand": True,
        "containers": [{"name": "api", "runtimeId": "7f3a-1", "managedAgents": [agent]}],
    }
    starting = {"taskArn": ARN + "b", "lastStatus": "PENDING"}
    ecs.add_response(
        "describe_tasks",
        {"tasks": [running, starting]},
        {"cluster": "dev", "tasks": [ARN, ARN + "b"]},
    )

    assert sessions.running_tasks("dev", "api-dev") == [TASK]


def test_running_tasks__an_answer_without_what_may_be_missing__says_less(
    sessions: EcsExecSessions, stub: Callable[[str], Stubber]
) -> None:
    ecs = stub("ecs")
    ecs.add_response("list_tasks", {"taskArns": [ARN]})
    ecs.add_response("describe_tasks", {"tasks": [{"taskArn": ARN, "lastStatus": "RUNNING"}]})

    assert sessions.running_tasks("dev", "api-dev") == [
        ExecTask(id="7f3a", started_at=None, is_enabled=False, containers=())
    ]


def test_open__a_session__has_what_the_plugin_needs(
    sessions: EcsExecSessions, stub: Callable[[str], Stubber]
) -> None:
    session = {"sessionId": "s-1", "streamUrl": "wss://here", "tokenValue": "secret"}
    stub("ecs").add_response("execute_command", {"session": session}, ASKED)

    opened = sessions.open("dev", TASK, CONTAINER, "sh")

    assert (opened.id, opened.target, opened.token) == ("s-1", "ecs:dev_7f3a_7f3a-1", "secret")
    assert "secret" not in repr(opened)


def test_open__target_not_connected__says_aws_s_words(
    sessions: EcsExecSessions, stub: Callable[[str], Stubber]
) -> None:
    said = "The execute command failed due to an internal error. Try again later."
    stub("ecs").add_client_error("execute_command", "TargetNotConnectedException", said)

    with pytest.raises(CallFailedError) as caught:
        sessions.open("dev", TASK, CONTAINER, "sh")

    assert said in caught.value.what


@dataclass(frozen=True)
class Elsewhere:
    """Clients of another Region, and so of its partition."""

    region: str

    def client(self, service: str, *, attempts: int = 1, region: str = "") -> Any:
        del attempts, region
        return boto3.client(service, region_name=self.region)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://ssm.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn"),
        ("cn-northwest-1", "https://ssm.cn-northwest-1.amazonaws.com.cn"),
        ("us-gov-west-1", "https://ssm.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "https://ssm.us-iso-east-1.c2s.ic.gov"),
        ("eusc-de-east-1", "https://ssm.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_session_manager_url__each_partition__its_own_host(region: str, url: str) -> None:
    assert EcsExecSessions(clients=Elsewhere(region), read_key=dict).session_manager_url() == url


def test_session_manager_url__fips__its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    url = EcsExecSessions(clients=Elsewhere("us-east-1"), read_key=dict).session_manager_url()

    assert url == "https://ssm-fips.us-east-1.amazonaws.com"
