"""The main job, start to end, by the real CLI against the embedded AWS, in both runtimes."""

from __future__ import annotations

import json
import re
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local.cli import HELLO, ROOT, Fsd
from tests.local.conftest import commit

SEED = ROOT.parent / "shared" / "seed"
SEED_MANIFESTS = sorted(SEED.glob("*service.yml")) + sorted(SEED.glob("data-processor.yml"))
DEPLOY = ("deploy", "--env", "local", "--format", "json")


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: dict[str, object] = json.load(answer)
        return body


def load_balancer_url(fsd: Fsd) -> str:
    (service,) = fsd.status()["services"]
    url: str = service["urls"][-1]
    return url


@contextmanager
def asking(url: str) -> Iterator[list[str]]:
    """Keep asking while the block runs; yields the failures."""
    failures: list[str] = []
    answered: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    answered.append(answer.status)
            except (urllib.error.URLError, OSError) as error:
                failures.append(repr(error))
            stop.wait(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failures
    finally:
        stop.set()
        thread.join()
    assert answered


def test_deploy__good_then_broken_then_good__verdicts_and_no_failed_request(
    fsd: Fsd, hello: Path
) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1").json()
    url = load_balancer_url(fsd)

    assert first["outcome"] == "succeeded"
    assert get(url)["service"] == "hello"

    commit(hello, "second")
    with asking(url) as failures:
        broken = fsd.run(
            *DEPLOY, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1"
        )
        good = fsd.run(*DEPLOY, "--version", "v3", "--override", "environment.GREETING=hi")

    assert broken.code == 6, broken.text
    result = broken.json()
    assert result["outcome"] == "rolled-back"
    assert result["diagnosis"]["causes"][0]["code"] == "health-check-failed"
    assert "[500]" in broken.out
    assert result["running"]["version"] == "v1"
    assert good.code == 0, good.text
    assert failures == []

    history = fsd.ok("history", "--service", "hello", "--env", "local", "--format", "json").json()
    assert [(r["version"], r["outcome"]) for r in history] == [
        ("v3", "succeeded"),
        ("v2", "rolled back"),
        ("v1", "succeeded"),
    ]


def test_deploy__another_port__no_failed_request_whatever_its_end(fsd: Fsd, hello: Path) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    url = load_balancer_url(fsd)

    commit(hello, "second")
    port = ("--override", "port=9000", "--override", "environment.PORT=9000")
    with asking(url) as failures:
        broken = fsd.run(
            *DEPLOY, *port, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1"
        )
        good = fsd.run(*DEPLOY, *port, "--version", "v3")

    assert (broken.code, good.code) == (6, 0), broken.text + good.text
    assert get(url)["version"] == "v3"
    assert failures == []
    assert open_ports(fsd) == {9000}


def test_deploy__public_instead_of_internal__old_clients_are_served_until_the_end(
    fsd: Fsd, hello: Path
) -> None:
    fsd.ok(*DEPLOY, "--version", "v1")
    old = load_balancer_url(fsd)

    commit(hello, "second")
    public = ("--override", "networking.loadBalancer.internal=false", "--allow-replacement")
    with asking(old) as failures:
        broken = fsd.run(
            *DEPLOY, *public, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1"
        )
    same = fsd.run(*DEPLOY, *public, "--version", "v1")

    assert broken.code == 6, broken.text
    assert failures == []
    assert same.json()["outcome"] == "succeeded", same.text
    assert load_balancer_url(fsd) != old
    assert get(load_balancer_url(fsd))["version"] == "v1"


def open_ports(fsd: Fsd) -> set[int]:
    """Those that tasks take from their load balancer."""
    with fsd.client("ec2") as ec2:
        groups = ec2.describe_security_groups()["SecurityGroups"]
    return {
        rule["FromPort"]
        for group in groups
        for rule in group["IpPermissions"]
        if rule.get("UserIdGroupPairs")
    }


def test_deploy__first_one_never_healthy__exit_7_and_no_tasks(fsd: Fsd) -> None:
    ended = fsd.run(*DEPLOY, "--override", "environment.HELLO_CRASH=1")

    assert ended.code == 7, ended.text
    result = ended.json()
    assert result["outcome"] == "rollback-failed"
    assert result["diagnosis"]["causes"][0]["code"] == "crashed"
    assert "nothing to roll back to" in result["message"]
    (service,) = fsd.status()["services"]
    assert (service["desired"], service["running"]) == (0, 0)
    assert {task["status"] for task in service["tasks"]} <= {"STOPPING", "STOPPED"}


def test_deploy__failed_first_one_corrected__succeeds(fsd: Fsd) -> None:
    fsd.run(*DEPLOY, "--override", "environment.HELLO_CRASH=1")

    assert fsd.ok(*DEPLOY).json()["outcome"] == "succeeded"


@pytest.mark.skipif(not SEED.is_dir(), reason="the five manifests are not beside this checkout")
@pytest.mark.parametrize("manifest", SEED_MANIFESTS, ids=lambda path: path.stem)
def test_deploy__real_manifest__whole_life(fsd: Fsd, manifest: Path) -> None:
    name = next(
        line.split(":")[1].strip()
        for line in manifest.read_text().splitlines()
        if line.startswith("  name:")
    )
    before = fsd.status()["resources"]
    deploy = (*DEPLOY, "--file", str(manifest), "--context", str(HELLO))

    first = fsd.ok(*deploy).json()
    again = fsd.ok(*deploy).json()
    moved = fsd.run(*deploy, "--override", "healthCheck.path=/nowhere")
    broken = fsd.run(*deploy, "--override", "environment.HELLO_BROKEN_HEALTH=1")
    serves = fsd.ok("status", "--service", name, "--env", "local", "--format", "json").json()
    deleted = fsd.ok("delete", "--service", name, "--env", "local", "--yes")

    assert first["outcome"] == "succeeded"
    assert again["outcome"] == "unchanged"
    assert again["running"] == first["running"]
    # A load balancer's check is tried on the running tasks first; a container's is the release's.
    assert moved.code == (4 if first["url"] else 6), moved.text
    assert broken.code == 6, broken.text
    assert serves["running"]["revision"] == first["running"]["revision"]
    assert serves["service"]["running"] == serves["service"]["desired"] > 0
    assert fsd.status()["resources"] == before, deleted.out


def test_operations__rollback_scale_restart_logs__work(fsd: Fsd) -> None:
    who = ("--service", "hello", "--env", "local")
    fsd.ok(*DEPLOY, "--version", "v1.0.0")
    fsd.ok(*DEPLOY, "--version", "v1.1.0", "--override", "environment.GREETING=hi")

    back = fsd.ok("rollback", *who, "--to-version", "v1.0.0", "--format", "json").json()
    scaled = fsd.ok("scale", *who, "--count", "3", "--format", "json").json()
    restarted = fsd.ok("restart", *who, "--format", "json").json()
    quiet = fsd.ok("logs", *who)
    logs = fsd.ok("logs", *who, "--all")
    status = fsd.ok("status", *who)
    overview = fsd.ok("status", "--env", "local", "--watch")
    listed = fsd.ok("status", "--env", "local", "--format", "json").json()

    assert back["running"]["version"] == "v1.0.0"
    assert (scaled["outcome"], scaled["runningCount"]) == ("succeeded", 3)
    assert restarted["outcome"] == "succeeded"
    assert "GET /health" in logs.out
    assert "GET /health" not in quiet.out
    assert "v1.0.0" in status.out
    assert re.search(r"^  hello +hello-local:\d+ +3 of 3 +completed$", overview.out, re.MULTILINE)
    assert [service["name"] for service in listed["services"]] == ["hello"]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_deploy__signal_in_mid_rollout__says_what_goes_on_and_attaches(
    fsd: Fsd, number: signal.Signals, code: int
) -> None:
    fsd.ok(*DEPLOY)
    process = fsd.start(
        *DEPLOY[:-2], "--override", "environment.GREETING=hi", "--override", "environment.SLOW=1"
    )
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "rollout" in line:
                break
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)

    assert process.returncode == code, out
    assert "ECS keeps rolling out" in " ".join(out.split())
    again = fsd.ok(
        *DEPLOY, "--override", "environment.GREETING=hi", "--override", "environment.SLOW=1"
    ).json()
    assert again["outcome"] in {"succeeded", "unchanged"}


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__nobody_reads_its_output__deploys_all_the_same(fsd: Fsd) -> None:
    process = fsd.start("deploy", "--env", "local")
    with process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.close()
        process.stdout.close()
        process.wait(timeout=60)

    assert process.returncode == 0
    (service,) = fsd.status()["services"]
    assert service["running"] == 2
