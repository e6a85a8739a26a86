"""A server that is killed with its tasks running leaves nothing once `down` or `up` was there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from fsd_local import instance as local
from fsd_local.image.registry import RegistryClient
from fsd_local.image.snapshot import push_snapshot, take_snapshot
from fsd_local.instance import Instance
from fsd_local.settings import Settings
from tests.local.registry_login import registry_password, write_docker_config
from tests.waiting import eventually

# The shell of the machine as a process; in a container, busybox is all there is.
COMMANDS = {
    "process": ["/bin/sh", "-c", "sleep 1000"],
    "container": ["/busybox", "sleep", "1000"],
}


@pytest.fixture(params=["process", pytest.param("container", marks=pytest.mark.docker)])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "container":
        request.getfixturevalue("docker_engine")
    return str(request.param)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> Iterator[Instance]:
    monkeypatch.setenv("FSD_LOCAL_STATE", str(tmp_path / "deep" / "state"))
    started = local.ensure(Settings(runtime=runtime, speed=50))
    yield started
    local.down()
    registry = started.endpoint.removeprefix("http://")
    assert images_of_this_machine(f"{registry}/sleeper") == []


def images_of_this_machine(repository: str) -> list[str]:
    """What the engine still has of a repository; nothing without an engine."""
    if shutil.which("docker") is None:
        return []
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [image for image in listed.stdout.split() if image == repository]


@pytest.fixture
def ecs(instance: Instance) -> Iterator[Any]:
    client = boto3.client(
        "ecs",
        endpoint_url=instance.endpoint,
        region_name=instance.region,
        aws_access_key_id=instance.account,
        aws_secret_access_key=instance.secret,
    )
    yield client
    client.close()


def push_image(instance: Instance, folder: Path) -> str:
    """Push an image with nothing but busybox; how a task definition names it."""
    registry, name = instance.endpoint.removeprefix("http://"), "sleeper"
    ecr = boto3.client(
        "ecr",
        endpoint_url=instance.endpoint,
        region_name=instance.region,
        aws_access_key_id=instance.account,
        aws_secret_access_key=instance.secret,
    )
    ecr.create_repository(repositoryName=name)
    folder.mkdir()
    password = registry_password(ecr)
    logged_in = write_docker_config(folder / "docker", ecr, registry)
    ecr.close()
    shutil.copy("/bin/busybox", folder / "busybox")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY busybox /busybox\n")
    image = f"{registry}/{name}:v1"
    if instance.runtime == "process":
        snapshot = take_snapshot(
            folder, dockerfile=folder / "Dockerfile", build_args={}, architecture="amd64"
        )
        client = RegistryClient(
            endpoint=instance.endpoint, repository=name, user="AWS", password=password
        )
        push_snapshot(snapshot, client=client, tag="v1", architecture="amd64")
        return image
    environment = {**os.environ, **logged_in}
    for command in (["build", "-q", "-t", image, str(folder)], ["push", image], ["rmi", image]):
        subprocess.run(["docker", *command], env=environment, check=True, capture_output=True)
    return image


def start_task(instance: Instance, ecs: Any, folder: Path) -> None:
    """A service with one task that runs."""
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="sleeper",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "sleeper",
                "image": push_image(instance, folder),
                "command": COMMANDS[instance.runtime],
            }
        ],
    )
    ecs.create_service(
        cluster="c",
        serviceName="s",
        taskDefinition="sleeper",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-00000001"]}},
    )
    eventually(lambda: tasks_of(instance), seconds=30)


def tasks_of(instance: Instance) -> list[str]:
    """The processes or containers that belong to an instance."""
    identifier = local.identify(Path(instance.state_dir))
    if instance.runtime == "process":
        return [str(pid) for pid in processes_marked(identifier)]
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=fsd.local={identifier}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def processes_marked(identifier: str) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        try:
            if f"FSD_LOCAL_TASK={identifier}:".encode() in (folder / "environ").read_bytes():
                yield int(folder.name)
        except (OSError, ValueError):
            continue


def test_down__running_task__is_stopped(instance: Instance, ecs: Any, tmp_path: Path) -> None:
    start_task(instance, ecs, tmp_path / "context")
    local.down()
    assert tasks_of(instance) == []
    assert not Path(instance.state_dir).exists()


def test_down__server_was_killed__stops_its_tasks(
    instance: Instance, ecs: Any, tmp_path: Path
) -> None:
    start_task(instance, ecs, tmp_path / "context")
    os.kill(instance.pid, signal.SIGKILL)
    assert local.down() is True
    assert tasks_of(instance) == []
    assert list(Path(instance.state_dir).parent.iterdir()) == []


def test_ensure__server_was_killed__sweeps_its_tasks(
    instance: Instance, ecs: Any, tmp_path: Path
) -> None:
    start_task(instance, ecs, tmp_path / "context")
    before = tasks_of(instance)
    os.kill(instance.pid, signal.SIGKILL)
    eventually(lambda: local.find() is None)
    again = local.ensure(Settings(runtime=instance.runtime, speed=50))
    assert before
    assert tasks_of(again) == []
