"""`fsd local up --enforce-iam`: a policy that is too small fails here too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit
from tests.local.server.enforced import EVERYTHING, Account, all_but, opened

ACCOUNT = "000000000000"
DEPLOY = ("deploy", "--env", "staging", "--format", "json")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path, runtime: str) -> Iterator[Fsd]:
    """An embedded AWS that enforces IAM."""
    client = Fsd(state=tmp_path / "state", cwd=hello)
    client.ok("local", "up", "--runtime", runtime, "--speed", SPEED, "--enforce-iam")
    try:
        yield client
    finally:
        client.ok("local", "down")


@pytest.fixture
def root(fsd: Fsd) -> Iterator[Account]:
    with opened(fsd.status()["endpoint"], ACCOUNT) as found:
        yield found


@pytest.fixture
def _deployer(fsd: Fsd, hello: Path, root: Account) -> None:
    """A role that may do everything, and the environment `staging` that is deployed with it."""
    arn = root.role("deployer", EVERYTHING)
    (hello / ".fsd").mkdir()
    (hello / ".fsd" / "environments.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata:\n  name: staging\n"
        f"spec:\n  region: us-east-1\n  account: '{ACCOUNT}'\n  roleArn: {arn}\n"
    )
    commit(hello, "where it goes")
    fsd.extra = fsd.aws_environment()


@pytest.mark.usefixtures("_deployer")
@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__role_without_update_service__exits_5_and_changes_nothing(
    fsd: Fsd, root: Account
) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1").json()
    before = fsd.status()["services"]
    root.allow("deployer", all_but("ecs:UpdateService"))

    denied = fsd.run(*DEPLOY, "--version", "v2", "--override", "environment.GREETING=hi")

    assert denied.code == 5, denied.text
    assert "ecs:UpdateService" in denied.err
    assert "assumed-role/deployer/" in denied.err
    assert "service/staging/hello-staging" in denied.err
    assert fsd.status()["services"] == before
    root.allow("deployer", EVERYTHING)
    status = fsd.ok("status", "--service", "hello", "--env", "staging", "--format", "json")
    assert status.json()["running"]["revision"] == first["running"]["revision"]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_up__enforcing__says_so(fsd: Fsd) -> None:
    again = fsd.ok("local", "up")
    refused = fsd.run("local", "up", "--port", "1")

    assert fsd.status()["enforce_iam"] is True
    assert "IAM is enforced" in fsd.ok("local", "status").out
    assert "iam       enforced" in again.out
    assert refused.code == 2
