"""What both runtimes promise: `fsd_local.ports.Runtime`."""

from __future__ import annotations

import time
import urllib.request

import pytest

from fsd_local.ports import (
    ContainerState,
    LaunchError,
    RegistryLogin,
    ResourceLimit,
    RestartPolicy,
    VolumeMount,
)
from tests.local.runtime.lab import Lab
from tests.waiting import eventually


def fetch(address: str, port: int = 8000) -> str:
    with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
        body: bytes = answer.read()
    return body.decode()


def test_launch__image_alone__its_command_and_exit_code(lab: Lab) -> None:
    assert lab.run() == (3, ["from the image"])


def test_launch__command__replaces_the_images(lab: Lab) -> None:
    assert lab.run("echo mine; exit 42") == (42, ["mine"])


def test_launch__entry_point__drops_the_images_command(lab: Lab) -> None:
    code, texts = lab.run("only", "this", entry_point=("/bin/echo",))

    assert (code, texts) == (0, ["only this"])


def test_launch__environment__of_image_and_task(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the server")

    _, texts = lab.run(
        'echo "$COLOUR $SIZE [$AWS_SECRET_ACCESS_KEY]"; cat $FILE',
        environment={"SIZE": "a b", "COLOUR": "blue"},
    )

    assert texts == ["blue a b []", "served"]


def test_launch__working_directory__of_image_or_task(lab: Lab) -> None:
    _, of_image = lab.run("pwd")
    _, of_task = lab.run("pwd", working_directory="/www")

    assert of_image[0].endswith("/srv")
    assert of_task[-1].endswith("/www")


def test_launch__ulimits__the_program_has_them(lab: Lab) -> None:
    _, texts = lab.run("ulimit -n", ulimits=(ResourceLimit(name="nofile", soft=123, hard=456),))

    assert texts == ["123"]


def test_launch__login__instead_of_the_runtimes_own(lab: Lab) -> None:
    login = RegistryLogin(user="bot", password="of the secret")
    name = lab.image.replace("@", ":latest@")
    lab.registry.require_password("of the secret")
    try:
        digest = lab.runtime.resolve(lab.image, login=login)
        ended = lab.run("echo mine", login=login)
        with pytest.raises(LaunchError, match=r"401|nauthorized") as raised:
            lab.runtime.resolve(name, login=RegistryLogin(user="bot", password="another"))
    finally:
        lab.registry.require_password("")

    assert digest == lab.image.partition("@")[2]
    assert ended == (0, ["mine"])
    assert raised.value.reason.startswith("CannotPullContainerError: ")


def test_launch__last_lines_before_the_exit__all_there(lab: Lab) -> None:
    code, texts = lab.run("seq 1 2000; echo dying >&2; echo -n no line end; exit 1")

    assert code == 1
    assert texts.count("dying") == 1  # of another stream, so anywhere
    assert [text for text in texts if text != "dying"] == [
        *(str(number) for number in range(1, 2001)),
        "no line end",
    ]


def test_launch__log_events__have_the_time(lab: Lab) -> None:
    before = int(time.time() * 1000)

    lab.run("echo x")

    (_, at, _), after = lab.logs.events[0], int(time.time() * 1000)
    assert before - 1000 <= at <= after + 1000


def test_launch__long_line__one_event(lab: Lab) -> None:
    _, texts = lab.run("a=x; while [ ${#a} -lt 40000 ]; do a=$a$a; done; echo $a")

    assert [set(text) for text in texts] == [{"x"}]
    assert len(texts[0]) == 65536


def test_launch__no_log_configuration__runs_all_the_same(lab: Lab) -> None:
    assert lab.run("seq 1 100000", log=None) == (0, [])


def test_launch__killed_by_a_signal__128_and_its_number(lab: Lab) -> None:
    code, _ = lab.run("sh -c 'kill -SEGV $$'; exit $?")

    assert code == 139


def test_launch__two_tasks__own_addresses_same_port(lab: Lab) -> None:
    first, second = (_serving(lab) for _ in range(2))

    assert first[1] != second[1]
    assert [fetch(address) for _, address in (first, second)] == ["served\n", "served\n"]


@pytest.mark.parametrize(
    ("entry_point", "code", "words"),
    [
        (("no-such-program",), 127, "executable file not found in $PATH"),
        (("/no/such/program",), 127, "no such file or directory"),
        (("/www/index.html",), 126, "permission denied"),
    ],
)
def test_launch__program_that_cannot_start__in_the_engines_words(
    lab: Lab, entry_point: tuple[str, ...], code: int, words: str
) -> None:
    with pytest.raises(LaunchError) as raised:
        lab.launch(lab.spec(entry_point=entry_point))

    error = raised.value
    assert (error.exit_code, error.container) == (code, "main")
    assert error.reason.startswith("CannotStartContainerError: Error response from daemon: ")
    assert f'exec: "{entry_point[0]}": ' in error.reason
    assert words in error.reason


def test_launch__second_container_cannot_start__nothing_is_left(lab: Lab) -> None:
    with pytest.raises(LaunchError) as raised:
        lab.launch(lab.spec("echo up; sleep 600"), lab.spec(name="side", entry_point=("nope",)))

    assert raised.value.container == "side"
    assert lab.run("echo again")[1][-1] == "again"


@pytest.mark.parametrize("version", [":no-such-tag", "@sha256:" + "0" * 64])
def test_launch__missing_image__cannot_pull(lab: Lab, version: str) -> None:
    image = lab.image.partition("@")[0] + version
    expected = (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )

    for attempt in (
        lambda: lab.runtime.resolve(image),
        lambda: lab.launch(lab.spec(image=image)),
    ):
        with pytest.raises(LaunchError) as raised:
            attempt()
        assert raised.value.reason == expected


def test_launch__registry_is_gone__cannot_pull(lab: Lab) -> None:
    with pytest.raises(LaunchError) as raised:
        lab.launch(lab.spec(image="127.0.0.1:9/box:1"))

    assert raised.value.reason.startswith("CannotPullContainerError: ")
    assert "dial tcp" in raised.value.reason


def test_resolve__tag_and_digest__the_digest(lab: Lab) -> None:
    name, _, digest = lab.image.partition("@")
    manifest = lab.registry.manifests["box", digest]
    lab.registry.manifests["box", "v1"] = manifest

    assert lab.runtime.resolve(lab.image) == digest
    assert lab.runtime.resolve(f"{name}:v1") == digest


def test_stop__program_that_listens_to_sigterm__ends_by_itself(lab: Lab) -> None:
    task_id, _ = lab.launch(
        lab.spec("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done")
    )
    lab.await_line("up")

    states = lab.runtime.stop(task_id)

    assert states == (ContainerState(name="main", running=False, exit_code=5),)
    assert lab.logs.texts() == ["up", "bye"]


def test_stop__program_that_ignores_sigterm__killed_after_the_stop_timeout(lab: Lab) -> None:
    task_id, _ = lab.launch(
        lab.spec("trap '' TERM; echo up; while :; do sleep 0.1; done", stop_timeout=1.0)
    )
    lab.await_line("up")
    began = time.monotonic()

    states = lab.runtime.stop(task_id)

    assert states == (ContainerState(name="main", running=False, exit_code=137),)
    assert 0.9 <= time.monotonic() - began < 9


def test_stop__twice_and_unknown__nothing(lab: Lab) -> None:
    task_id, _ = lab.launch(lab.spec("sleep 600", stop_timeout=1.0))

    lab.runtime.stop(task_id)

    assert lab.runtime.stop(task_id) == ()
    assert lab.runtime.inspect(task_id) == ()
    assert lab.runtime.inspect("unknown") == ()


def test_inspect__two_containers__each_by_name_in_order(lab: Lab) -> None:
    task_id, _ = lab.launch(
        lab.spec("exit 7", name="side", essential=False), lab.spec("echo up; sleep 600")
    )
    eventually(lambda: not lab.runtime.inspect(task_id)[0].running)

    assert tuple(lab.runtime.inspect(task_id)) == (
        ContainerState(name="side", running=False, exit_code=7),
        ContainerState(name="main", running=True),
    )


def test_inspect__children_outlive_the_first_process__the_container_has_ended(lab: Lab) -> None:
    code, texts = lab.run("(trap '' TERM HUP; sleep 600) & echo done; exit 4")

    assert (code, texts) == (4, ["done"])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("/bin/sh", "-c", "exit 0"), 0),
        (("/bin/sh", "-c", "exit 6"), 6),
        (("sh", "-c", "[ $COLOUR = red ] && cat /www/index.html"), 0),
        (("no-such-program",), 127),
    ],
)
def test_execute__health_check__its_exit_code(
    lab: Lab, command: tuple[str, ...], expected: int
) -> None:
    task_id, _ = lab.launch(lab.spec("sleep 600", stop_timeout=1.0))

    assert lab.runtime.execute(task_id, "main", command, 20) == expected


