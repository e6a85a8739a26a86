"""A network load balancer: it forwards connections, and asks its targets by one."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.local.ecs.fakes import eventually

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
