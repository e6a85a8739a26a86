"""`fsd import` as a process: files of other tools, and a service that runs on the embedded AWS."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.local.cli import HELLO, Fsd
from tests.local.conftest import SPEED, commit

TASK = {
    "family": "offer-api",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
        {
            "name": "offer-api",
            "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/offer-api:v1",
            "portMappings": [{"containerPort": 8000}],
            "privileged": True,
        }
    ],
}

EXPORT = re.compile(r"^export (\w+)='?([^'\n]*)'?$", re.MULTILINE)


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "shop"
    work.mkdir()
    return Fsd(state=tmp_path / "state", cwd=work)


def test_import__task_definition__a_valid_file_and_what_is_lost(fsd: Fsd) -> None:
    (fsd.cwd / "task.json").write_text(json.dumps(TASK))

    ended = fsd.ok("import", "task.json", "--pack", "pricing")

    lost = "containerDefinitions[0].privileged = true: Fargate does not have it"
    assert " ✔ service.yml   from task.json\n" in ended.out
    assert f"   - not imported: {lost}\n" in ended.out
    assert "1 Service YAML, 1 setting not imported.\n" in ended.out
    text = (fsd.cwd / "service.yml").read_text()
    assert f"# Not imported:\n#   {lost}\n" in text
    assert yaml.safe_load(text)["metadata"] == {"name": "offer-api", "pack": "pricing"}
    fsd.ok("validate", "--file", "service.yml")


def test_import__check__each_field_that_differs(fsd: Fsd) -> None:
    (fsd.cwd / "task.json").write_text(json.dumps(TASK))

    ended = fsd.run("import", "task.json", "--check")

    assert ended.code == 3
    assert "  ~ offer-api.privileged: true → nothing\n" in ended.out
    assert not (fsd.cwd / "service.yml").exists()


def test_import__check_of_a_compose_file__and_what_cannot_be_compared(fsd: Fsd) -> None:
    text = "services:\n  web: {image: 'me/web:1', user: '10', volumes: ['./a:/a']}\n"
    (fsd.cwd / "compose.yml").write_text(text)

    ended = fsd.ok("import", "compose.yml", "--check")

    assert "web: 2 of 2 fields are the same\n" in ended.out
    assert '  ? not compared: services.web.volumes = ["./a:/a"]: ' in ended.out
    assert not (fsd.cwd / "service.yml").exists()


def test_import__folder_of_a_copilot_application__a_file_each(fsd: Fsd) -> None:
    for name, kind in (("api", "Backend Service"), ("job", "Worker Service")):
        folder = fsd.cwd / "copilot" / name
        folder.mkdir(parents=True)
        image = f"image: {{build: {name}/Dockerfile}}"
        (folder / "manifest.yml").write_text(f"name: {name}\ntype: {kind}\n{image}\n")
    (fsd.cwd / "copilot" / ".workspace").write_text("application: shop\n")

    fsd.ok("import", ".", "--output", "deploy")

    api = yaml.safe_load((fsd.cwd / "deploy" / "service-api.yml").read_text())
    assert api["metadata"]["pack"] == "shop"
    assert api["service"]["build"] == {"dockerfile": "../api/Dockerfile", "context": "../api"}
    assert (fsd.cwd / "deploy" / "service-job.yml").exists()


def test_import__manifest_of_the_folder_one_is_in__knows_its_application(fsd: Fsd) -> None:
    folder = fsd.cwd / "copilot" / "api"
    folder.mkdir(parents=True)
    secret = "/copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/KEY"
    image = "image: {build: Dockerfile}"
    text = f"name: api\ntype: Backend Service\n{image}\nsecrets:\n  KEY: {secret}\n"
    (folder / "manifest.yml").write_text(text)
    unknown = fsd.ok("import", "copilot/api/manifest.yml", "--dry-run")
    (fsd.cwd / "copilot" / ".workspace").write_text("application: shop\n")

    known = replace(fsd, cwd=folder).ok("import", "manifest.yml", "--dry-run")

    assert "copilot/.workspace, which is not here" in unknown.out
    assert "valueFrom: /copilot/shop/${ENV}/secrets/KEY" in known.out
    assert "Not imported" not in known.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "there is nothing to import"),
        (["nowhere.json"], 2, "there is no such file or folder"),
        (["."], 2, "nothing here says what a service is"),
        (["a.yml", "--cluster", "c"], 2, "a file and a running service are two sources"),
        (["--cluster", "c"], 2, "a running service has a cluster and a name"),
        (["db.yml"], 2, "nothing here is a service of your own: services.db = postgres"),
    ],
)
def test_import__what_cannot_be__said_with_its_fix(
    fsd: Fsd, arguments: list[str], code: int, said: str
) -> None:
    if arguments == ["db.yml"]:
        (fsd.cwd / "db.yml").write_text("services:\n  db: {image: postgres}\n")

    ended = fsd.run("import", *arguments)

    assert ended.code == code
    assert said in ended.err
    assert "fix: " in ended.err


def test_import__file_is_there__refused(fsd: Fsd) -> None:
    (fsd.cwd / "task.json").write_text(json.dumps(TASK))
    (fsd.cwd / "service.yml").write_text("mine")

    ended = fsd.run("import", "task.json")

    assert ended.code == 4
    assert (fsd.cwd / "service.yml").read_text() == "mine"


def test_import__running_service__what_was_deployed(tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    shutil.copytree(HELLO, folder)
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    commit(folder, "first")
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        fsd.ok("deploy", "--env", "local")
        extra = dict(EXPORT.findall(fsd.ok("local", "env").out))
        there = Fsd(state=fsd.state, cwd=folder, extra=extra)
        ended = there.ok("import", "--cluster", "local", "--service", "hello-local", "--dry-run")
        checked = there.run("import", "--cluster", "local", "--service", "hello-local", "--check")
    finally:
        fsd.ok("local", "down")

    wanted = yaml.safe_load((folder / "service.yml").read_text())["service"]
    found = yaml.safe_load(ended.out)["service"]
    assert found["port"] == wanted["port"]
    assert found["networking"]["loadBalancer"]["internal"] is True
    assert found["healthCheck"]["path"] == wanted["healthCheck"]["path"]
    assert "fields are the same" in checked.out
