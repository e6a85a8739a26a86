"""What a folder says about its service, and what it must not be able to do to `fsd init`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fsd.scaffold.detect import Detected, detect
from fsd.scaffold.folder import MAX_BYTES, MAX_SOURCE_BYTES, read_folder
from fsd.scaffold.name_and_owners import as_name


def look(folder: Path, **files: str) -> Detected:
    for name, text in files.items():
        write(folder, name.replace("__", "/").replace("_DOT_", "."), text)
    return detect(read_folder(folder))


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


DOCKERFILE = "FROM python:3.12 AS build\nEXPOSE 1\nFROM python:3.12\n"


@pytest.mark.parametrize(
    ("dockerfile", "port", "source"),
    [
        ("EXPOSE 8080\n", "8080", "Dockerfile:4 (EXPOSE)"),
        ("EXPOSE 8080/tcp 9\n", "8080", "Dockerfile:4 (EXPOSE)"),
        ("EXPOSE 53/udp\nEXPOSE 80\n", "80", "Dockerfile:5 (EXPOSE)"),
        ("ENV PORT=8081\nEXPOSE $PORT\n", "8081", "Dockerfile:5 (EXPOSE)"),
        ("ARG P=7000\nEXPOSE ${P:-1}\n", "7000", "Dockerfile:5 (EXPOSE)"),
        ('EXPOSE 1\nCMD ["uvicorn", "a:b", "--port", "8001"]\n', "8001", "Dockerfile:5 (CMD)"),
        ("CMD uvicorn a:b --port=8001\n", "8001", "Dockerfile:4 (CMD)"),
        ("CMD gunicorn -b 0.0.0.0:8002 a:b\n", "8002", "Dockerfile:4 (CMD)"),
        ('CMD ["celery", "-A", "shop", "flower"]\n', "5555", None),
        ("CMD gunicorn\n", "8000", None),
        ("CMD celery flower --port=8004\n", "8004", "Dockerfile:4 (CMD)"),
        ('ENTRYPOINT ["gunicorn", "--bind", ":8003"]\nCMD ["a:b"]\n', "8003", None),
    ],
)
def test_detect__dockerfile__port_of_the_last_stage(
    tmp_path: Path, dockerfile: str, port: str, source: str | None
) -> None:
    detected = look(tmp_path, Dockerfile=DOCKERFILE + dockerfile)

    assert detected.port is not None
    assert detected.port.value == port
    assert source in (None, detected.port.source)
    assert detected.kind.value == "api"


@pytest.mark.parametrize(
    ("source", "port"),
    [
        ("import uvicorn\nuvicorn.run(app, port=8123)", "8123"),
        ("from flask import Flask\nFlask('x').run(port=int(os.environ.get('PORT', '81')))", "81"),
        ("from aiohttp import web\nweb.run_app(app)", "8080"),
        ("from fastapi import FastAPI", "8000"),
        ("import flask", "5000"),
        ("from http.server import HTTPServer\nHTTPServer(('', 8088), H)", "8088"),
        ("import fastapi\nPORT = os.getenv('PORT', 9000)", "9000"),
        ("import requests", None),
        ("import uvicorn\nuvicorn.run(app, port=99999)", "8000"),
        ("import uvicorn\nuvicorn.run(app, port=True)", "8000"),
    ],
)
def test_detect__source__port(tmp_path: Path, source: str, port: str | None) -> None:
    detected = look(tmp_path, app__main_DOT_py=source)

    assert (detected.port and detected.port.value) == port
    assert detected.kind.value == ("api" if port else "worker")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements.txt", "# x\nFastAPI[standard]>=0.1\n"),
        ("requirements/prod.txt", "fastapi==1 --hash=sha256:0\n"),
        ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['fastapi>=1', 'x']\n"),
        ("pyproject.toml", "[tool.poetry]\nname='x'\n[tool.poetry.dependencies]\nfastapi = '*'\n"),
    ],
)
def test_detect__requirements__framework_without_source(
    tmp_path: Path, file: str, text: str
) -> None:
    write(tmp_path, file, text)

    detected = detect(read_folder(tmp_path))

    assert detected.port is not None
    assert detected.port.value == "8000"
    assert file in detected.port.source


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("@app.get('/healthz')\ndef f(): ...", "/healthz"),
        ("@app.route('/health', methods=['GET'])\ndef f(): ...", "/health"),
        (
            "@app.get('/ping')\ndef f(): ...\n@app.get('/api/v1/health')\ndef g(): ...",
            "/api/v1/health",
        ),
        ("urlpatterns = [path('health/', view)]", "/health/"),
        ("if self.path == '/health': pass", "/health"),
        ("match p:\n  case '/livez': pass", "/livez"),
        ("open('/health')", None),
        ("@app.get('/items')\ndef f(): ...", None),
    ],
)
def test_detect__routes__health_path(tmp_path: Path, source: str, path: str | None) -> None:
    detected = look(tmp_path, main_DOT_py=source)

    assert (detected.health and detected.health.value) == path


def test_detect__healthcheck_in_the_dockerfile__its_path(tmp_path: Path) -> None:
    check = "HEALTHCHECK CMD curl -f http://localhost:8000/healthz || exit 1\n"
    detected = look(tmp_path, Dockerfile=DOCKERFILE + check)

    assert detected.health is not None
    assert (detected.health.value, detected.health.source) == (
        "/healthz",
        "Dockerfile:4 (HEALTHCHECK)",
    )


def test_detect__kafka_and_boto3__with_their_lines(tmp_path: Path) -> None:
    detected = look(
        tmp_path,
        worker_DOT_py="import boto3\nfrom aiokafka import AIOKafkaConsumer\n"
        "t = boto3.resource('dynamodb').Table('x')\ns = boto3.client('s3')\nt.get_item()\n",
    )

    assert detected.kind.value == "worker"
    assert detected.kafka is not None
    assert detected.kafka.source == "worker.py:2"
    assert [(each.value, each.where) for each in detected.aws] == [
        ("dynamodb", "worker.py:3"),
        ("s3", "worker.py:4"),
    ]
    assert "get_item" in detected.calls


@pytest.mark.parametrize(
    ("url", "name", "pack"),
    [
        ("git@github.com:acme/shop-api.git", "shop-api", "acme"),
        ("https://github.com/acme/Shop.API", "shop-api", "acme"),
        ("https://token@github.com/acme/shop/", "shop", "acme"),
        ("ssh://git@github.com/acme/shop.git", "shop", "acme"),
        ("https://gitlab.com/acme/shop.git", None, None),
        ("/srv/git/shop", None, None),
    ],
)
def test_detect__git_remote__name_and_owner(
    tmp_path: Path, url: str, name: str | None, pack: str | None
) -> None:
    folder = tmp_path / "some folder"
    config = f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +x\n'
    write(folder, ".git/config", config)

    detected = detect(read_folder(folder))

    assert detected.name.value == (name or "some-folder")
    assert (detected.pack and detected.pack.value) == pack
    assert detected.owners == ((f"@{pack}",) if pack else ())


def test_detect__code_owners__the_last_line_for_everything(tmp_path: Path) -> None:
    text = "* @org/old\n# @x\n*.md @docs\n* @org/pricing a@b.example @me # c\n"
    detected = look(tmp_path, CODEOWNERS="* @no", **{"_DOT_github__CODEOWNERS": text})

    assert detected.owners == ("@org/pricing", "@me")
    assert detected.owners_source == ".github/CODEOWNERS"
    assert detected.pack is not None
    assert detected.pack.value == "pricing"


def test_detect__folder_of_a_repository__owners_from_above(tmp_path: Path) -> None:
    write(tmp_path, ".git/config", '[remote "origin"]\n\turl = git@github.com:acme/mono.git\n')
    write(tmp_path, "CODEOWNERS", "* @acme/all\n/services/api/ @acme/api\n/services/b @acme/b\n")
    write(tmp_path, "services/api/main.py", "import fastapi")

    detected = detect(read_folder(tmp_path / "services" / "api"))

    assert detected.name.value == "api"
    assert detected.owners == ("@acme/api",)
    assert detected.folder.below_repository == "services/api/"


def test_detect__project_name__becomes_a_name(tmp_path: Path) -> None:
    detected = look(tmp_path, pyproject_DOT_toml="[project]\nname = 'Offer_API.Service'\n")

    assert (detected.name.value, detected.name.source) == ("offer-api-service", "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "name"),
    [("A", ""), ("", ""), ("42", ""), ("7-up-x", "up-x"), ("é", ""), ("a" * 99, "a" * 60)],
)
def test_as_name__odd_text__a_valid_name_or_none(text: str, name: str) -> None:
    assert as_name(text) == name


HOSTILE = {
    "no syntax": ("main.py", b"def ("),
    "NUL": ("main.py", b"import flask\0"),
    "not UTF-8": ("main.py", b"\xff\xfeimport flask"),
    "huge": ("main.py", b"import flask\n" + b"#" * MAX_BYTES),
    "deep": ("main.py", b"x = " + b"-" * 100_000 + b"1"),
    "nested": ("main.py", b"(" * 100_000),
    "binary Dockerfile": ("Dockerfile", bytes(range(256))),
    "empty Dockerfile": ("Dockerfile", b""),
    "bad Dockerfile": ("Dockerfile", b"FROM x\n8080\n"),
    "bad EXPOSE": ("Dockerfile", b"FROM x\nEXPOSE\nEXPOSE $X a 1-2 999999\nENV\nCMD\n"),
    "bad TOML": ("pyproject.toml", b"[project\n"),
    "odd TOML": ("pyproject.toml", b"project = 1\n[tool]\npoetry = [1]\n"),
    "deep TOML": ("pyproject.toml", b"a = " + b"[" * 100_000),
    "bad CODEOWNERS": ("CODEOWNERS", b"*\n* x\n\xff"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_detect__hostile_file__says_nothing(tmp_path: Path, case: str) -> None:
    name, content = HOSTILE[case]
    (tmp_path / name).write_bytes(content)

    detected = detect(read_folder(tmp_path))

    assert (detected.port, detected.health, detected.kafka) == (None, None, None)
    assert detected.kind.value == "worker"


def test_read_folder__what_is_elsewhere_or_no_file__not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, "main.py", "import flask")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "Dockerfile").symlink_to(outside / "main.py")
    (folder / "linked").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.py")
    for hidden in (".venv", "node_modules", "my-venv"):
        write(folder, f"{hidden}/main.py", "import flask")
    write(folder, "my-venv/pyvenv.cfg", "")

    found = read_folder(folder)

    assert (found.sources, found.texts) == ({}, {})


def test_read_folder__dockerfile_linked_within__read(tmp_path: Path) -> None:
    write(tmp_path, "docker/Dockerfile", DOCKERFILE + "EXPOSE 8080\n")
    (tmp_path / "Dockerfile").symlink_to("docker/Dockerfile")

    detected = detect(read_folder(tmp_path))

    assert detected.port is not None
    assert detected.port.value == "8080"


@pytest.mark.parametrize("target", ["Dockerfile", "nothing", "."])
def test_read_folder__dockerfile_linked_to_nothing__not_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "Dockerfile").symlink_to(target)

    assert read_folder(tmp_path).texts == {}


def test_read_folder__more_source_than_anybody_waits_for__the_first_of_it(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path, f"m{number:02}.py", "#" * MAX_BYTES)

    found = read_folder(tmp_path)

    assert sum(map(len, found.sources.values())) == MAX_SOURCE_BYTES


def test_read_folder__tests__named_but_not_read(tmp_path: Path) -> None:
    for name in ("tests/test_a.py", "tests/conftest.py", "b_test.py", "main.py"):
        write(tmp_path, name, "import flask")

    found = read_folder(tmp_path)

    assert (tuple(found.sources), found.tests) == (("main.py",), ("b_test.py", "tests/test_a.py"))
