"""`fsd validate` and `fsd schema` as processes: exit codes, streams, and what start-up loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import golden
from tests.local.cli import Fsd
from tests.unit.manifest.manifests import KAFKA_CONSUMER, SMALL, manifest

ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec: {overrides: {resources.cpu: 256, resources.memory: 512}}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {overrides: {resources.cpu: 300}}
"""
OWNED = manifest("observability: {logs: {retention: 30}}", metadata="owners: ['@me']")


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    """No embedded AWS, no credentials; the folder is a repository of its own."""
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    return Fsd(state=tmp_path / "state", cwd=work)


def write(fsd: Fsd, text: str, name: str = "service.yml") -> None:
    path = fsd.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_validate__good_manifest__exit_0_and_the_count(fsd: Fsd) -> None:
    write(fsd, KAFKA_CONSUMER)

    ended = fsd.run("validate", "--file", "service.yml")

    assert (ended.code, ended.out, ended.err) == (0, "service.yml: 0 errors, 0 warnings\n", "")


def test_validate__mistakes__every_one_with_its_line_and_exit_3(fsd: Fsd) -> None:
    write(
        fsd,
        OWNED
        + "  port: 70000\n"
        + "dependencies:\n"
        + "  - type: aws_dynamodb_table\n"
        + "    name: ${ENV}-offers\n"
        + "    permissions:\n"
        + "      - dynamodb:GetItems\n",
    )

    ended = fsd.run("validate", "--file", "service.yml")

    assert ended.code == 3
    assert ended.out == golden("validate/screen.txt", ended.out)


def test_validate__warnings__exit_0_or_3_when_strict(fsd: Fsd) -> None:
    write(fsd, manifest("networking: {vpc: false}"))

    assert fsd.run("validate").code == 0
    assert fsd.run("validate", "--strict").code == 3


def test_validate__override__wins_and_is_what_a_finding_points_at(fsd: Fsd) -> None:
    write(fsd, OWNED)

    good = fsd.run("validate", "--override", "resources.cpu=1024", "--override", "memory=1")
    bad = fsd.run("validate", "--override", "resources.cpu=abc")

    assert good.code == 3
    assert "--> --override memory=1" in good.out
    assert "did you mean `service.resources.memory`?" in good.out
    assert bad.code == 3
    assert "--> --override resources.cpu=abc" in bad.out


def test_validate__environments_file__its_overrides_and_its_names(fsd: Fsd) -> None:
    write(fsd, OWNED, "deep/er/service.yml")
    write(fsd, ENVIRONMENTS, ".fsd/environments.yml")
    file = "deep/er/service.yml"

    dev = fsd.run("validate", "--file", file, "--env", "dev")
    prod = fsd.run("validate", "--file", file, "--env", "prod")
    local = fsd.run("validate", "--file", file, "--env", "local")
    other = fsd.run("validate", "--file", file, "--env", "staging")

    assert (dev.code, prod.code, local.code, other.code) == (0, 3, 0, 3)
    assert "error[fargate-size]: Fargate has no cpu 300" in prod.out
    assert "warning[production-single-replica]" in prod.out
    assert "error[unknown-environment]: there is no environment `staging`" in other.err
    assert "--> .fsd/environments.yml" in other.err
    assert "use one of dev, prod, local" in other.err


def test_validate__environments_file_with_mistakes__its_findings(fsd: Fsd) -> None:
    write(fsd, OWNED)
    write(fsd, ENVIRONMENTS.replace("overrides", "overides", 1), ".fsd/environments.yml")

    ended = fsd.run("validate", "--env", "dev")

    assert ended.code == 3
    assert "error[unknown-key]: `overides` is not a key of `spec`" in ended.err
    assert "--> .fsd/environments.yml:4:8" in ended.err


