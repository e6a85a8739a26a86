"""Which task and container a session of ECS Exec is opened in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fsd.compile.desired import Json
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.release.exec_session import ExecRequest, open_session
from fsd.release.operation import ServiceRef
from fsd.release.ports import ExecContainer, ExecTask
from tests.fakes.aws import FakeAws

REF = ServiceRef(
    service="api",
    environment="dev",
    cluster="dev",
    name="api-dev",
    stack_name="fsd-api-dev",
)
REQUEST = ExecRequest(ref=REF, command="sh")
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
APP = ExecContainer(name="api", runtime_id="a-1", agent="RUNNING")
PROXY = ExecContainer(name="proxy", runtime_id="a-2", agent="RUNNING")


def task(id: str, *containers: ExecContainer, minutes: int = 0, on: bool = True) -> ExecTask:
    started = NOON + timedelta(minutes=minutes)
    return ExecTask(id=id, started_at=started, is_enabled=on, containers=containers or (APP,))


def open_in(*tasks: ExecTask, request: ExecRequest = REQUEST) -> tuple[str, str, str, str]:
    fakes = FakeAws()
    fakes.exec_sessions.tasks = list(tasks)
    open_session(request, fakes.aws())
    (opened,) = fakes.exec_sessions.opened
    return opened


def refusal(*tasks: ExecTask, request: ExecRequest = REQUEST) -> CallFailedError:
    with pytest.raises(CallFailedError) as caught:
        open_in(*tasks, request=request)
    return caught.value


def test_open_session__several_tasks__the_newest() -> None:
    assert open_in(task("1"), task("2", minutes=5), task("3", minutes=1))[1] == "2"


def test_open_session__the_newest_has_no_agent_yet__an_older_one() -> None:
    starting = replace(APP, agent="PENDING")

    assert open_in(task("1"), task("2", starting, minutes=5))[1] == "1"


def test_open_session__a_beginning_of_an_id__that_task() -> None:
    request = replace(REQUEST, task="7f")

    assert open_in(task("7f3a"), task("9b", minutes=5), request=request)[1] == "7f3a"


def test_open_session__a_sidecar_first__the_service_s_own_container() -> None:
    assert open_in(task("1", PROXY, APP)) == ("dev", "1", "api", "sh")


def test_open_session__a_container_by_name__that_one() -> None:
    request = replace(REQUEST, container="proxy")

    assert open_in(task("1", APP, PROXY), request=request)[2] == "proxy"


def test_open_session__no_such_task__says_which_there_are() -> None:
    error = refusal(task("7f3a"), request=replace(REQUEST, task="zz"))

    assert (error.code, error.fix) == (ErrorCode.TASK_NOT_FOUND, "choose one of 7f3a")


def test_open_session__no_such_container__says_which_there_are() -> None:
    error = refusal(task("1", APP, PROXY), request=replace(REQUEST, container="db"))

    assert (error.code, error.fix) == (ErrorCode.TASK_NOT_FOUND, "choose one of api, proxy")


def test_open_session__no_service_at_all__says_so() -> None:
    with pytest.raises(UsageError) as caught:
        open_in()

    assert caught.value.code == ErrorCode.SERVICE_NOT_FOUND


def test_open_session__exec_was_off__says_what_to_set() -> None:
    error = refusal(task("1", replace(APP, agent=""), on=False))

    assert error.code == ErrorCode.EXEC_OFF
    assert "service.exec: true" in error.fix


def test_open_session__the_agent_stopped__says_what_it_needs() -> None:
    error = refusal(task("1", replace(APP, agent="STOPPED")))

    assert error.code == ErrorCode.EXEC_OFF
    assert "ssmmessages" in error.fix


def test_open_session__a_job__among_its_runs() -> None:
    fakes = FakeAws()
    target: Json = {
        "Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/dev",
        "EcsParameters": {"TaskDefinitionArn": "arn:api-dev:1"},
    }
    fakes.schedules.put({"Name": "api-dev", "Target": target})
    request = replace(REQUEST, ref=replace(REF, schedule="api-dev"))

    with pytest.raises(UsageError, match="api is a Job"):
        open_session(request, fakes.aws())

    assert fakes.exec_sessions.asked_for_job
