"""`fsd exec` by the real CLI, in tasks of both runtimes."""

from __future__ import annotations

import os
import pty
import shutil
import sys
import threading
from collections.abc import Iterator
from subprocess import PIPE, Popen

import pytest

from tests.fakes.python_image import ensure_python_image
from tests.local.cli import HELLO, TIMEOUT, Fsd
from tests.local.conftest import SPEED, commit

DEPLOY = ("deploy", "--env", "local")
EXEC = ("exec", "--service", "hello", "--env", "local")


@pytest.fixture(
    scope="module", params=["process", pytest.param("container", marks=pytest.mark.docker)]
)
def with_exec(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fsd]:
    """The service with ECS Exec, deployed once for all tests: a session changes nothing."""
    if request.param == "container":
        ensure_python_image(request.getfixturevalue("docker_engine"))
    place = tmp_path_factory.mktemp("exec")
    shutil.copytree(HELLO, place / "hello")
    manifest = place / "hello" / "service.yml"
    manifest.write_text(manifest.read_text().replace("service:\n", "service:\n  exec: true\n", 1))
    commit(place / "hello", "with ECS Exec")
    fsd = Fsd(state=place / "state", cwd=place / "hello")
    fsd.ok("local", "up", "--runtime", str(request.param), "--speed", SPEED)
    try:
        fsd.ok(*DEPLOY)
        yield fsd
    finally:
        fsd.ok("local", "down")


def test_exec__a_command__prints_what_it_prints(with_exec: Fsd) -> None:
    ended = with_exec.ok(*EXEC, "--", "sh", "-c", "echo $SERVICE_NAME in $ENVIRONMENT")

    assert ended.out == "hello in local\n"


def test_exec__much_output__all_of_it_in_order(with_exec: Fsd) -> None:
    ended = with_exec.ok(*EXEC, "--", "python", "-c", "print(*range(1, 20001))")

    assert ended.out.split() == [str(number) for number in range(1, 20001)]


def test_exec__lines_on_standard_input__are_typed_into_the_shell(with_exec: Fsd) -> None:
    ended = with_exec.run(*EXEC, given="echo $((6*7))\n")

    assert ended.code == 0, ended.text
    assert "42" in ended.out.split()


TAKES_THE_END_LATE = """
import os, select, tty
select.select([0], [], [])
tty.setraw(0)  # what was typed before does not count, as in a shell that edits its line
while os.read(0, 1) != b"\\x04":
    pass
print("ended")
"""


@pytest.mark.parametrize("given", ["echo 4''2", "sleep 0.3\necho 4''2\ncat\n"])
def test_exec__end_of_standard_input__ends_the_shell_and_what_it_started(
    with_exec: Fsd, given: str
) -> None:
    ended = with_exec.run(*EXEC, given=given)

    assert ended.code == 0, ended.text
    assert "42" in ended.out.split()


def test_exec__program_that_did_not_see_the_end__is_told_again(with_exec: Fsd) -> None:
    ended = with_exec.ok(*EXEC, "--", "python", "-c", TAKES_THE_END_LATE)

    assert "ended" in ended.out.split()


def test_exec__a_terminal__is_the_shell_s(with_exec: Fsd) -> None:
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "fsd.cli.main", *EXEC]
    with Popen(
        command,
        cwd=with_exec.cwd,
        env=with_exec.environment(),
        stdin=inner,
        stdout=inner,
        stderr=PIPE,
        start_new_session=True,
    ) as process:
        os.close(inner)
        giving_up = threading.Timer(TIMEOUT, process.kill)
        giving_up.start()
        os.write(outer, b"test -t 0 && echo a ter''minal; exit\n")
        printed = read_to_the_end(outer)
        giving_up.cancel()
    assert process.returncode == 0
    assert b"a terminal" in printed


def read_to_the_end(descriptor: int) -> bytes:
    printed = b""
    try:
        while content := os.read(descriptor, 65536):
            printed += content
    except OSError:  # EIO: nobody has the other end any more
        pass
    finally:
        os.close(descriptor)
    return printed


def test_exec__a_program_that_is_not_there__says_so(with_exec: Fsd) -> None:
    ended = with_exec.run(*EXEC, "--", "no-such-program")

    assert "no-such-program" in ended.out + ended.err, ended.text


def test_exec__unknown_task__says_which_there_are(with_exec: Fsd) -> None:
    ended = with_exec.run(*EXEC, "--task", "zz")

    assert ended.code == 5, ended.text
    assert "error[task-not-found]" in ended.err


def test_execute_command__by_somebody_else_s_client__is_refused_as_aws_does(
    with_exec: Fsd,
) -> None:
    with with_exec.client("ecs") as ecs:
        (arn, *_) = ecs.list_tasks(cluster="local", serviceName="hello-local")["taskArns"]
        asked = {"cluster": "local", "task": arn, "command": "ls"}
        with pytest.raises(ecs.exceptions.InvalidParameterException) as caught:
            ecs.execute_command(**asked, interactive=False)
        session = ecs.execute_command(**asked, interactive=True)["session"]
        described = ecs.describe_tasks(cluster="local", tasks=[arn])["tasks"][0]

    assert "Interactive is the only mode supported currently." in str(caught.value)
    assert session["streamUrl"].startswith("ws://127.0.0.1:")
    (agent,) = described["containers"][0]["managedAgents"]
    assert (agent["name"], agent["lastStatus"]) == ("ExecuteCommandAgent", "RUNNING")
