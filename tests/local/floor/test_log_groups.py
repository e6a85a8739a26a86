"""Lines are read where the task definition sends them: a group of the manifest's, another one
after a rollback, and one that is shared with somebody else's containers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")
WHO = ("--service", "hello", "--env", "local")
THEIRS = ("--override", "observability.logs.group=/team/app")


def somebody_else_logs(fsd: Fsd) -> None:
    """Into the same group, from a container of the same name: another environment's `hello`."""
    stream = {"logGroupName": "/team/app", "logStreamName": f"ecs/hello/{'9c1e' * 8}"}
    now = int(datetime.now(UTC).timestamp() * 1000)
    with fsd.client("logs") as logs:
        logs.create_log_group(logGroupName="/team/app")
        logs.create_log_stream(**stream)
        logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": "of another one"}])


def without_retention(folder: Path) -> None:
    """It is for whoever made the group to set."""
    manifest = folder / "service.yml"
    manifest.write_text(manifest.read_text().replace("retention: 30 ", "enabled: true "))
    commit(folder, "log group")


def test_operations__log_group_of_somebody__is_read_and_left_again(fsd: Fsd, hello: Path) -> None:
    somebody_else_logs(fsd)
    without_retention(hello)
    fsd.ok(*DEPLOY, "--version", "v1")

    commit(hello, "second")
    crash = ("--override", "environment.HELLO_CRASH=1")
    failed = fsd.run(*DEPLOY, *THEIRS, *crash, "--version", "v2")
    after = fsd.ok("logs", *WHO, "--since", "1h").out
    moved = fsd.ok(*DEPLOY, *THEIRS, "--version", "v3").json()
    ran = fsd.ok("run", *WHO, "--", "echo", "by hand")
    restarted = fsd.ok("restart", *WHO, "--format", "json").json()
    told_of = fsd.ok("logs", *WHO, "--since", "1h")
    tailed = told_of.out
    refused = fsd.run("rollback", *WHO, "--to-version", "v1")
    with fsd.client("logs") as logs:
        logs.create_log_group(logGroupName="/ecs/hello-local")
    back = fsd.ok("rollback", *WHO, "--to-version", "v1", "--format", "json").json()

    assert failed.code == 6, failed.text
    told = failed.json()
    assert told["logGroup"] == "/team/app"
    assert "connection to server" in "\n".join(told["diagnosis"]["logLines"])
    assert "connection to server" in after  # of the release that was rolled back
    assert "hello v1 listens" in after
    assert (moved["logGroup"], restarted["logGroup"]) == ("/team/app", "/team/app")
    assert "hello v3 listens" in tailed
    assert "of another one" not in tailed
    assert "the log group /team/app is not this service's alone" in told_of.err
    assert ran.out == "by hand\n"
    assert refused.code == 2, refused.text
    assert "the log group /ecs/hello-local, which no longer exists" in " ".join(refused.err.split())
    assert back["logGroup"] == "/ecs/hello-local"
