"""What AWS really answered, and all that FSD says to it: each screen is compared whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import golden
from tests.local.cli import Ended, Fsd
from tests.replay.cli import CASES, HERE, environment_of, read_case, run
from tests.replay.server import replaying

COMMANDS = ("diagnose", "status")


def screen(ended: Ended) -> str:
    return f"exit {ended.code}\n{ended.out}{ended.err}"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", CASES)
def test_look__what_aws_answered__whole_screen(tmp_path: Path, case: str, command: str) -> None:
    ended = run(tmp_path, command, read_case(case))

    text = screen(ended)
    assert text == golden(f"{case}.{command}.txt", text, folder=HERE / "screens")
    assert max(len(line) for line in ended.out.splitlines()) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_look__exit_zero__whatever_is_wrong(tmp_path: Path, command: str) -> None:
    ended = run(tmp_path, command, read_case("03-external-bare"), "--exit-zero")

    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "Nothing is serving users: 0 of 1 running"


@pytest.mark.parametrize("command", COMMANDS)
def test_look__service_never_made__the_reason_of_its_stack(tmp_path: Path, command: str) -> None:
    answers = read_case("18-describe-stack-events")
    missing = {"services": [], "failures": [{"arn": "shop-dev", "reason": "MISSING"}]}

    with replaying({**answers, "DescribeServices": missing}) as replay:
        fsd = Fsd(state=tmp_path, cwd=tmp_path, extra=environment_of(replay.endpoint))
        ended = fsd.run(command, "--service", "shop", "--env", "dev")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(
        "error[service-not-found]: no service shop-dev in cluster dev; its stack fsd-shop-dev is "
        "ROLLBACK_COMPLETE: SourceBucket (AWS::S3::Bucket) CREATE_FAILED: "
    )
