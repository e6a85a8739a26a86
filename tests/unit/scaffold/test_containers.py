"""Which Dockerfile, context, stage, command and port, where they are not the usual ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.scaffold.detect import Detected, detect
from fsd.scaffold.folder import read_folder
from fsd.scaffold.services import find_services

PYTHON = "FROM python:3.12-slim\nCOPY . .\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"


def look(folder: Path, files: dict[str, str], below: str = "") -> Detected:
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return detect(read_folder(folder / below))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Dockerfile", "Dockerfile.prod"], "Dockerfile"),
        (["Dockerfile.dev", "Dockerfile.prod"], "Dockerfile.prod"),
        (["docker/Dockerfile", "docker/nginx.Dockerfile"], "docker/Dockerfile"),
        (["api.Dockerfile"], "api.Dockerfile"),
        (["compose/local/Dockerfile", "compose/production/Dockerfile"],
         "compose/production/Dockerfile"),
        (["Containerfile"], "Containerfile"),
        (["tests/Dockerfile", "deploy/Dockerfile"], "deploy/Dockerfile"),
        (["bin/Dockerfile-template", "images/python/Dockerfile"], "images/python/Dockerfile"),
    ],
)  # fmt: skip
def test_detect__dockerfiles__the_one_for_production(
    tmp_path: Path, names: list[str], expected: str
) -> None:
    found = look(tmp_path, {"main.py": "", **dict.fromkeys(names, PYTHON)}).container.build

    assert found is not None
    assert (found.dockerfile, found.context) == (expected, ".")


def test_detect__copies_of_the_repository__context_above(tmp_path: Path) -> None:
    dockerfile = "FROM python\nCOPY requirements.txt .\nCOPY services/api ./api\n"
    files = {"requirements.txt": "", "services/api/Dockerfile": dockerfile}
    found = look(tmp_path, {**files, "services/api/main.py": ""}, "services/api").container.build

    assert found is not None
    assert found.context == "../.."
    assert found.copies == ("requirements.txt", "services/api")


@pytest.mark.parametrize(
    ("work", "context"),
    [("/app/services/api", "../.."), ("services/api", "../.."), ("/app/src", "."), ("/srv", ".")],
)
def test_detect__works_in_its_own_folder_of_what_it_copies__context_above(
    tmp_path: Path, work: str, context: str
) -> None:
    dockerfile = f"FROM python\nWORKDIR /app\nCOPY . .\nWORKDIR {work}\nCMD python main.py\n"
    files = {"services/api/Dockerfile": dockerfile, "services/api/main.py": ""}

    found = look(tmp_path, files, "services/api").container.build

    assert found is not None
    assert found.context == context


COMPOSE = "services:\n  api:\n    build: {context: ., target: runtime}\n    ports: ['80:8000']\n"


@pytest.mark.parametrize(
    ("dockerfile", "compose", "target"),
    [
        ("FROM python AS runtime\nFROM python AS other\n", COMPOSE, "runtime"),
        ("FROM python AS dev\nFROM python AS runtime\n", COMPOSE, ""),
        ("FROM python AS runtime\nFROM runtime AS test\n", "", "runtime"),
        ("FROM python AS base\nFROM base AS dev\n", "", ""),
        ("FROM python AS runtime\nFROM runtime AS dev\n", COMPOSE.replace("runtime", "dev"),
         "runtime"),
    ],
)  # fmt: skip
def test_detect__stages__the_one_that_runs(
    tmp_path: Path, dockerfile: str, compose: str, target: str
) -> None:
    files = {"Dockerfile": dockerfile, "main.py": "", "compose.yml": compose}
    found = look(tmp_path, files).container.build

    assert found is not None
    assert found.target == target


PORTS = [
    ('EXPOSE 80\nCMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n', {}, "8000", True),
    ("EXPOSE 80\nCMD fastapi run main.py\n", {}, "8000", True),
    ("CMD gunicorn main:app\n", {"gunicorn.conf.py": "bind = '0.0.0.0:9000'\n"}, "9000", False),
    ("CMD uvicorn main:app --port ${PORT:-8080} --host 0.0.0.0\n", {}, "8080", True),
    ('CMD ["./start.sh"]\n', {"start.sh": "exec gunicorn -b :7000 main:app\n"}, "7000", True),
    ('CMD ["/app/docker/run.sh"]\n',
     {"docker/run.sh": "# uvicorn --port 1\nexec uvicorn \\\n  --host 0.0.0.0 --port 7001 a:b\n"},
     "7001", True),
    ("ENV PORT=8081\nCMD python main.py\n",
     {"main.py": "import os, uvicorn\nuvicorn.run(a, port=int(os.getenv('PORT', 1)))\n"},
     "8081", True),
    ("EXPOSE 1\nCMD python main.py\n", {"main.py": "import uvicorn\nuvicorn.run(a, port=8123)\n"},
     "8123", True),
    ("CMD python manage.py runserver 0.0.0.0:8002\n", {}, "8002", True),
    ("CMD streamlit run app.py --server.port=8502\n", {}, "8502", True),
    ("CMD flask run --host=0.0.0.0\n", {}, "5000", True),
    ("CMD waitress-serve --listen=*:8089 a:b\n", {}, "8089", True),
    ('CMD ["sh", "-c", "flask db upgrade && gunicorn --bind :8003 a:b"]\n', {}, "8003", True),
    ("ENV GUNICORN_CMD_ARGS=--bind=0.0.0.0:8004\nCMD gunicorn a:b\n", {}, "8004", True),
]  # fmt: skip


@pytest.mark.parametrize(("docker", "files", "port", "says_all"), PORTS)
def test_detect__command__the_port_that_it_binds(
    tmp_path: Path, docker: str, files: dict[str, str], port: str, says_all: bool
) -> None:
    detected = look(tmp_path, {"main.py": FASTAPI, **files, "Dockerfile": PYTHON + docker})

    assert detected.port is not None
    assert detected.port.value == port
    assert not says_all or not any("127.0.0.1" in note for note in detected.notes)


def test_detect__port_of_the_environment__set_in_the_manifest(tmp_path: Path) -> None:
    docker = "EXPOSE 8090\nCMD uvicorn main:app --host 0.0.0.0 --port $PORT\n"
    detected = look(tmp_path, {"main.py": FASTAPI, "Dockerfile": PYTHON + docker})

    assert detected.port is not None
    assert (detected.port.value, detected.port_variable) == ("8090", "PORT")


def test_detect__server_on_the_loopback__says_so(tmp_path: Path) -> None:
    docker = 'CMD ["uvicorn", "main:app", "--port", "8000"]\n'
    detected = look(tmp_path, {"main.py": FASTAPI, "Dockerfile": PYTHON + docker})

    assert any("uvicorn listens on 127.0.0.1" in note for note in detected.notes)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"main.py": FASTAPI}, "uvicorn main:app --host 0.0.0.0 --port 8000"),
        ({"src/shop/app.py": FASTAPI}, "uvicorn shop.app:app --host 0.0.0.0 --port 8000"),
        ({"web.py": "from flask import Flask\napp = Flask('x')\n", "requirements.txt": "gunicorn"},
         "gunicorn --bind 0.0.0.0:8000 web:app"),
        ({"worker.py": "while True: pass\n"}, "python worker.py"),
        ({"main.py": FASTAPI, "Procfile": "web: uvicorn main:app --port $PORT\n"},
         "sh -c uvicorn main:app --port $PORT"),
        ({"main.py": FASTAPI, "compose.yml": "services:\n  web:\n    build: .\n    ports: [80]\n"
          "    command: uvicorn main:app --port 80\n"}, "uvicorn main:app --port 80"),
    ],
)  # fmt: skip
def test_detect__image_without_cmd__a_command_and_where_it_is_from(
    tmp_path: Path, files: dict[str, str], command: str
) -> None:
    detected = look(tmp_path, {**files, "Dockerfile": PYTHON})

    assert " ".join(detected.command_words) == command
    assert any("Dockerfile has no CMD: `command` is" in note for note in detected.notes)


def test_detect__image_of_an_argument__the_stage_that_it_names(tmp_path: Path) -> None:
    docker = (
        "ARG KIND=web\nFROM python AS web\nEXPOSE 8001\nCMD supervisord\n"
        "FROM python AS beat\nCMD celery beat\nFROM ${KIND}\n"
    )
    detected = look(tmp_path, {"Dockerfile": docker, "main.py": FASTAPI})

    assert detected.container.command == ("supervisord",)
    assert detected.port is not None
    assert detected.port.value == "8001"


def test_detect__celery_command__a_worker_whatever_it_imports(tmp_path: Path) -> None:
    docker = PYTHON + "CMD celery -A main worker\n"
    detected = look(tmp_path, {"Dockerfile": docker, "main.py": FASTAPI})

    assert detected.kind.value == "worker"
    assert detected.port is None


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("celery -A a worker &\nexec gunicorn a.wsgi --bind 0.0.0.0:8001\n", "api"),
        ("celery -A a worker & celery -A a beat & gunicorn a.wsgi --bind :8001", "api"),
        ("celery -A a worker 2>&1\n", "worker"),
        ("celery -A a worker &\nwait\n", "worker"),
    ],
)
def test_detect__script_with_something_beside_it__what_is_in_front(
    tmp_path: Path, script: str, kind: str
) -> None:
    docker = PYTHON + 'EXPOSE 80\nENTRYPOINT ["./start.sh"]\n'
    detected = look(tmp_path, {"Dockerfile": docker, "start.sh": script, "main.py": "import a\n"})

    assert detected.kind.value == kind
    assert (detected.port.value if detected.port else None) == ("8001" if kind == "api" else None)


WORKERS = """services:
  web: &web {build: ., ports: ["80:80"]}
  worker: {<<: *web, ports: [], command: celery -A a worker}
  beat: {extends: {service: worker}, command: celery -A a beat}
  assets: {build: {context: ., target: assets}, command: yarn build}
  migrate: {build: ., command: alembic upgrade head}
  redis: {image: redis}