def test_execute__takes_too_long__124_and_it_is_gone(lab: Lab) -> None:
    task_id, _ = lab.launch(lab.spec("sleep 600", stop_timeout=1.0))
    hangs = ("/bin/sh", "-c", "trap '' TERM; while :; do touch beat; sleep 0.05; done")
    is_quiet = ("/bin/sh", "-c", "rm -f beat; sleep 0.5; [ ! -e beat ]")

    code = lab.runtime.execute(task_id, "main", hangs, 0.3)

    assert code == 124
    assert lab.runtime.execute(task_id, "main", is_quiet, 20) == 0


def test_execute__container_that_has_ended__fails(lab: Lab) -> None:
    task_id, _ = lab.launch(lab.spec("exit 0"))
    lab.await_end(task_id)

    assert lab.runtime.execute(task_id, "main", ("/bin/sh", "-c", "exit 0"), 5) != 0
    assert lab.runtime.execute("unknown", "main", ("true",), 5) == 1


def test_close__tasks_that_run__gone(lab: Lab) -> None:
    # A port of its own: a container of another test may get the address at once.
    task_id, address = _serving(lab, port=8123)

    lab.runtime.close()

    with pytest.raises(OSError, match=r"refused|timed out|No route|unreachable"):
        fetch(address, 8123)
    assert lab.runtime.inspect(task_id) == ()


