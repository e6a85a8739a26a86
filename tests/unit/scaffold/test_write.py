"""What is written has no findings, whatever the answers are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from fsd.lint.run import lint
from fsd.lint.workflows import lint_workflows
from fsd.manifest.finding import Finding
from fsd.manifest.load import load_manifest
from fsd.scaffold.detect import detect
from fsd.scaffold.folder import Folder, read_folder
from fsd.scaffold.manifest import Answers, write_manifest
from fsd.scaffold.source import Mention
from fsd.scaffold.testing import HowToTest, find_tests
from fsd.scaffold.workflow import write_workflow

API = Answers(
    name="offer-api",
    pack="pricing",
    owners=("@org/pricing", "@me"),
    port=8000,
    health_path="/healthz",
    region="eu-west-1",
)
WORKER = Answers(
    name="a1",
    pack="yes",
    owners=("@me",),
    port=None,
    health_path="/health",
    region="us-gov-west-1",
    kafka="worker.py:3",
    aws=(
        Mention(value="s3", path="a.py", line=1),
        Mention(value="dynamodb", path="a.py", line=2),
        Mention(value="sts", path="a.py", line=3),
    ),
    calls=frozenset({"get_item", "query", "put_object", "download_file", "sort", "close"}),
)

GRPC = replace(API, port=50051, is_grpc=True, has_grpc_health=True)
GRPC_WITHOUT_HEALTH = replace(GRPC, has_grpc_health=False)


def findings(text: str, environment: str | None) -> list[Finding]:
    loaded = load_manifest(text, path="service.yml", variables={"ENV": environment or "dev"})
    return [*loaded.findings, *lint(loaded, environment)]


@pytest.mark.parametrize("environment", [None, "dev", "prod"])
@pytest.mark.parametrize("answers", [API, WORKER, GRPC, GRPC_WITHOUT_HEALTH])
def test_write_manifest__any_environment__no_findings(
    answers: Answers, environment: str | None
) -> None:
    assert findings(write_manifest(answers), environment) == []


def test_write_manifest__answers__are_what_it_says() -> None:
    manifest = load_manifest(write_manifest(API), path="service.yml").manifest

    assert manifest is not None
    assert (manifest.metadata.name, manifest.metadata.pack) == ("offer-api", "pricing")
    assert manifest.metadata.owners == ("@org/pricing", "@me")
    assert manifest.service.port == 8000
    assert manifest.service.checks.path == "/healthz"
    assert manifest.service.networking.load_balancer is not None


@pytest.mark.parametrize(("answers", "asks"), [(GRPC, "grpc"), (GRPC_WITHOUT_HEALTH, "tcp")])
def test_write_manifest__grpc__checked_by_what_it_answers_and_by_no_command(
    answers: Answers, asks: str
) -> None:
    manifest = load_manifest(write_manifest(answers), path="service.yml").manifest

    assert manifest is not None
    service = manifest.service
    assert (service.main_port, service.main_protocol) == (50051, "grpc")
    assert (service.check_protocol, service.checks.command) == (asks, None)
    assert service.networking.load_balancer is None


@pytest.mark.parametrize("pack", ["no", "1.5", "a: b", "null", "2026-01-01", "@x", "a b"])
def test_write_manifest__pack_that_yaml_reads_otherwise__stays_text(pack: str) -> None:
    text = write_manifest(replace(API, pack=pack))

    assert yaml.safe_load(text)["metadata"]["pack"] == pack
    assert findings(text, None) == []


def test_write_manifest__dollar_in_the_path__no_variable() -> None:
    text = write_manifest(replace(API, health_path="/a$b"))
    manifest = load_manifest(text, path="service.yml").manifest

    assert manifest is not None
    assert manifest.service.checks.path == "/a$b"


def test_write_manifest__worker__needs_as_comments_that_are_valid() -> None:
    text = write_manifest(WORKER)
    uncommented = re.sub(r"(?m)^# (dependencies:|  .*)$", r"\1", text)
    manifest = load_manifest(uncommented, path="service.yml").manifest

    assert findings(uncommented, "prod") == []
    assert manifest is not None
    assert {item.type: item.permissions for item in manifest.dependencies} == {
        "aws_s3_bucket": ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        "aws_dynamodb_table": ("dynamodb:GetItem", "dynamodb:Query"),
        "aws_msk_cluster": (
            "kafka-cluster:Connect",
            "kafka-cluster:DescribeCluster",
            "kafka-cluster:ReadData",
            "kafka-cluster:DescribeGroup",
        ),
    }


def _fields(answers: Answers) -> dict[str, object]:
    return {name: getattr(answers, name) for name in answers.__dataclass_fields__}


def folder(tmp_path: Path, **files: str) -> Folder:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_folder(tmp_path)


TEST = {"tests__test_a_DOT_py": "def test_a(): ..."}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"Makefile": "all:\ntest: x\n"}, ["make test"]),
        ({"tox_DOT_ini": ""}, ["pipx run tox"]),
        ({"noxfile_DOT_py": ""}, ["pipx run nox"]),
        ({**TEST, "uv_DOT_lock": ""}, ["pipx run uv sync --frozen", "pipx run uv run pytest"]),
        (
            {**TEST, "poetry_DOT_lock": ""},
            ["pipx run poetry install", "pipx run poetry run pytest"],
        ),
        (
            {**TEST, "requirements_DOT_txt": "flask\n"},
            [
                "python3 -m venv .venv",
                ".venv/bin/pip install -r requirements.txt pytest",
                ".venv/bin/python -m pytest",
            ],
        ),
        (
            {
                **TEST,
                "pyproject_DOT_toml": "[build-system]\n[project]\nname = 'x'\n"
                "[project.optional-dependencies]\ndev = ['pytest']\n",
            },
            [
                "python3 -m venv .venv",
                ".venv/bin/pip install '.[dev]'",
                ".venv/bin/python -m pytest",
            ],
        ),
    ],
)
def test_find_tests__project__its_own_tool(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    tests = find_tests(folder(tmp_path, **files))

    assert (list(tests.lines), tests.found) == (expected, True)


def test_find_tests__none__said(tmp_path: Path) -> None:
    tests = find_tests(folder(tmp_path, main_DOT_py=""))

    assert not tests.found
    assert tests.lines[0].startswith("# There were no tests yet")
    assert tests.lines[-1] == ".venv/bin/python -m unittest discover"


TESTS = [
    HowToTest(lines=("make test",), found=True),
    HowToTest(lines=("pipx run tox",), found=True),
    HowToTest(lines=("pipx run uv sync --frozen", "pipx run uv run pytest"), found=True),
    HowToTest(lines=("# x", ".venv/bin/python -m unittest discover"), found=False),
]


@pytest.mark.parametrize("tests", TESTS)
@pytest.mark.parametrize("below", ["", "services/a b/", "x/1/"])
def test_write_workflow__any_answers__no_findings(tests: HowToTest, below: str) -> None:
    text = write_workflow(API, tests, below=below)

    (checked,) = lint_workflows({".github/workflows/deploy.yml": text})

    assert checked.findings == ()
    document = yaml.load(text, Loader=yaml.BaseLoader)
    steps = document["jobs"]["deploy"]["steps"]
    assert steps[-1]["with"]["service-file"] == f"{below}service.yml"
    assert document["on"]["push"].get("paths") == ([f"{below}**"] if below else None)


def test_write_workflow__without_its_tests__would_be_found() -> None:
    """The rules do look at this workflow."""
    text = write_workflow(API, TESTS[0]).replace("    needs: test\n", "")

    (checked,) = lint_workflows({".github/workflows/deploy.yml": text.replace("make test", "ls")})

    assert [finding.id for finding in checked.findings] == ["workflow-no-tests-before-deploy"]


def test_detect__nothing_at_all__a_name_and_a_worker(tmp_path: Path) -> None:
    detected = detect(read_folder(tmp_path))

    assert detected.name.value
    assert (detected.kind.value, detected.pack, detected.owners) == ("worker", None, ())