"""


def test_detect__compose__workers_of_the_same_image(tmp_path: Path) -> None:
    dockerfile = "FROM node AS assets\nFROM python\nCMD uvicorn a:b --host 0.0.0.0 --port 80\n"
    files = {"Dockerfile": dockerfile, "main.py": FASTAPI, "docker-compose.yml": WORKERS}
    detected = look(tmp_path, files)

    assert [(each.name, each.command[-1]) for each in detected.container.workers] == [
        ("worker", "worker"),
        ("beat", "beat"),
    ]
    assert detected.container.once == ("migrate",)


def test_detect__compose_above__its_worker_too(tmp_path: Path) -> None:
    compose = (
        "services:\n  web: {build: ./project, ports: ['80:8000']}\n"
        "  worker: {build: ./project, command: celery worker}\n"
    )
    files = {"docker-compose.yml": compose, "project/Dockerfile": PYTHON + "CMD fastapi run\n"}
    detected = look(tmp_path, {**files, "project/main.py": FASTAPI}, "project")

    assert [each.name for each in detected.container.workers] == ["worker"]
    assert detected.name.value != "project"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Dockerfile", "main.py", "web/Dockerfile", "web/a.py"], (".",)),
        (["api/Dockerfile", "api/a.py", "job/Dockerfile", "job/a.py"], ("api", "job")),
        (["api/Dockerfile", "api/a.py", "ui/Dockerfile", "ui/a.ts"], ("api",)),
        (["docker/Dockerfile", "main.py", "requirements.txt"], (".",)),
        (["pyproject.toml", "api/Dockerfile", "api/pyproject.toml", "api/a.py"], ("api",)),
        (["requirements.txt", "a.py", "tools/x/Dockerfile", "tools/x/a.py"], (".",)),
        ([], (".",)),
    ],
)
def test_find_services__folder__each_with_dockerfile_and_python(
    tmp_path: Path, names: list[str], expected: tuple[str, ...]
) -> None:
    look(tmp_path, dict.fromkeys(names, ""))

    assert find_services(read_folder(tmp_path)) == expected
