"""A network load balancer: it forwards connections, and asks its targets by one."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.waiting import eventually

DEPLOY = ("deploy", "--env", "local", "--format", "json")


def test_network_balancer__connections__reach_the_service_and_end_with_it(
    fsd: Fsd, hello: Path
) -> None:
    manifest = hello / "service.yml"
    text = manifest.read_text().replace("type: application", "type: network")
    manifest.write_text(text.replace("    path: /health\n", "    protocol: tcp\n"))
    commit(hello, "tcp")

    first = fsd.ok(*DEPLOY).json()
    eventually(lambda: bool(fsd.status()["services"][0]["urls"]), seconds=60)
    (url,) = fsd.status()["services"][0]["urls"]
    with urllib.request.urlopen(url.replace("tcp://", "http://"), timeout=10) as answer:
        told = json.load(answer)
    again = fsd.ok(*DEPLOY)
    fsd.ok("delete", "--service", "hello", "--env", "local", "--yes")

    assert first["outcome"] == "succeeded"
    assert first["url"] == "tcp://hello-local-tcp.elb.localhost:8000"
    assert told["service"] == "hello"
    assert again.json()["outcome"] == "unchanged", again.text


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_network_balancer__another_port__its_listener_moves_after_a_rollout_that_succeeded(
    fsd: Fsd, hello: Path
) -> None:
    manifest = hello / "service.yml"
    text = manifest.read_text().replace(
        "type: application", "type: network\n      idleTimeout: 500"
    )
    text = text.replace("    path: /health\n", "    protocol: tcp\n")
    manifest.write_text(text)
    commit(hello, "tcp")
    fsd.ok(*DEPLOY)
    first = listener(fsd)

    manifest.write_text(text.replace("port: 8000", "port: 8001"))
    commit(hello, "another port")
    planned = fsd.ok("plan", "--env", "local")
    failed = fsd.run(*DEPLOY, "--override", "environment.HELLO_CRASH=1")
    after_failure = listener(fsd)
    changed = fsd.ok(*DEPLOY, "--override", "environment.PORT=8001")

    assert first == (8000, "500")
    assert "listens on another port" in " ".join(planned.out.split())
    assert failed.code == 6, failed.text
    assert after_failure == (8000, "500")
    assert changed.json()["outcome"] == "succeeded"
    assert listener(fsd) == (8001, "500")


def listener(fsd: Fsd) -> tuple[int, str]:
    """Its port, and how long a connection may be silent."""
    with fsd.client("elbv2") as elb:
        (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
        (found,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        said = elb.describe_listener_attributes(ListenerArn=found["ListenerArn"])["Attributes"]
    return found["Port"], {each["Key"]: each["Value"] for each in said}["tcp.idle_timeout.seconds"]
