"""What only containers do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import docker
import pytest

from fsd_local.errors import LocalError
from fsd_local.ports import ContainerState, LaunchError
from fsd_local.runtime import choose, loopback_ports
from fsd_local.runtime.containers import Containers, find_engine, read_log, require_engine, sweep
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import FakeRegistry
from tests.local.runtime.lab import Lab
from tests.local.server.targets import serving
from tests.waiting import eventually


def names(engine: docker.DockerClient, instance: str) -> list[str]:
    found = engine.api.containers(all=True, filters={"label": f"fsd.local={instance}"})
    return [container["Id"] for container in found]


@pytest.mark.docker
def test_launch__two_containers__share_localhost(containers: Lab) -> None:
    side = containers.spec(
        "until wget -q -O - http://127.0.0.1:8000/; do sleep 0.1; done",
        name="side",
        essential=False,
    )
    main = containers.spec("exec httpd -f -p 8000 -h /www")

    task_id, _ = containers.launch(side, main)

    eventually(lambda: not containers.runtime.inspect(task_id)[0].running)
    assert containers.logs.texts("side")[-1] == "served"


@pytest.mark.docker
def test_launch__first_container_ends_at_once__the_next_starts_all_the_same(
    containers: Lab,
) -> None:
    side = containers.spec("sleep 600", name="side", stop_timeout=0.0)

    task_id, _ = containers.launch(containers.spec("exit 3"), side)

    eventually(lambda: not containers.runtime.inspect(task_id)[0].running)
    main, other = containers.runtime.inspect(task_id)
    assert main.exit_code == 3
    assert other == ContainerState(name="side", running=True)


@pytest.mark.docker
@pytest.mark.skipif(
    not loopback_ports.are_possible(), reason="only root enters a container's network"
)
def test_launch__port_of_the_embedded_aws__is_reached_from_every_container_of_the_task(
    container_image: str, shared_registry: FakeRegistry
) -> None:
    logs, instance = FakeLogs(), uuid.uuid4().hex[:12]
    with serving("the embedded AWS") as aws:
        runtime = Containers(logs=logs, instance=instance, aws_port=aws.server_address[1])
        lab = Lab(runtime, container_image, logs, shared_registry, instance)
        url = f"http://127.0.0.1:{aws.server_address[1]}/"
        ask = f"until wget -q -O - {url} 2>/dev/null; do sleep 0.1; done; echo"
        with closing(runtime):
            task_id, _ = lab.launch(
                lab.spec(f"{ask}; sleep 60"), lab.spec(ask, name="side", essential=False)
            )
            eventually(lambda: bool(logs.texts("main")) and bool(logs.texts("side")))
            runtime.stop(task_id)

    assert logs.texts("main")[-1] == logs.texts("side")[-1] == "the embedded AWS"
    assert len(aws.requests) == 2


@pytest.mark.docker
def test_launch__more_memory_than_the_limit__killed_and_told(containers: Lab) -> None:
    task_id, _ = containers.launch(containers.spec("a=x; while :; do a=$a$a; done", memory_mib=16))

    (state,) = containers.await_end(task_id)

    assert state == ContainerState(name="main", running=False, exit_code=137, out_of_memory=True)


@pytest.mark.docker
def test_launch__user_and_read_only_root__enforced(containers: Lab) -> None:
    code, texts = containers.run("id -u; touch /srv/x", user="10001", read_only_root=True)

    assert code == 1
    assert sorted(texts) == ["10001", "touch: /srv/x: Read-only file system"]


@pytest.mark.docker
def test_launch__kernel_settings__of_the_container_and_the_network_of_the_task(
    containers: Lab,
) -> None:
    side = containers.spec(
        "cat /proc/sys/net/ipv4/tcp_keepalive_time /proc/sys/kernel/msgmax",
        name="side",
        system_controls={"net.ipv4.tcp_keepalive_time": "121", "kernel.msgmax": "9000"},
        essential=False,
    )
    main = containers.spec(
        "until [ $(cat /proc/sys/net/ipv4/tcp_keepalive_time) = 121 ]; do sleep 0.1; done; "
        "cat /proc/sys/net/core/somaxconn",
        system_controls={"net.core.somaxconn": "1025"},
    )

    task_id, _ = containers.launch(main, side)

    containers.await_end(task_id)
    assert containers.logs.texts("main") == ["1025"]
    assert containers.logs.texts("side") == ["121", "9000"]


@pytest.mark.docker
def test_launch__what_the_engine_refuses__cannot_create(containers: Lab) -> None:
    with pytest.raises(LaunchError) as raised:
        containers.launch(containers.spec(working_directory="not/absolute"))

    assert raised.value.reason.startswith("CannotCreateContainerError: ")


@pytest.mark.docker
def test_sweep__leftovers_of_an_instance__only_its_own(
    containers: Lab, docker_engine: docker.DockerClient
) -> None:
    containers.launch(containers.spec("sleep 600", stop_timeout=1.0))

    assert sweep("somebody-else", docker_engine) == 0
    assert len(names(docker_engine, containers.instance)) == 1
    assert sweep(containers.instance, docker_engine) == 1
    assert names(docker_engine, containers.instance) == []


KILLED = """
import sys
from fsd_local.runtime.containers import Containers
from tests.fakes.logs import FakeLogs
from tests.local.runtime.lab import Lab
instance, image = sys.argv[1:]
logs = FakeLogs()
lab = Lab(Containers(logs=logs, instance=instance), image, logs, None, instance)
lab.launch(lab.spec("sleep 600"))
print("up", flush=True)
sys.stdin.read()
"""


@pytest.mark.docker
def test_guard__server_is_killed__its_containers_go(
    containers: Lab, docker_engine: docker.DockerClient
) -> None:
    instance = f"{containers.instance}k"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, instance, containers.image],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"up\n"
        assert len(names(docker_engine, instance)) == 1

        server.send_signal(signal.SIGKILL)

    eventually(lambda: names(docker_engine, instance) == [])


@pytest.mark.docker
def test_close__images_of_its_registry__lose_their_names(
    containers: Lab, docker_engine: docker.DockerClient
) -> None:
    containers.run("exit 0")
    name = containers.image.partition("@")[0]
    docker_engine.images.get(containers.image).tag(f"fsd-test-kept-{containers.instance}", "1")

    containers.runtime.close()

    kept = docker_engine.images.get(f"fsd-test-kept-{containers.instance}:1")
    try:
        assert [tag for tag in kept.tags if tag.startswith(name)] == []
        assert [d for d in kept.attrs["RepoDigests"] if d.startswith(name)] == []
    finally:
        docker_engine.images.remove(f"fsd-test-kept-{containers.instance}:1")


@pytest.mark.docker
def test_choose__engine_answers__containers(
    docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    del docker_engine
    runtime = choose(None, logs=FakeLogs(), state=tmp_path / "s", instance="chosen")

    runtime.close()

    assert runtime.name == "container"


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")


@pytest.mark.usefixtures("no_engine")
def test_find_engine__nobody_answers__none() -> None:
    assert find_engine() is None


@pytest.mark.usefixtures("no_engine")
def test_require_engine__nobody_answers__says_what_to_do() -> None:
    with pytest.raises(LocalError) as raised:
        require_engine()

    assert (raised.value.code, raised.value.fix) == (
        "docker-unavailable",
        "start Docker, or use --runtime process",
    )


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("name", [None, "process"])
def test_choose__no_engine__processes(name: str | None, tmp_path: Path) -> None:
    runtime = choose(name, logs=FakeLogs(), state=tmp_path / "s", instance="chosen")

    runtime.close()

    assert runtime.name == "process"


@pytest.mark.usefixtures("no_engine")
def test_choose__containers_without_an_engine__refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError):
        choose("container", logs=FakeLogs(), state=tmp_path / "s", instance="chosen")


def test_read_log__pieces_and_streams__lines_with_their_times() -> None:
    frames = iter(
        [
            b"2026-01-02T03:04:05.123456789Z one\n",
            b"2026-01-02T03:04:05.2Z " + b"x" * 16384,
            b"2026-01-02T03:04:06Z yz\n",
            b"2026-01-02T03:04:07.9Z no end",
            b"2026-01-02T03:04:08.000000001Z of the other stream\n",
        ]
    )

    start = 1767323045
    assert list(read_log(frames)) == [
        (start * 1000 + 123, "one"),
        ((start + 1) * 1000, "x" * 16384 + "yz"),
        ((start + 2) * 1000 + 900, "no end"),
        ((start + 3) * 1000, "of the other stream"),
    ]


@pytest.mark.docker
@pytest.mark.skipif(
    not loopback_ports.are_possible(), reason="only root may write a container's files"
)
def test_set_names__containers__reach_each_other_by_name(containers: Lab) -> None:
    _, address = containers.launch(containers.spec("exec httpd -f -p 8000 -h /www"))
    containers.runtime.set_names("ns", {"offers": [address], "other": ["192.0.2.7"]})
    asking = containers.spec(
        "until wget -q -O - http://offers:8000/; do sleep 0.1; done; cat /etc/hosts; "
        "until cat /etc/hosts | grep -q 127.255.0.1; do sleep 0.1; done",
        name="asking",
    )

    task_id, _ = containers.launch(asking, namespace="ns", known_names=("offers",))
    containers.await_line("# end of them")
    containers.runtime.set_names("ns", {"offers": []})
    containers.await_end(task_id)

    texts = containers.logs.texts("asking")
    assert "served" in texts
    assert not any("192.0.2.7" in text for text in texts)
