"""A real Django with SQLite on a volume: its migration runs before the rollout, and fails once."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.wheels import rebuild_wheel
from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
FILES = {
    "service.yml": """\
apiVersion: fsd/v1
kind: Service
metadata: {name: notes, pack: examples, owners: ["@org/notes"]}
service:
  type: ecs
  port: 8000
  healthCheck: {path: /health, interval: 5, timeout: 2, gracePeriod: 60}
  resources: {cpu: 256, memory: 512, desiredCount: 1}
  environment: {DATABASE: /srv/data/notes.sqlite3}
  volumes:
    - name: data
      path: /srv/data
      efs: {fileSystem: fs-0a1b2c3d4e5f67890, accessPoint: fsap-0a1b2c3d4e5f67890}
  beforeDeploy:
    command: ["python", "manage.py", "migrate", "--no-input"]
    timeout: 5m
  networking: {loadBalancer: {internal: true}}
  observability: {logs: {retention: 30}}
""",
    "Dockerfile": f"""\
FROM python:{sys.version_info.major}.{sys.version_info.minor}-slim
WORKDIR /app
RUN pip install --no-compile django
COPY . .
USER 10001
CMD ["python", "manage.py", "runserver", "--noreload", "0.0.0.0:8000"]
""",
    "manage.py": """\
import os, sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
""",
    "settings.py": """\
import os

SECRET_KEY, ALLOWED_HOSTS, ROOT_URLCONF = "of-a-test", ["*"], "urls"
INSTALLED_APPS = ["notes"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}
}
""",
    "urls.py": """\
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import JsonResponse
from django.urls import path

from notes.models import Note


def health(request):
    Note.objects.count()
    return JsonResponse({"status": "ok"})


def applied(request):
    found = MigrationRecorder(connection).applied_migrations()
    return JsonResponse([name for _, name in sorted(found)], safe=False)


urlpatterns = [path("health", health), path("applied", applied)]
""",
    "notes/__init__.py": "",
    "notes/models.py": """\
from django.db import models


class Note(models.Model):
    text = models.TextField()
""",
    "notes/migrations/__init__.py": "",
    "notes/migrations/0001_initial.py": """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("text", models.TextField()),
            ],
        ),
    ]
""",
}
SECOND = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE TABLE half_done (id INTEGER)"),
        migrations.RunSQL("{sql}"),
    ]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit(folder, "first")
    return folder


@pytest.fixture
def fsd(tmp_path: Path, project: Path) -> Iterator[Fsd]:
    """An embedded AWS that runs processes; packages come from a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("django", "asgiref", "sqlparse", "typing_extensions"):
        rebuild_wheel(wheels, name)
    client = Fsd(state=tmp_path / "state", cwd=project)
    client.extra = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONFIG_FILE": os.devnull,
    }
    client.ok("local", "up", "--runtime", "process", "--speed", "20")
    try:
        yield client
    finally:
        client.ok("local", "down")


def applied(fsd: Fsd) -> list[str]:
    """What the service that runs sees of the database."""
    (service,) = fsd.status()["services"]
    with urllib.request.urlopen(f"{service['urls'][-1]}applied", timeout=10) as answer:
        names: list[str] = json.load(answer)
    return names


def with_second_migration(project: Path, sql: str) -> None:
    (project / "notes" / "migrations" / "0002_second.py").write_text(SECOND.format(sql=sql))
    commit(project, sql)


def test_migration__fails_once__nothing_changed_and_the_next_one_goes_on(
    fsd: Fsd, project: Path
) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1")
    before = applied(fsd)
    with_second_migration(project, "DROP TABLE absent")
    broken = fsd.run(*DEPLOY, "--version", "v2")
    after = applied(fsd)
    with_second_migration(project, "DROP TABLE half_done")
    good = fsd.ok(*DEPLOY, "--version", "v3")

    assert "Applying notes.0001_initial... OK" in first.err
    assert broken.code == 6, broken.text
    told = broken.json()
    assert "no such table: absent" in "\n".join(told["diagnosis"]["logLines"])
    assert told["running"]["version"] == "v1"
    # Django undoes a migration that fails in its middle, so that the next one finds no leftover.
    assert after == before == ["0001_initial"]
    assert "Applying notes.0002_second... OK" in good.err
    assert applied(fsd) == ["0001_initial", "0002_second"]
