"""The Dockerfile for code that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.scaffold.detect import detect
from fsd.scaffold.dockerfile import write_dockerfile
from fsd.scaffold.folder import read_folder

POETRY = "[tool.poetry.dependencies]\npython = '^3.13'\n"


def written(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    read = read_folder(folder)
    return write_dockerfile(read, detect(read).command_words)


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"requirements.txt": "flask\n", "runtime.txt": "python-3.11.4\n"},
         ["FROM python:3.11-slim", "COPY requirements.txt ./",
          "RUN pip install --no-cache-dir -r requirements.txt", "COPY . ."]),
        ({"requirements.txt": "-r requirements/prod.txt\n", "requirements/prod.txt": "flask\n"},
         ["COPY requirements.txt ./", "COPY requirements/prod.txt ./requirements/",
          "RUN pip install --no-cache-dir -r requirements.txt"]),
        ({"uv.lock": "", "pyproject.toml": "[project]\nrequires-python = '>=3.14'\n"},
         ["FROM python:3.14-slim", "RUN uv sync --locked --no-dev",
          "ENV PATH=/app/.venv/bin:$PATH"]),
        ({"poetry.lock": "", "pyproject.toml": POETRY},
         ["FROM python:3.13-slim", "RUN poetry install --only main --no-root"]),
        ({"Pipfile.lock": "{}"}, ["RUN pipenv sync --system"]),
        ({"Pipfile.lock": "{}", "requirements.txt": "# all\nflask\nredis==5.0\n"},
         ["RUN pipenv sync --system"]),
        ({"Pipfile.lock": "{}", "requirements.txt": "-i https://x/simple\nflask==3.0\n"},
         ["RUN pip install --no-cache-dir -r requirements.txt"]),
        ({"pdm.lock": "", "pyproject.toml": "[project]\nname = 'x'\n"},
         ["COPY . .", "RUN pdm sync --prod --no-self", "ENV PATH=/app/.venv/bin:$PATH"]),
        ({"setup.py": ""}, ["FROM python:3.12-slim", "RUN pip install --no-cache-dir ."]),
    ],
)  # fmt: skip
def test_write_dockerfile__each_kind_of_project__installs_what_it_requires(
    tmp_path: Path, files: dict[str, str], lines: list[str]
) -> None:
    text = written(tmp_path, {"main.py": "print(1)\n", **files}).splitlines()

    assert [line for line in text if line in lines] == lines
    assert text[-1] == 'CMD ["python", "main.py"]'


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("3.11.7", "3.11"),
        (">=3.8", "3.12"),
        (">=3.8,<3.11", "3.10"),
        (">=3.9, <=3.10", "3.10"),
        (">3.12", "3.12"),
        ("==3.9.*", "3.9"),
        ("^3.13", "3.13"),
    ],
)
def test_write_dockerfile__range_of_python__one_of_it(
    tmp_path: Path, asked: str, version: str
) -> None:
    text = written(tmp_path, {"main.py": "", "pyproject.toml": POETRY.replace("^3.13", asked)})

    assert f"FROM python:{version}-slim" in text


def test_write_dockerfile__procfile__runs_its_web_on_the_port_of_its_platform(
    tmp_path: Path,
) -> None:
    files = {"Procfile": "web: gunicorn shop.wsgi\n", "requirements.txt": "gunicorn\ndjango\n"}
    text = written(tmp_path, files)
    found = detect(read_folder(tmp_path))

    assert text.endswith('CMD ["sh", "-c", "gunicorn shop.wsgi"]\n')
    assert (found.port_variable, found.port and found.port.value) == ("PORT", "8000")
    assert not [note for note in found.notes if "127.0.0.1" in note]


@pytest.mark.parametrize(
    ("made", "path"),
    [("FastAPI()", "/docs"), ("FastAPI(docs_url=None)", None), ("FastAPI(openapi_url=None)", None)],
)
def test_detect__fastapi_without_a_health_route__its_own_page(
    tmp_path: Path, made: str, path: str | None
) -> None:
    (tmp_path / "main.py").write_text(f"from fastapi import FastAPI\napp = {made}\n")

    health = detect(read_folder(tmp_path)).health

    assert (health.value if health else None) == path
