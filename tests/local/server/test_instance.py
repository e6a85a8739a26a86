from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from fsd_local import instance as local
from fsd_local.errors import LocalError, LocalUsageError
from fsd_local.instance import Instance
from fsd_local.settings import Settings
from tests.waiting import eventually


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own, and nothing running in it afterwards."""
    folder = tmp_path / "deep" / "state"
    monkeypatch.setenv("FSD_LOCAL_STATE", str(folder))
    yield folder
    local.down()


def start() -> Instance:
    return local.ensure(Settings(runtime="process", speed=50))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid))


# ---- where it lives


def test_state_dir__anywhere_in_a_checkout__is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSD_LOCAL_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    inner = tmp_path / "checkout" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "checkout" / ".git").mkdir()
    found = local.state_dir(inner)
    assert found == local.state_dir(tmp_path / "checkout")
    assert found != local.state_dir(tmp_path)
    assert found.parent == tmp_path / "xdg" / "fsd" / "local"


def test_state_dir__no_xdg_state_home__is_below_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSD_LOCAL_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local.state_dir(tmp_path).parent == tmp_path / ".local" / "state" / "fsd" / "local"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://127.9.9.9", True),
        ("http://localhost:4566", True),
        ("http://x.elb.localhost:1", True),
        ("http://[::1]:4566", True),
        ("https://ecs.us-east-1.amazonaws.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_is_loopback__endpoint__only_this_machine(endpoint: str, expected: bool) -> None:
    assert local.is_loopback(endpoint) is expected


# ---- the life


def test_find__nothing_was_started__is_none(state: Path) -> None:
    assert local.find() is None
    assert local.status() is None
    assert local.reset() is False
    assert local.down() is False
    assert not state.parent.exists() or list(state.parent.iterdir()) == []


def test_ensure__started__is_found_and_answers_and_listens_on_loopback_only(state: Path) -> None:
    started = time.monotonic()
    instance = start()
    assert time.monotonic() - started < 5  # 2 s where nothing else runs
    assert local.find() == instance
    assert local.ensure() == instance
    found = local.status()
    assert found is not None
    assert (found.instance, found.endpoint, found.runtime) == (
        instance,
        instance.endpoint,
        "process",
    )
    assert (instance.account, instance.region, instance.speed) == ("0" * 12, "us-east-1", 50)
    assert set(found.resources.values()) == {0}
    assert listening(instance.pid) == [f"127.0.0.1:{instance.endpoint.rpartition(':')[2]}"]
    assert state.is_dir()


def listening(pid: int) -> list[str]:
    """Every TCP socket on which a process listens, from /proc."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(entry)
        inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                octets = [str(int(address[i : i + 2], 16)) for i in (6, 4, 2, 0)]
                found.append(f"{'.'.join(octets)}:{int(port, 16)}")
    return found