def test_validate__no_environments_file__any_well_formed_name(fsd: Fsd) -> None:
    write(fsd, OWNED)

    assert fsd.run("validate", "--env", "anything").code == 0
    bad = fsd.run("validate", "--env", "Not-OK")
    assert bad.code == 3
    assert "`Not-OK` cannot be the name of an environment" in bad.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--file", "nothing.yml"], "there is no such file"),
        (["--file", "no/folder/x.yml"], "there is no such file"),
        (["--file", "."], "there is no Service YAML in this folder"),
        (["--file", "*.yaml"], "no file matches"),
        (["--file", "latin.yml"], "it is not UTF-8: byte 0xe9 in line 2"),
        (["--file", "binary.yml"], "it is not UTF-8"),
    ],
)
def test_validate__file_that_cannot_be_read__says_why_and_exits_3(
    fsd: Fsd, arguments: list[str], message: str
) -> None:
    (fsd.cwd / "latin.yml").write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
    (fsd.cwd / "binary.yml").write_bytes(bytes(range(256)))

    ended = fsd.run("validate", *arguments)

    assert ended.code == 3
    assert ended.out == ""
    assert message in ended.err
    assert "fix: " in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_validate__no_permission__says_so(fsd: Fsd) -> None:
    write(fsd, OWNED)
    (fsd.cwd / "service.yml").chmod(0)

    ended = fsd.run("validate")

    assert ended.code == 3
    assert "you may not read this file" in ended.err


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("", "yaml-empty"),
        ("- a\n- b\n", "not-a-service-yaml"),
        ("a: b: c\n", "yaml-syntax"),
        (SMALL.replace("fsd/v1", "fsd/v9"), "wrong-value"),
        (SMALL + "  port: eighty\n", "wrong-type"),
        ("[" * 100_000, "yaml-too-deep"),
    ],
)
def test_validate__not_a_manifest__one_error_and_exit_3(fsd: Fsd, text: str, id_: str) -> None:
    write(fsd, text)

    ended = fsd.run("validate", "--format", "json")

    assert ended.code == 3
    errors = [item for item in ended.json()["findings"] if item["severity"] == "error"]
    assert [item["id"] for item in errors] == [id_]


def test_validate__json_for_a_missing_file__json_too(fsd: Fsd) -> None:
    ended = fsd.run("validate", "--format", "json")

    assert ended.code == 3
    assert ended.json()["findings"][0]["id"] == "manifest-unreadable"
    assert ended.json()["valid"] is False


def test_validate__github__annotations(fsd: Fsd) -> None:
    write(fsd, OWNED + "  port: 70000\n")

    ended = fsd.run("validate", "--format", "github")

    assert ended.code == 3
    assert ended.out.startswith(
        "::error title=error[out-of-range],file=service.yml,line=10,col=9,endColumn=14::"
    )


def test_validate__hostile_text__no_control_characters_on_the_terminal(fsd: Fsd) -> None:
    write(fsd, OWNED + '  platform: "\\e]0;owned\\a"\n')

    ended = fsd.run("validate")

    assert ended.code == 3
    assert "\x1b" not in ended.out
    assert "\x07" not in ended.out


def test_validate__start_up__loads_no_cloud_no_docker_no_rich(fsd: Fsd) -> None:
    write(fsd, KAFKA_CONSUMER)
    heavy = ["boto3", "botocore", "docker", "rich", "requests", "detect_secrets", "urllib3"]
    heavy += ["pydantic", "importlib.metadata", "fsd.manifest.schema", "fsd.manifest.environments"]
    program = (
        "import sys; from fsd.cli.main import run; code = run(['validate']); "
        f"sys.exit(code or ' '.join(m for m in {heavy} if m in sys.modules) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=fsd.cwd,
        env=fsd.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_schema__printed__is_the_json_schema_of_a_manifest(fsd: Fsd) -> None:
    schema = fsd.ok("schema").json()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["required"]) == {"apiVersion", "kind", "metadata", "service"}
    assert json.dumps(schema).count('"description"') > 60


def test_validate__override_that_changes_nothing__shown_in_the_environments_file(
    fsd: Fsd,
) -> None:
    write(fsd, OWNED + "  resources: {cpu: 256, memory: 512}\n")
    write(fsd, ENVIRONMENTS, ".fsd/environments.yml")

    ended = fsd.run("validate", "--env", "dev")

    assert ended.code == 0
    assert ended.out.count("info[unused-override]: the override `resources.") == 2
    assert (
        "  --> .fsd/environments.yml:4:35\n"
        "4 | spec: {overrides: {resources.cpu: 256, resources.memory: 512}}\n"
        "  |                                   ^^^\n"
    ) in ended.out


def test_validate__wrong_override__shown_in_the_environments_file(fsd: Fsd) -> None:
    write(fsd, OWNED)
    write(fsd, ENVIRONMENTS, ".fsd/environments.yml")

    ended = fsd.run("validate", "--env", "prod")

    assert ended.code == 3
    assert "  --> .fsd/environments.yml:9:35\n" in ended.out


def test_validate__very_many_files__all_in_order_with_what_is_wrong(fsd: Fsd) -> None:
    for number in range(150):
        write(
            fsd, OWNED.replace("ecs", "ec2") if number == 77 else OWNED, f"{number:03}/service.yml"
        )

    ended = fsd.run("validate", "--file", ".", "--file", "gone.yml", "--format", "json")

    answer = ended.json()
    assert ended.code == 3
    assert [file["file"] for file in answer["files"]] == [
        *(f"{number:03}/service.yml" for number in range(150)),
        "gone.yml",
    ]
    assert [(found["id"], found["path"]) for found in answer["findings"]] == [
        ("wrong-value", "077/service.yml"),
        ("manifest-unreadable", None),
    ]
