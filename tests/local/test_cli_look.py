"""Commands that only look: they start nothing, and do not take a mistyped name for silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.cli import HELLO, Fsd

LOOKS = ["status", "history", "logs", "diagnose"]


@pytest.mark.parametrize(
    "arguments", [*((look, "--service", "hello") for look in LOOKS), ("status",)]
)
def test_look__embedded_aws_not_running__says_so_and_starts_none(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    fsd = Fsd(state=tmp_path / "state", cwd=tmp_path)

    ended = fsd.run(*arguments, "--env", "local")

    assert (ended.code, ended.out) == (5, "")
    assert ended.err == (
        "error[local-not-running]: the embedded AWS is not running, so that nothing runs in it\n"
        "  --> --env local\n"
        "  fix: start it with  fsd local up  or deploy to it:  fsd deploy --env local\n"
    )
    assert fsd.status() == {"running": False}


SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:planned-a1B2c3"


def test_plan__embedded_aws_not_running__says_so_and_starts_none(tmp_path: Path) -> None:
    fsd = Fsd(state=tmp_path / "state", cwd=HELLO)

    ended = fsd.run("plan", "--env", "local")

    assert ended.code == 5
    assert ended.err.startswith("error[local-not-running]: ")
    assert fsd.status() == {"running": False}


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_plan__secret_that_is_not_there__makes_none(fsd: Fsd) -> None:
    secret = f"secrets=[{{name: A_KEY, valueFrom: '{SECRET}'}}]"

    fsd.ok("plan", "--env", "local", "--override", secret)

    with fsd.client("secretsmanager") as secrets:
        assert secrets.list_secrets()["SecretList"] == []


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_look__mistyped_service__exit_2_and_the_name_that_was_meant(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    ended = [fsd.run(look, "--service", "helo", "--env", "local") for look in LOOKS]

    for one in ended:
        assert (one.code, one.out) == (2, ""), one.text
        assert one.err == ended[0].err
    assert ended[0].err == (
        "error[service-not-found]: no service helo-local in cluster local\n"
        "  --> 000000000000 · us-east-1\n"
        "  fix: did you mean `hello`? or check --service and --env; deploy it with  fsd deploy "
        "--env local\n"
    )
