"""Services whose Dockerfile installs what they need, deployed by the real CLI without Docker."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.wheels import make_wheel
from tests.local.cli import Fsd
from tests.local.conftest import commit

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: orders, pack: team, owners: ["@org/team"]}
service:
  type: ecs
  port: 8000
  healthCheck: {path: /, interval: 10, gracePeriod: 20}
  networking:
    loadBalancer: {type: application}
  observability:
    logs: {retention: 30}
"""
SERVER = """\
import http.server
import os
import time


def main():
    time.sleep(float(os.environ.get("LOADS", "0")))
    address = ("0.0.0.0", 8000)
    http.server.ThreadingHTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "service.yml").write_text(MANIFEST)
    (folder / "index.html").write_text("here\n")
    return folder


@pytest.fixture
def fsd(tmp_path: Path, folder: Path) -> Iterator[Fsd]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "a-server", modules={"a_server.py": SERVER}, script="a_server:main")
    make_wheel(wheels, "click", "8.1.7")
    make_wheel(wheels, "typing-extensions", "4.8.0")
    client = Fsd(state=tmp_path / "state", cwd=folder)
    client.extra = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONFIG_FILE": os.devnull,
        "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-user",
    }
    client.ok("local", "up", "--runtime", "process", "--speed", "10")
    yield client
    client.ok("local", "down")


def write(folder: Path, *lines: str) -> None:
    text = "\n".join((f"FROM python:{VERSION}-slim", "WORKDIR /srv", *lines))
    (folder / "Dockerfile").write_text(f"{text}\n")
    commit(folder, "a Dockerfile")


def test_deploy__server_from_a_package__serves_from_its_own_environment(
    fsd: Fsd, folder: Path
) -> None:
    write(
        folder,
        "RUN apt-get update && apt-get install -y gcc",
        "RUN pip install a-server click==8.1.7 typing-extensions==4.8.0",
        "COPY index.html .",
        'CMD ["a-server"]',
    )

    deployed = fsd.ok("deploy", "--env", "local", "--format", "json")

    assert deployed.json()["outcome"] == "succeeded"
    assert "these steps were skipped: RUN apt-get update" in str(deployed.json()["notes"])
    assert fsd.ok("--version").code == 0


def test_deploy__process_that_loads_for_longer_than_the_divided_grace_period__succeeds(
    fsd: Fsd, folder: Path
) -> None:
    write(folder, "RUN pip install a-server", "ENV LOADS=5", 'CMD ["a-server"]')

    assert fsd.ok("deploy", "--env", "local", "--format", "json").json()["outcome"] == "succeeded"


def test_deploy__program_of_a_step_that_was_left_out__says_so_first(fsd: Fsd, folder: Path) -> None:
    write(folder, "RUN apt-get update && apt-get install -y a-program-of-debian",
          'CMD ["a-program-of-debian"]')  # fmt: skip
    first = fsd.run("deploy", "--env", "local")
    again = fsd.run("deploy", "--env", "local")

    for ended in (first, again):
        assert ended.code == 7, ended.text
        said = " ".join(ended.out.split())
        assert (
            "error[command-not-found]: the image was made without Docker, and this step was left "
            "out: RUN apt-get update && apt-get install -y a-program-of-debian. The container's"
        ) in said


@pytest.mark.parametrize("line", ["COPY . .", "ENTRYPOINT []\nCMD []"])
def test_deploy__no_command__refused_before_anything_is_made(
    fsd: Fsd, folder: Path, line: str
) -> None:
    write(folder, line)

    ended = fsd.run("deploy", "--env", "local")

    assert ended.code == 5, ended.text
    assert "error[image-without-command]: the image has no command" in ended.err
    assert fsd.status()["services"] == []
    assert fsd.run("deploy", "--env", "local").code == 5
    ok = fsd.run("deploy", "--env", "local", "--override", "command=[sleep, '60']", "--no-wait")
    assert ok.code == 0, ok.text


def test_deploy__scripts__are_run_where_they_are_allowed(fsd: Fsd, folder: Path) -> None:
    (folder / "build.py").write_text("open('index.html', 'w').write('built')\n")
    write(folder, "COPY build.py .", "RUN python build.py && pip install a-server",
          'CMD ["sh", "-c", "cat /srv/index.html && a-server"]')  # fmt: skip

    deployed = fsd.ok("deploy", "--env", "local", "--allow-run", "--format", "json")

    assert deployed.json()["outcome"] == "succeeded"
    assert "skipped" not in str(deployed.json()["notes"])
    assert "built" in fsd.ok("logs", "--service", "orders", "--env", "local").out