def test_ensure__while_idle__is_small(state: Path) -> None:
    del state
    instance = start()
    assert local.status() is not None  # all is loaded now
    line = next(
        line
        for line in Path(f"/proc/{instance.pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    assert int(line.split()[1]) < 125_000  # kB


def test_ensure__many_at_once__start_one(state: Path) -> None:
    del state
    with ThreadPoolExecutor(4) as pool:
        found = {instance.pid for instance in pool.map(lambda _: start(), range(4))}
    assert len(found) == 1


def test_ensure__other_options_than_the_running_one__says_so(state: Path) -> None:
    del state
    start()
    with pytest.raises(LocalUsageError, match=r"speed 50\.0, not 7"):
        local.ensure(Settings(speed=7))


def test_ensure__port_in_use__names_the_port_and_leaves_nothing(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {port} of 127.0.0.1") as caught:
            local.ensure(Settings(port=port))
    assert (caught.value.code, caught.value.exit_code) == ("port-in-use", 5)
    assert not state.exists()


def test_ensure__no_docker_engine__says_so_and_leaves_nothing(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{state}.sock")
    with pytest.raises(LocalError, match="no Docker engine answers") as caught:
        local.ensure(Settings(runtime="container"))
    assert caught.value.code == "docker-unavailable"
    assert list(state.parent.glob("state/*")) == []


def test_ensure__server_cannot_start__gives_its_last_line(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hypercorn.py").write_text("raise OSError('broken installation')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LocalError, match="ended with 1: OSError: broken") as caught:
        start()
    assert caught.value.code == "local-start-failed"
    assert not state.exists()


def test_ensure__extra_is_missing__names_the_command(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del state
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LocalError, match="needs ministack and hypercorn") as caught:
        local.ensure()
    assert (caught.value.code, caught.value.fix) == (
        "local-extra-missing",
        "pip install 'fsd-deploy[local]'",
    )


def test_import__without_ministack__works() -> None:
    code = (
        "import sys; sys.modules['ministack'] = None; sys.modules['hypercorn'] = None\n"
        "import fsd_local.instance as local\n"
        "print(local.probe('http://127.0.0.1:9'))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "None\n"


def test_down__running__leaves_no_process_and_no_file(state: Path) -> None:
    instance = start()
    assert local.down() is True
    assert not is_alive(instance.pid)
    assert list(state.parent.iterdir()) == []
    assert local.find() is None


def test_sigterm__to_the_server__removes_its_state(state: Path) -> None:
    instance = start()
    os.kill(instance.pid, signal.SIGTERM)
    eventually(lambda: not is_alive(instance.pid))
    assert not state.exists()


def test_sigterm__while_a_client_waits__ends_soon(state: Path) -> None:
    """A connection that is open, and even a request in flight, does not hold it up."""
    del state
    instance = start()
    host, port = instance.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        started = time.monotonic()
        local.down()
    assert time.monotonic() - started < 5


WAITING = {
    "Resources": {
        "Definition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "ContainerDefinitions": [{"Name": "web", "Image": "127.0.0.1:9/none:1"}],
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "TaskDefinition": {"Ref": "Definition"},
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-00000001"]}},
            },
        },
    }
}


def test_sigterm__while_a_stack_waits_for_a_service__ends(state: Path) -> None:
    """Its image is nowhere, and no circuit breaker ends the deployment."""
    instance = start()
    session = boto3.Session(instance.account, instance.secret, region_name=instance.region)
    ecs = session.client("ecs", endpoint_url=instance.endpoint)
    cloudformation = session.client("cloudformation", endpoint_url=instance.endpoint)
    ecs.create_cluster()
    cloudformation.create_stack(StackName="waiting", TemplateBody=json.dumps(WAITING))
    eventually(lambda: ecs.list_services()["serviceArns"], seconds=30)

    os.kill(instance.pid, signal.SIGTERM)

    eventually(lambda: not is_alive(instance.pid), seconds=60)
    assert not state.exists()
    for client in (ecs, cloudformation):
        client.close()


def test_ensure__after_kill_9__starts_a_new_one(state: Path) -> None:
    killed = start()
    kill(killed.pid)
    assert state.exists()
    assert local.find() is None
    again = start()
    assert again.pid != killed.pid
    assert local.probe(again.endpoint) is not None


def test_down__after_kill_9__leaves_no_file(state: Path) -> None:
    kill(start().pid)
    assert local.down() is True
    assert list(state.parent.iterdir()) == []


def test_find__number_is_another_process_now__is_none(state: Path) -> None:
    instance = start()
    record = state / "instance.json"
    fields = json.loads(record.read_text())
    record.write_text(json.dumps({**fields, "pid": os.getpid()}))
    assert local.find() is None
    record.write_text(json.dumps(fields))
    assert local.find() == instance


def test_reset__with_resources__is_empty_and_runs_on(state: Path) -> None:
    del state
    instance = start()
    local.ensure_secrets(instance, ["/a", "/b"])
    before = local.status()
    assert local.reset() is True
    after = local.status()
    assert before is not None
    assert after is not None
    assert (before.resources["parameters"], after.resources["parameters"]) == (2, 0)
    assert after.instance == instance


def test_reset__asked_for_by_a_web_page__is_refused(state: Path) -> None:
    del state
    instance = start()
    connection = http.client.HTTPConnection(instance.endpoint.removeprefix("http://"))
    connection.request("POST", "/_fsd/reset", headers={"Origin": "https://example.com"})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 403


def test_probe__something_else_listens__is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answered = threading.Thread(target=_answer_404, args=[other])
        answered.start()
        assert local.probe(f"http://127.0.0.1:{other.getsockname()[1]}") is None
        answered.join()


def _answer_404(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")


def test_secrets__of_a_service__come_and_go(state: Path) -> None:
    del state
    instance = start()
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"
    assert local.ensure_secrets(instance, [f"{arn}:user::"], service="app") == [f"{arn}:user::"]
    assert local.ensure_secrets(instance, [f"{arn}:user::"], service="app") == []
    made_up = [f"{arn}:user::", "/not-there"]
    assert local.find_placeholder_secrets(instance, made_up) == [f"{arn}:user::"]
    assert local.remove_placeholder_secrets(instance, service="app") == [arn]
    assert local.remove_placeholder_secrets(instance) == []
