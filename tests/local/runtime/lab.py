"""A runtime with an image to run: busybox, whose shell is the same in a container and here."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsd.image.build import build_image
from fsd.image.context import read_source
from fsd.image.key import Recipe
from fsd_local.ports import ContainerSpec, ContainerState, LogTarget, Runtime, TaskSpec
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import FakeEcr, FakeRegistry
from tests.waiting import eventually

PATIENCE = 30.0
DOCKERFILE = """
FROM scratch
COPY bin /bin/
COPY www /www/
ENV PATH=/bin COLOUR=red FILE=/www/index.html
WORKDIR /srv
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo from the image; exit 3"]
"""
_APPLETS = (
    "cat",
    "echo",
    "grep",
    "httpd",
    "id",
    "kill",
    "pwd",
    "rm",
    "seq",
    "sleep",
    "touch",
    "wget",
)


def write_context(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "www").mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "www" / "index.html").write_text("served\n")
    (folder / "www" / "salt").write_text(uuid.uuid4().hex)
    shutil.copy("/bin/busybox", folder / "bin" / "sh")
    for applet in _APPLETS:
        (folder / "bin" / applet).symlink_to("sh")
    return folder


def build(folder: Path, server: FakeRegistry, runtime: str) -> str:
    """The image by digest."""
    ecr = FakeEcr(server)
    built = build_image(
        read_source(folder, recipe=Recipe(runtime=runtime)),
        repository=ecr.repository("box"),
        registry=ecr,
    )
    return built.image.uri


@dataclass
class Lab:
    runtime: Runtime
    image: str
    logs: FakeLogs
    registry: FakeRegistry
    instance: str
    task_ids: list[str] = field(default_factory=list)

    def spec(self, *command: str, name: str = "main", **options: Any) -> ContainerSpec:
        """A container that runs one line of shell, or the image's own command."""
        defaults: dict[str, Any] = {
            "name": name,
            "image": self.image,
            "command": command or None,
            "entry_point": None,
            "environment": {},
            "working_directory": None,
            "user": None,
            "ports": (8000,),
            "memory_mib": 64,
            "essential": True,
            "read_only_root": False,
            "stop_timeout": 2.0,
            "log": LogTarget(
                account="0", region="us-east-1", group="/ecs/box", stream=f"ecs/{name}/1"
            ),
        }
        return ContainerSpec(**(defaults | options))

    def launch(self, *containers: ContainerSpec, **options: Any) -> tuple[str, str]:
        """(task id, address); `options` are the task's."""
        task = TaskSpec(
            id=uuid.uuid4().hex,
            account="0",
            region="us-east-1",
            cluster="local",
            family="box",
            revision=1,
            containers=containers,
            **options,
        )
        address = self.runtime.launch(task)
        self.task_ids.append(task.id)
        return task.id, address

    def run(self, *command: str, **options: Any) -> tuple[int | None, list[str]]:
        """(exit code, lines) of a container that ends by itself."""
        task_id, _ = self.launch(self.spec(*command, **options))
        (state,) = self.await_end(task_id)
        texts = self.logs.texts()
        self.runtime.stop(task_id)
        return state.exit_code, texts

    def await_end(self, task_id: str) -> Sequence[ContainerState]:
        def ended() -> bool:
            return not any(state.running for state in self.runtime.inspect(task_id))

        eventually(ended)
        return self.runtime.inspect(task_id)

    def await_line(self, text: str, count: int = 1) -> None:
        eventually(lambda: self.logs.texts().count(text) >= count)