def _serving(lab: Lab, *, port: int = 8000) -> tuple[str, str]:
    """A task that answers. In a process `httpd` must be told where; a container may take all."""
    before = lab.logs.texts().count("up")
    task_id, address = lab.launch(
        lab.spec(
            f"echo up; exec httpd -f -p ${{FSD_LOCAL_ADDRESS:-0.0.0.0}}:{port} -h /www",
            ports=(port,),
        )
    )
    lab.await_line("up", before + 1)

    def answers() -> bool:
        try:
            return fetch(address, port) == "served\n"
        except OSError:
            return False

    eventually(answers)
    return task_id, address


def mount(key: str, path: str, *, kept: bool = False) -> VolumeMount:
    return VolumeMount(key=key, path=path, is_read_only=False, is_kept=kept)


def test_launch__depends_on__what_comes_first_has_ended_well(lab: Lab) -> None:
    shared = (mount("shared", "/srv/data"),)
    first = lab.spec("sleep 0.3; echo made > data/file", name="a", essential=False, mounts=shared)
    main = lab.spec("cat data/file", depends_on=(("a", "SUCCESS"),), mounts=shared)

    task_id, _ = lab.launch(main, first)
    lab.await_end(task_id)

    assert lab.logs.texts() == ["made"]
    lab.runtime.stop(task_id)


def test_launch__dependency_fails__says_so_and_leaves_nothing(lab: Lab) -> None:
    first = lab.spec("exit 4", name="a", essential=False)
    main = lab.spec("echo never", depends_on=(("a", "SUCCESS"),))

    with pytest.raises(LaunchError, match="dependency a was not SUCCESS") as raised:
        lab.launch(main, first)

    assert raised.value.container == "main"
    assert lab.logs.texts() == []


def test_launch__healthy__waits_for_the_check(lab: Lab) -> None:
    first = lab.spec(
        "sleep 0.5; touch ready; exec sleep 60",
        name="a",
        essential=False,
        check_command=("/bin/sh", "-c", "cat ready"),
    )
    main = lab.spec("echo after", depends_on=(("a", "HEALTHY"),))

    task_id, _ = lab.launch(main, first)
    lab.await_line("after")
    lab.runtime.stop(task_id)


def test_launch__kept_volume__the_next_task_finds_what_the_last_one_wrote(lab: Lab) -> None:
    kept, scratch = mount("fs-1", "/srv/kept", kept=True), mount("scratch", "/srv/scratch")

    lab.run("echo 1 >> kept/file; echo 2 >> scratch/file", mounts=(kept, scratch))
    _, texts = lab.run("cat kept/file; cat scratch/file || echo gone", mounts=(kept, scratch))

    assert "1" in texts
    assert "gone" in texts  # the error's own line may come before or after it


def test_restart__container_ends__starts_again_in_the_same_task(lab: Lab) -> None:
    """Its first run writes a file, and its second one finds it."""
    second = "if [ -e /www/again ]; then echo second; exec sleep 60; fi"
    command = f"{second}; touch again; echo first; sleep 1"
    spec = lab.spec(
        command,
        working_directory="/www",
        restart=RestartPolicy(attempt_period=0, ignored_exit_codes=(9,)),
    )
    task_id, _ = lab.launch(spec)

    def has_said_both() -> bool:
        lab.runtime.inspect(task_id)
        return lab.logs.texts() == ["first", "second"]

    eventually(has_said_both)
    assert [state.running for state in lab.runtime.inspect(task_id)] == [True]


@pytest.mark.parametrize(
    "policy",
    [
        RestartPolicy(attempt_period=0, ignored_exit_codes=(7,)),
        RestartPolicy(attempt_period=3600),
    ],
    ids=["ignored-code", "ended-too-soon"],
)
def test_restart__policy_does_not_apply__the_container_has_ended(
    lab: Lab, policy: RestartPolicy
) -> None:
    code, texts = lab.run("echo once; exit 7", restart=policy)

    assert (code, texts) == (7, ["once"])


def test_restart__task_is_stopped__does_not_start_again(lab: Lab) -> None:
    spec = lab.spec("echo up; exec sleep 60", restart=RestartPolicy(attempt_period=0))
    task_id, _ = lab.launch(spec)
    eventually(lambda: lab.logs.texts() == ["up"])

    (state,) = lab.runtime.stop(task_id)

    assert not state.running
    assert lab.logs.texts() == ["up"]
