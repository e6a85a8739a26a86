"""`requireProvenance`: an image that nobody attests is refused before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit, own_aws

ENVIRONMENT = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec:
  region: us-east-1
"""
POLICY = "  requireProvenance: {repository: org/offers}\n"
DEPLOY = ("deploy", "--env", "dev")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path) -> Iterator[Fsd]:
    with own_aws(Fsd(state=tmp_path / "state", cwd=hello)) as client:
        yield client


def write(folder: Path, text: str) -> None:
    (folder / ".fsd").mkdir(exist_ok=True)
    (folder / ".fsd" / "environments.yml").write_text(text)
    commit(folder, "where it goes")


def test_require_provenance__image_without_an_attestation__is_refused_by_plan_and_deploy(
    fsd: Fsd,
) -> None:
    write(fsd.cwd, ENVIRONMENT + POLICY)
    unbuilt = fsd.run(*DEPLOY)
    write(fsd.cwd, ENVIRONMENT)
    fsd.ok(*DEPLOY)
    write(fsd.cwd, ENVIRONMENT + POLICY)
    planned, refused = fsd.run("plan", "--env", "dev"), fsd.run(*DEPLOY)

    assert (unbuilt.code, planned.code, refused.code) == (4, 4, 4), refused.text
    assert "is yet to be built, and an image that FSD builds has no attestation" in unbuilt.err
    assert "error[provenance-missing]: " in refused.err
    assert "has no attestation, neither in its registry nor on GitHub" in refused.err
    assert planned.err.strip() in refused.err
