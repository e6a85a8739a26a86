"""One load balancer of two services: made by the first, kept until the last goes."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
STACK = "fsd-shared-main-local"


def add_service(folder: Path, name: str, rule: dict[str, object]) -> None:
    """`hello` under another name, behind the shared load balancer."""
    tree = yaml.safe_load((folder / "service.yml").read_text())
    tree["metadata"]["name"] = name
    tree["service"]["environment"] = {"SERVICE_NAME": name}
    tree["service"]["networking"] = {"loadBalancer": {"shared": "main", **rule}}
    (folder / f"{name}.yml").write_text(yaml.safe_dump(tree))


def ask(fsd: Fsd, host: str, path: str) -> tuple[int, str]:
    """What the load balancer answers: the status, and which service it says that it is."""
    port = fsd.status()["endpoint"].rpartition(":")[2]
    url = f"http://127.0.0.1:{port}/_alb/shared-main-local{path}"
    request = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), str(json.load(answer).get("service", ""))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def delete(fsd: Fsd, name: str) -> dict[str, list[str]]:
    return dict(
        fsd.ok("delete", "--service", name, "--env", "local", "--yes", "--format", "json").json()
    )


def test_shared__two_services__by_host_and_by_path_and_gone_with_the_last(
    fsd: Fsd, hello: Path
) -> None:
    add_service(hello, "one", {"hosts": ["one.localhost"], "priority": 10})
    add_service(hello, "two", {"paths": ["/health", "/two/*"]})
    add_service(hello, "late", {"hosts": ["late.localhost"], "priority": 10})
    shutil.copy(hello / "one.yml", hello / "service.yml")
    commit(hello, "three services")

    first = fsd.ok(*DEPLOY, "--file", "one.yml")
    second = fsd.ok(*DEPLOY, "--file", "two.yml")
    late = fsd.run("deploy", "--env", "local", "--file", "late.yml")
    again = fsd.ok(*DEPLOY, "--file", "one.yml")
    by_host, by_path = ask(fsd, "one.localhost", "/"), ask(fsd, "any.localhost", "/health")
    nobody = ask(fsd, "any.localhost", "/")
    left = delete(fsd, "one")
    after = ask(fsd, "any.localhost", "/health")
    last = delete(fsd, "two")

    assert first.json()["outcome"] == second.json()["outcome"] == "succeeded"
    assert late.code != 0
    assert "Priority '10' is currently in use" in late.out + late.err
    assert "networking.loadBalancer.priority" in late.out + late.err
    assert again.json()["outcome"] == "unchanged", again.text
    assert (by_host, by_path, nobody) == ((200, "one"), (200, ""), (404, ""))
    assert any(STACK in line and "fsd-two-local" in line for line in left["kept"]), left
    assert after == (200, "")
    assert any(STACK in line for line in last["removed"]), last
