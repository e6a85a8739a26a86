"""ECS Exec in the control plane: who gets a session, and how the others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.ecs.cloud import NETWORK, ROLE, ApiFault, Cloud
from tests.waiting import eventually

Json = dict[str, Any]


def execute(cloud: Cloud, task: Json, **more: Any) -> Json:
    asked = {"cluster": "dev", "task": task["taskArn"], "command": "ls -l 'a b'"}
    return cloud.call("ExecuteCommand", **{**asked, "interactive": True, **more})


def refusal(cloud: Cloud, task: Json, **more: Any) -> str:
    with pytest.raises(ApiFault) as caught:
        execute(cloud, task, **more)
    assert caught.value.code == "InvalidParameterException"
    return caught.value.message


@pytest.fixture
def task(cloud: Cloud) -> Json:
    cloud.running_service(task_role=ROLE, enableExecuteCommand=True)
    return cloud.tasks()[0]


def agent_of(task: Json) -> str:
    (agent,) = task["containers"][0]["managedAgents"]
    return str(agent["lastStatus"])


def test_execute_command__a_task_with_exec__opens_a_session(cloud: Cloud, task: Json) -> None:
    answer = execute(cloud, task)

    assert (answer["containerName"], answer["interactive"]) == ("app", True)
    assert answer["session"]["streamUrl"].startswith("ws://127.0.0.1/v1/data-channel/")
    assert agent_of(task) == "RUNNING"


def test_execute_command__not_interactive__is_refused(cloud: Cloud, task: Json) -> None:
    said = refusal(cloud, task, interactive=False)

    assert said == "Interactive is the only mode supported currently."


@pytest.mark.parametrize("command", ["", "  ", "sh -c 'open"])
def test_execute_command__no_command__is_refused(cloud: Cloud, task: Json, command: str) -> None:
    assert "command" in refusal(cloud, task, command=command)


def test_execute_command__another_container__is_refused(cloud: Cloud, task: Json) -> None:
    assert "app" in refusal(cloud, task, container="db")


def test_execute_command__another_task__is_refused(cloud: Cloud) -> None:
    cloud.cluster()

    assert refusal(cloud, {"taskArn": "f" * 32}) == "The referenced task was not found."


def test_execute_command__exec_was_turned_on_later__the_old_task_has_no_agent(
    cloud: Cloud,
) -> None:
    cloud.running_service(task_role=ROLE)
    before = cloud.tasks()[0]
    cloud.update(enableExecuteCommand=True)

    assert "was not enabled when the task was run" in refusal(cloud, before)
    assert "managedAgents" not in before["containers"][0]


def test_execute_command__the_task_role_may_not__the_agent_is_stopped(cloud: Cloud) -> None:
    cloud.roles.denied.add("ssmmessages:OpenDataChannel")
    cloud.running_service(task_role=ROLE, enableExecuteCommand=True)
    task = cloud.tasks()[0]

    assert agent_of(task) == "STOPPED"
    assert "agent isn’t running" in refusal(cloud, task)


def test_execute_command__a_stopped_task__is_refused(cloud: Cloud, task: Json) -> None:
    cloud.call("StopTask", cluster="dev", task=task["taskArn"])
    eventually(lambda: bool(cloud.tasks("STOPPED")))

    assert "agent isn’t running" in refusal(cloud, task)


def test_exec__without_a_task_role__is_refused_everywhere(cloud: Cloud) -> None:
    cloud.cluster()
    definition = cloud.register()

    with pytest.raises(ApiFault, match="couldn't be created because a valid taskRoleArn"):
        cloud.create(definition, enableExecuteCommand=True)
    with pytest.raises(ApiFault, match="a valid task role is not being used"):
        cloud.call(
            "RunTask",
            cluster="dev",
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            enableExecuteCommand=True,
        )
    cloud.create(definition)
    with pytest.raises(ApiFault, match="couldn't be updated because a valid taskRoleArn"):
        cloud.update(enableExecuteCommand=True)
