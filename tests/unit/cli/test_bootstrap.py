"""Whom `fsd bootstrap` trusts beside the jobs that deploy, by the environments file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsd.cli.main import run
from tests.unit.account.test_trust import OLD

ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec: {account: '111111111111'}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {account: '222222222222', promoteFrom: dev, githubEnvironment: prod}
"""


@pytest.fixture(autouse=True)
def _environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".fsd").mkdir()
    (tmp_path / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    monkeypatch.chdir(tmp_path)


def template(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, str]:
    """(the trust policies, what is said beside)."""
    asked = ["--env", "dev", "--repo", "org/offers", "--service", "api", "--template"]
    code = run(["bootstrap", *asked, *options])
    said = capsys.readouterr()
    assert code == 0, said.err
    resources = json.loads(said.out)["Resources"].values()
    trusts = [one["Properties"].get("AssumeRolePolicyDocument") for one in resources]
    return json.dumps(trusts), said.err


def test_bootstrap__role_that_trusts_branches__is_not_opened_to_a_github_environment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trusts, said = template(capsys, "--branch", "staging")

    assert "repo:org/offers:ref:refs/heads/staging" in trusts
    assert ":environment:" not in trusts
    assert "note: prod promotes from dev, but dev's deploy role trusts branches" in said


def test_bootstrap__environment_of_another_account_that_promotes__is_trusted_by_its_github_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trusts, said = template(capsys)

    assert OLD in trusts
    assert "note:" not in said
