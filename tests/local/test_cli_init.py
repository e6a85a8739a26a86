"""`fsd init` as a process: what it writes is clean, and one of them is really deployed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.local.cli import HELLO, TIMEOUT, Fsd
from tests.local.conftest import SPEED, commit

WORKFLOW = ".github/workflows/deploy.yml"
REMOTE = '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n'
FASTAPI = {
    "Dockerfile": "FROM python:3.12-slim\nCOPY . .\nEXPOSE 8080\n"
    'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8080"]\n',
    "pyproject.toml": "[build-system]\nrequires = []\n[project]\nname = 'offer-api'\n"
    "dependencies = ['fastapi', 'boto3']\n[project.optional-dependencies]\ndev = ['pytest']\n",
    "app/main.py": "import boto3\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    "table = boto3.resource('dynamodb').Table('offers')\n\n@app.get('/healthz')\n"
    "def health() -> None:\n    table.get_item(Key={})\n",
    "tests/test_main.py": "def test_main() -> None: ...\n",
    "CODEOWNERS": "* @acme/pricing\n",
}
FLASK = {
    "Dockerfile": "FROM python:3.12\nCMD gunicorn --bind 0.0.0.0:9000 web:app\n",
    "requirements.txt": "flask==3.0\ngunicorn\n",
    "web.py": "from flask import Flask\napp = Flask(__name__)\n\n@app.route('/health')\n"
    "def health(): return 'ok'\n",
    "Makefile": "test:\n\tpytest\n",
}
KAFKA = {
    "Dockerfile": "FROM python:3.12\nCMD python -m worker\n",
    "requirements.txt": "aiokafka\nboto3\n",
    "worker.py": "import boto3\nfrom aiokafka import AIOKafkaConsumer\n"
    "boto3.client('s3').put_object()\n",
}
SCRIPT = {"main.py": "import time\n\nwhile True:\n    time.sleep(1)\n"}


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "shop"
    (work / ".git").mkdir(parents=True)
    (work / ".git" / "config").write_text(REMOTE)
    return Fsd(state=tmp_path / "state", cwd=work)


def fill(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (FASTAPI, ["name: offer-api", "port: 8080", "path: /healthz", "pack: pricing"]),
        (FLASK, ["name: shop", "port: 9000", "path: /health", "pack: acme"]),
        (KAFKA, ["name: shop", 'USE_MSK_IAM: "true"', "#   - type: aws_msk_cluster"]),
        (SCRIPT, ["name: shop", "desiredCount: 2"]),
    ],
    ids=["fastapi", "flask", "kafka", "script"],
)
def test_init__sample_folders__files_without_findings(
    fsd: Fsd, files: Mapping[str, str], expected: list[str]
) -> None:
    fill(fsd.cwd, files)

    ended = fsd.ok("init", "--yes")

    assert f" ✔ service.yml\n ✔ {WORKFLOW}\n" in ended.out
    text = (fsd.cwd / "service.yml").read_text()
    assert [line for line in expected if line not in text] == []
    assert ("port:" in text) == (files in (FASTAPI, FLASK))
    fsd.ok("validate", "--strict", "--env", "prod")
    clean = fsd.ok("validate", "--strict", "--workflows", WORKFLOW)
    assert clean.out == f"{WORKFLOW}: 0 errors, 0 warnings\n"
    for linter in (
        ["actionlint"],
        ["check-jsonschema", "--schemafile", ".fsd/service.schema.json"],
    ):
        file = "service.yml" if len(linter) > 1 else WORKFLOW
        _lint(fsd.cwd, [*linter, file])


@pytest.mark.parametrize(
    ("source", "said", "unsaid"),
    [
        ("", ["path: /   # not sure", "matcher: 200-499"], "2xx"),
        ("@app.route('/orders')\ndef f(): ...\n", ["matcher: 200-499"], "/orders"),
        ("@app.route('/version')\ndef f(): ...\n", ["path: /version"], "matcher"),
        ("@app.route('/')\ndef f(): ...\n", ["path: /\n"], "matcher"),
        ("@app.route('/')\n@login_required\ndef f(): ...\n", ["matcher: 200-499"], "2xx"),
        (
            "@app.route('/')\n@login_required\ndef f(): ...\n"
            "@app.get('/auth/login')\ndef g(): ...\n",
            ["path: /auth/login"],
            "matcher",
        ),
    ],
    ids=["no route", "no open route", "open route", "root", "root is closed", "login"],
)
def test_init__no_health_route__a_path_that_exists_or_any_answer(
    fsd: Fsd, source: str, said: list[str], unsaid: str
) -> None:
    web = "from flask import Flask\napp = Flask(__name__)\n" + source
    fill(fsd.cwd, {**FLASK, "web.py": web})

    ended = fsd.ok("init", "--yes")

    assert " ! no health route was found" in ended.out
    text = (fsd.cwd / "service.yml").read_text()
    assert [line for line in said if line not in text] == []
    assert unsaid not in text
    assert "/health\n" not in text
    fsd.ok("validate", "--strict", "--env", "prod")


def _lint(folder: Path, command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_init__folder_of_a_repository__workflow_in_its_root(fsd: Fsd) -> None:
    folder = fsd.cwd / "services" / "api"
    fill(folder, FLASK)

    fsd.ok("init", "--yes", "services/api")

    assert (folder / "service.yml").exists()
    text = (fsd.cwd / ".github/workflows/deploy-api.yml").read_text()
    assert "service-file: services/api/service.yml" in text
    assert fsd.ok("validate", "--strict", "--workflows", ".").out == ".: 0 errors, 0 warnings\n"


def test_init__file_exists__refused_and_nothing_written(fsd: Fsd) -> None:
    existing = "service.yml"
    fill(fsd.cwd, {**SCRIPT, existing: "mine"})
    before = everything(fsd.cwd)

    ended = fsd.run("init", "--yes")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("error[file-exists]: there is already a ")
    assert f"--> {existing}\n" in ended.err
    assert everything(fsd.cwd) == before


def test_init__own_workflow_and_no_workflow__the_manifest_alone(fsd: Fsd) -> None:
    fill(fsd.cwd, {**SCRIPT, WORKFLOW: "mine"})

    ended = fsd.ok("init", "--yes", "--no-workflow")

    assert " ! there was no Dockerfile: the new one runs `python main.py`" in ended.out
    assert (fsd.cwd / "Dockerfile").read_text().endswith('CMD ["python", "main.py"]\n')
    assert "there are no tests" not in ended.out
    assert (fsd.cwd / WORKFLOW).read_text() == "mine"
    assert (fsd.cwd / "service.yml").exists()


def test_init__workflow_of_that_name__stays_and_the_rest_is_written(fsd: Fsd) -> None:
    fill(fsd.cwd, {**FLASK, WORKFLOW: "mine"})

    ended = fsd.ok("init", "--yes")

    assert f" ! {WORKFLOW} exists and was not changed" in ended.out
    assert (fsd.cwd / WORKFLOW).read_text() == "mine"
    assert (fsd.cwd / "service.yml").exists()


def test_init__links_out_of_the_folder__refused(fsd: Fsd) -> None:
    outside = fsd.cwd.parent / "outside"
    outside.mkdir()
    (fsd.cwd / ".github").symlink_to(outside)

    ended = fsd.run("init", "--yes")

    assert ended.code == 4
    assert "leads out of the folder" in ended.err
    assert list(outside.iterdir()) == []
    assert not (fsd.cwd / "service.yml").exists()


def test_init__folder_that_cannot_be_made__nothing_is_left(fsd: Fsd) -> None:
    fill(fsd.cwd, {".github": "a file"})

    ended = fsd.run("init", "--yes")

    assert ended.code == 4
    assert ended.err.startswith("error[cannot-write]")
    assert not (fsd.cwd / "service.yml").exists()


def test_init__dry_run__prints_and_writes_nothing(fsd: Fsd) -> None:
    fill(fsd.cwd, FLASK)
    before = everything(fsd.cwd)

    ended = fsd.ok("init", "--dry-run")

    assert ended.out.startswith("# --- service.yml\n# yaml-language-server: $schema=")
    assert f"\n# --- {WORKFLOW}\n" in ended.out
    assert len(list(yaml.safe_load_all(ended.out.replace("# --- ", "---\n# ")))) == 2
    assert everything(fsd.cwd) == before


def test_init__flags__win_over_what_is_found(fsd: Fsd) -> None:
    fill(fsd.cwd, FASTAPI)

    fsd.ok(
        *("init", "--name", "shop-x", "--pack", "team b", "--owner", "@a", "--owner", "@b/c"),
        *("--type", "api", "--port", "81", "--health-path", "/up", "--region", "eu-west-1"),
    )

    text = (fsd.cwd / "service.yml").read_text()
    for line in ("name: shop-x", 'pack: "team b"', '- "@b/c"', "port: 81", "path: /up"):
        assert line in text
    assert "aws-region: eu-west-1" in (fsd.cwd / WORKFLOW).read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "cannot ask questions without a terminal"),
        (["--yes", "--name", "Bad_Name"], "`Bad_Name` cannot be used here"),
        (["--yes", "--owner", "me"], "`me` is not a GitHub handle"),
        (["--yes", "--type", "worker", "--port", "1"], "a worker has no port"),
        (["--yes", "--type", "api"], "nothing in the folder says the port"),
        (["--yes", "--health-path", "x", "--port", "1"], "`x` is not a path"),
        (["--yes", "--region", "here"], "`here` cannot be used here"),
    ],
)
def test_init__what_cannot_be__exit_2_and_nothing_written(
    fsd: Fsd, arguments: list[str], said: str
) -> None:
    fill(fsd.cwd, SCRIPT)
    before = everything(fsd.cwd)

    ended = fsd.run("init", *arguments)

    assert ended.code == 2
    assert said in ended.err
    assert "fix: " in ended.err
    assert everything(fsd.cwd) == before


def test_init__nobody_owns_it__says_so(fsd: Fsd) -> None:
    shutil.rmtree(fsd.cwd / ".git")

    ended = fsd.ok("init", "--yes")

    assert " ! there are no owners" in ended.out
    assert "  owners: []" in (fsd.cwd / "service.yml").read_text()
    fsd.ok("validate", "--env", "prod")


def test_init__another_tools_service_yml__writes_beside_it_with_file(fsd: Fsd) -> None:
    fill(fsd.cwd, {**FLASK, "service.yml": "apiVersion: v1\nkind: Service\n"})

    refused = fsd.run("init", "--yes")
    fsd.ok("init", "--yes", "--file", "fsd.yml")

    assert refused.code == 4
    assert "which is not a Service YAML" in refused.err
    assert "fix: `fsd init --file fsd.yml` writes beside it" in refused.err
    assert "service-file: fsd.yml" in (fsd.cwd / WORKFLOW).read_text()
    fsd.ok("validate", "--strict", "--env", "prod", "--file", "fsd.yml")


COMPOSE = """services:
  web:
    build: {context: ., dockerfile: docker/Dockerfile}
    ports: ["8000:9000"]
  worker:
    build: {context: ., dockerfile: docker/Dockerfile}
    command: celery -A web worker
  migrate:
    build: {context: ., dockerfile: docker/Dockerfile}
    command: flask db upgrade
  db: {image: postgres}
