"""`fsd validate --workflows` as a process: which files are read, how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.cli import Fsd

BAD = "on: push\njobs:\n  a:\n    steps:\n      - run: curl https://a.example/x | sh\n"


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    (tmp_path / ".git").mkdir()
    return Fsd(state=tmp_path / "state", cwd=tmp_path)


def write(fsd: Fsd, name: str, text: str) -> None:
    path = fsd.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("given", [".", ".github/workflows", ".github/workflows/a.yml"])
def test_workflows__folder_or_file__its_findings(fsd: Fsd, given: str) -> None:
    write(fsd, ".github/workflows/a.yml", BAD)
    write(fsd, ".github/workflows/deeper/b.yml", BAD)
    write(fsd, ".github/workflows/README.md", BAD)

    ended = fsd.run("validate", "--workflows", given)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("warning[workflow-unverified-download]") == 1
    assert "  --> .github/workflows/a.yml:5:19\n" in ended.out
    assert f"\n{given}: 0 errors, 1 warning · more: fsd explain workflow-" in ended.out


def test_workflows__service_yaml_named_as_well__both(fsd: Fsd) -> None:
    write(fsd, "a.yml", BAD)
    write(fsd, "service.yml", "kind: Service")

    ended = fsd.run("validate", "--workflows", "a.yml", "--file", "service.yml")

    assert ended.code == 3
    assert "warning[workflow-unverified-download]" in ended.out
    assert "error[missing-key]" in ended.out
    assert "2 files: " in ended.out
    assert fsd.run("validate", "--workflows", "a.yml").code == 0


@pytest.mark.parametrize(("spec", "count"), [("promoteFrom: dev", 0), ("branches: [main]", 1)])
def test_workflows__environments_file__is_known(fsd: Fsd, spec: str, count: int) -> None:
    deploy = "on: push\njobs: {test: {steps: [{run: pytest}]}, deploy: {needs: test, steps: [%s]}}"
    write(fsd, ".github/workflows/a.yml", deploy % "{run: fsd deploy --env prod}")
    documents = [("dev", "branches: [staging]"), ("prod", spec)]
    texts = [
        f"apiVersion: fsd/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec: {{{each}}}\n"
        for name, each in documents
    ]
    write(fsd, ".fsd/environments.yml", "---\n".join(texts))

    ended = fsd.ok("validate", "--workflows", ".")

    assert ended.out.count("warning[stage-before-production]") == count


def test_workflows__strict__exit_3(fsd: Fsd) -> None:
    write(fsd, "a.yml", BAD)
    write(fsd, "b.yml", BAD.replace("curl", "ls"))

    assert fsd.run("validate", "--strict", "--workflows", "a.yml").code == 3
    assert fsd.run("validate", "--strict", "--workflows", "b.yml").code == 0


def test_workflows__json__one_document_for_all(fsd: Fsd) -> None:
    write(fsd, "a.yml", BAD)
    write(fsd, "b.yml", BAD)

    got = fsd.ok("validate", "--format", "json", "--workflows", "a.yml", "--workflows", "b.yml")

    places = [
        (finding["path"], finding["line"], finding["key"]) for finding in got.json()["findings"]
    ]
    key = "jobs.a.steps[0].run"
    assert places == [("a.yml", 5, key), ("b.yml", 5, key)]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("nothing.yml", None, "workflow-unreadable"),
        ("folder/x.txt", b"", "workflow-unreadable"),
        ("service.yml", b"kind: Service", "not-a-workflow"),
        ("a.yml", b"\xff", "manifest-unreadable"),
    ],
)
def test_workflows__nothing_to_read__said_with_exit_3(
    fsd: Fsd, name: str, content: bytes | None, code: str
) -> None:
    path = fsd.cwd / name
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    given = str(path.parent) if path.suffix == ".txt" else name

    ended = fsd.run("validate", "--workflows", given)

    assert ended.code == 3
    assert ended.err.startswith(f"error[{code}]")
    assert "fix: " in ended.err


def test_workflows__not_yaml__a_finding(fsd: Fsd) -> None:
    write(fsd, "a.yml", "on: [")

    ended = fsd.run("validate", "--workflows", "a.yml")

    assert ended.code == 3
    assert ended.out.startswith("error[yaml-syntax]")


ENV = "env:\n  INFRA: infra/service\n"
APPLY = f"on: {{push: {{branches: [main]}}}}\n{ENV}jobs:\n  apply:\n    steps:\n      - run: %s\n"


@pytest.mark.parametrize(
    ("run", "count"),
    [
        ("terraform apply -auto-approve", 0),
        ("terraform -chdir=infra/service apply -auto-approve", 1),
        ("cd infra/service && terraform apply -auto-approve", 1),
        ("cd infra/network && terraform apply -auto-approve", 0),
        ("cd infra/by-module && tofu apply", 1),
        ("cd ../elsewhere && terraform apply", 0),
        ("terraform -chdir=${{ env.INFRA }} apply", 1),
        ("terraform -chdir=infra/by-name apply", 1),
    ],
)
def test_workflows__terraform_of_ecs__is_a_deployment(fsd: Fsd, run: str, count: int) -> None:
    write(fsd, ".github/workflows/a.yml", APPLY % run)
    write(fsd, "infra/service/main.tf", 'resource "aws_ecs_service" "a" {}\n')
    write(fsd, "infra/network/main.tf", 'resource "aws_vpc" "ecs" {}\n')
    write(fsd, "infra/by-module/main.tf", 'module "a" {\n  source = "../modules/ecs-service"\n}\n')

    write(fsd, "infra/by-name/main.tf", 'module "ecs_service" {\n  source = "git::https://x"\n}\n')

    ended = fsd.run("validate", "--workflows", ".")

    assert ended.out.count("warning[workflow-no-tests-before-deploy]") == count
