"""What a container does before its first answer: it waits, migrates, loads, or lacks its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.scaffold.detect import Detected, detect
from fsd.scaffold.folder import read_folder

ENTRY = "FROM python:3.12\nCOPY . .\nENTRYPOINT ['/app/entrypoint.sh']\n".replace("'", '"')
WEB = "from flask import Flask\napp = Flask(__name__)\n@app.get('/health')\ndef f(): ...\n"


def look(folder: Path, files: dict[str, str]) -> Detected:
    for name, text in {"app.py": WEB, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(read_folder(folder))


@pytest.mark.parametrize(
    ("line", "place", "todo"),
    [
        ("while ! nc -z db 5432; do sleep 1; done", "db:5432", "`db` is a name of compose"),
        ("until nc -z -w 2 db 5432; do sleep 1; done", "db:5432", "`db` is a name of compose"),
        ("until nc -zv $SQL_HOST $SQL_PORT; do sleep 1; done", "$SQL_HOST:$SQL_PORT",
         "set SQL_HOST and SQL_PORT to an address"),
        ('nc -z "${DB_HOST:-db}" 5432', "${DB_HOST:-db}:5432", "set DB_HOST to an address"),
        ("./wait-for-it.sh rabbit:5672 -- true", "rabbit:5672", "`rabbit` is a name of compose"),
        ("wait-for -t 9 cache:6379", "cache:6379", "`cache` is a name of compose"),
        ("dockerize -wait tcp://db:5432 -timeout 9s", "db:5432", "`db` is a name of compose"),
        ("until pg_isready -h db -p 5432; do sleep 1; done", "db:5432", "`db` is a name of compo"),
        ("pg_isready --host=db.example.com", "db.example.com", "it has to be reachable from the"),
        ("(echo > /dev/tcp/db/5432)", "db:5432", "`db` is a name of compose"),
    ],
)  # fmt: skip
def test_detect__entry_point_waits__says_for_whom(
    tmp_path: Path, line: str, place: str, todo: str
) -> None:
    script = f"#!/bin/sh\n# nc -z other 1\n{line}\nexec flask run --host 0.0.0.0\n"

    notes = look(tmp_path, {"Dockerfile": ENTRY, "entrypoint.sh": script}).notes

    said = f"entrypoint.sh:3 waits for `{place}` before the service starts: {todo}"
    assert [note for note in notes if note.startswith(said)], notes
    assert not any("other" in note for note in notes)


def test_detect__entry_point_waits_for_a_variable__it_is_offered(tmp_path: Path) -> None:
    script = "#!/bin/sh\nnc -z $SQL_HOST $SQL_PORT\nexec flask run --host 0.0.0.0\n"

    found = look(tmp_path, {"Dockerfile": ENTRY, "entrypoint.sh": script}).variables

    assert {each.name for each in found if each.is_needed} == {"SQL_HOST", "SQL_PORT"}


@pytest.mark.parametrize(
    "line", ["nc -z localhost 80", "nc -l 80", "curl http://db:1", "rsync a b"]
)
def test_detect__entry_point_waits_for_nobody__says_nothing(tmp_path: Path, line: str) -> None:
    script = f"#!/bin/sh\n{line}\nexec flask run --host 0.0.0.0\n"

    notes = look(tmp_path, {"Dockerfile": ENTRY, "entrypoint.sh": script}).notes

    assert not any("waits" in note for note in notes)


@pytest.mark.parametrize(
    "command",
    ["alembic upgrade head", "python manage.py migrate", "flask db upgrade", "aerich upgrade"],
)
def test_detect__start_command_migrates__once_before_and_more_time(
    tmp_path: Path, command: str
) -> None:
    found = look(
        tmp_path, {"Dockerfile": f"FROM python:3.12\nCMD {command} && gunicorn -b :80 app:app\n"}
    )

    assert found.notes[0] == (
        f"Dockerfile:2 (CMD) runs `{command}` in each task, several at the same time: "
        "service.beforeDeploy runs it once before a rollout"
    )
    assert (found.grace, found.grace_source) == (300, "the start command migrates the database")


@pytest.mark.parametrize(("library", "grace"), [("torch", 300), ("flask", 60)])
def test_detect__model_that_is_loaded__more_time(tmp_path: Path, library: str, grace: int) -> None:
    assert look(tmp_path, {"requirements.txt": f"{library}==1\n"}).grace == grace


@pytest.mark.parametrize(
    ("dockerfile", "volume", "is_missing"),
    [
        ("COPY requirements.txt .\n", "./src:/code", True),
        ("COPY --from=builder /app/.venv /app/.venv\n", ".:/code:ro", True),
        ("COPY . .\n", "./src:/code", False),
        ("COPY src /code\n", "./src:/code", False),
        ("COPY requirements.txt .\n", "./data:/data", False),
        ("COPY requirements.txt .\n", "data:/data", False),
    ],
)
def test_detect__code_that_only_compose_brings__is_said(
    tmp_path: Path, dockerfile: str, volume: str, is_missing: bool
) -> None:
    compose = f"services:\n  web:\n    build: .\n    ports: ['80:80']\n    volumes: ['{volume}']\n"
    files = {"Dockerfile": f"FROM python:3.12\n{dockerfile}CMD flask run\n", "src/a.py": WEB}

    notes = look(tmp_path, {**files, "compose.yml": compose, "requirements.txt": ""}).notes

    said = f"compose's web mounts {volume.partition(':')[0]} at /code, and no COPY of Dockerfile"
    assert any(note.startswith(said) for note in notes) is is_missing


WSGI = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings{}')\n"


@pytest.mark.parametrize(
    ("default", "other", "said"),
    [
        (".local", "production", "set it to shop.settings.production in service.yml if"),
        (".base", "prod", "set it to shop.settings.prod in service.yml if that is for AWS"),
        (".production", "production", ""),
        ("", "unrelated", ""),
    ],
)
def test_detect__django_settings_of_production__offered(
    tmp_path: Path, default: str, other: str, said: str
) -> None:
    found = look(
        tmp_path,
        {
            "manage.py": WSGI.format(".dev"),
            "shop/wsgi.py": WSGI.format(default),
            f"shop/settings/{other}.py": "",
            "requirements.txt": "django\n",
        },
    )

    (variable,) = [each for each in found.variables if each.name == "DJANGO_SETTINGS_MODULE"]
    assert variable.default == f"shop.settings{default}"
    notes = [note for note in found.notes if note.startswith("DJANGO_SETTINGS_MODULE is")]
    assert [said in note for note in notes] == ([True] if said else [])


@pytest.mark.parametrize(
    ("base", "note"),
    [
        ("python:3.12-slim", "Dockerfile has no CMD: say with `command` in service.yml what runs"),
        ("acme/service:2", "Dockerfile has no CMD, and acme/service:2 may have one: say with `com"),
        ("tiangolo/uvicorn-gunicorn:python3.11", ""),
    ],
)
def test_detect__image_without_a_command__what_its_base_may_run(
    tmp_path: Path, base: str, note: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\nCOPY . .\n")
    (tmp_path / "prices.py").write_text("x = 1\n")

    said = [each for each in detect(read_folder(tmp_path)).notes if "no CMD" in each]

    assert [each.startswith(note) for each in said] == ([True] if note else [])
