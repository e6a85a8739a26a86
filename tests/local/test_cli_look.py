"""Commands that only look: they start nothing, and do not take a mistyped name for silence."""

from __future__ import annotations

import re
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
        "error[local-not-running]: the embedded AWS is not running, so nothing is running in it\n"
        "  --> --env local\n"
        "  fix: run `fsd local up`, or deploy with `fsd deploy --env local`\n"
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


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_look__after_a_failed_release__cause_and_what_serves(fsd: Fsd) -> None:
    who = ("--service", "hello", "--env", "local")
    fsd.ok("deploy", "--env", "local", "--version", "v1")
    broken = fsd.run(
        "deploy", "--env", "local", "--version", "v2", "--override", "environment.HELLO_CRASH=1"
    )
    fsd.ok("scale", *who, "--count", "3")

    status = fsd.run("status", *who)
    diagnosis = fsd.run("diagnose", *who)
    exact = fsd.run("status", "--cluster", "local", "--service", "hello-local", "--env", "local")
    history = fsd.ok("history", *who)

    assert broken.code == 6, broken.text
    assert (status.code, diagnosis.code, exact.code) == (0, 0, 0), status.text + diagnosis.text
    for ended in (status, diagnosis, exact):
        assert "crashed: " in ended.out or "error[crashed]" in ended.out, ended.text
        assert "rollback was requested" not in ended.out
        assert ended.out.splitlines()[-1] == "v1 is serving users, 3 of 3 healthy"
    assert diagnosis.out.startswith("Nothing is wrong with hello in local\n  last rollout: ")
    assert "hello-local:2 was rolled back (ended 20" in diagnosis.out
    words = " ".join(history.out.split())
    assert re.search(
        r"v1 scale - hello-local:1 .* REASON 2 to 3 tasks v2 deploy rolled back hello-local:2 .* "
        r"REASON crashed: .* > v1 deploy succeeded hello-local:1 ",
        words,
    ), history.out