"""


def test_init__compose_with_a_worker__a_manifest_of_its_own(fsd: Fsd) -> None:
    dockerfile = "FROM python:3.12\nCOPY . .\nCMD gunicorn --bind 0.0.0.0:9000 web:app\n"
    files = {**FLASK, "docker/Dockerfile": dockerfile, "docker-compose.yml": COMPOSE}
    del files["Dockerfile"]
    fill(fsd.cwd, files)

    ended = fsd.ok("init", "--yes")

    worker = (fsd.cwd / "service-worker.yml").read_text()
    assert 'command: ["celery", "-A", "web", "worker"]' in worker
    assert "name: shop-worker" in worker
    assert "port:" not in worker
    workflow = (fsd.cwd / WORKFLOW).read_text()
    assert 'service-file: "service*.yml"' in workflow
    assert "    dockerfile: docker/Dockerfile\n" in worker
    assert "    dockerfile: docker/Dockerfile\n" in (fsd.cwd / "service.yml").read_text()
    assert "compose's migrate runs once and is no service" in ended.out
    fsd.ok("validate", "--strict", "--env", "prod", ".")


def test_init__several_services__one_manifest_and_one_workflow_each(fsd: Fsd) -> None:
    fill(fsd.cwd / "services" / "api", FLASK)
    fill(fsd.cwd / "services" / "queue", KAFKA)
    fill(fsd.cwd / "frontend", {"Dockerfile": "FROM node:22\n"})

    ended = fsd.ok("init", "--yes")

    assert {name for name in everything(fsd.cwd) if name.endswith(".yml")} == {
        "services/api/service.yml",
        "services/queue/service.yml",
        ".github/workflows/deploy-api.yml",
        ".github/workflows/deploy-queue.yml",
    }
    workflow = (fsd.cwd / ".github/workflows/deploy-queue.yml").read_text()
    assert 'paths: ["services/queue/**"]' in workflow
    assert " ! services/queue: " in ended.out


def test_init__terminal__asks_with_what_was_found(fsd: Fsd) -> None:
    fill(fsd.cwd, FLASK)
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "fsd.cli.main", "init"],
            cwd=fsd.cwd,
            env={**fsd.environment(), "TERM": "dumb"},
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        with process:
            os.write(ours, b"Not a name\noffers\n\n\n\n8181\n\n\n")
            out, _ = process.communicate(timeout=TIMEOUT)
        shown = _read(ours)
    finally:
        os.close(ours)
        os.close(theirs)

    assert process.returncode == 0, shown
    assert "Name (from the remote `origin`) [shop]:" in shown
    assert "`Not a name` cannot be used here" in shown
    assert "Port (from Dockerfile:2 (CMD)) [9000]:" in shown
    assert "Health path (from web.py:4) [/health]:" in shown
    assert " ✔ service.yml" in out
    text = (fsd.cwd / "service.yml").read_text()
    assert "name: offers" in text
    assert "port: 8181" in text


def _read(terminal: int) -> str:
    """What has been written to a terminal so far."""
    shown = b""
    while select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 4096)
    return shown.decode()


def test_init__example_service__deploys_to_the_embedded_aws(tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    shutil.copytree(HELLO, folder)
    (folder / "service.yml").unlink()
    fsd = Fsd(state=tmp_path / "state", cwd=folder)
    commit(folder, "first")
    fsd.ok("init", "--yes", "--owner", "@org/hello")
    commit(folder, "init")
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        deployed = fsd.ok("deploy", "--env", "local")
        (service,) = fsd.status()["services"]
        with urllib.request.urlopen(f"{service['urls'][-1]}/health", timeout=10) as got:
            assert got.status == 200
    finally:
        fsd.ok("local", "down")

    assert "Deployed hello" in deployed.text
    assert "2 of 2 healthy" in deployed.text
