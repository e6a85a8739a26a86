"""A name in Route 53 that leads to the load balancer, and goes with the service."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.local.cli import Fsd
from tests.local.conftest import commit

DEPLOY = ("deploy", "--env", "local", "--format", "json")


def names(fsd: Fsd, zone: str) -> list[str]:
    """Of the alias records of a hosted zone."""
    with fsd.client("route53") as route53:
        found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [each["Name"] for each in found if "AliasTarget" in each]


def ask(fsd: Fsd, host: str) -> str:
    """Which service answers for a host."""
    port = fsd.status()["endpoint"].rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["service"])


def test_domain__alias_record__its_requests_reach_the_service(fsd: Fsd, hello: Path) -> None:
    with fsd.client("route53") as route53:
        made = route53.create_hosted_zone(Name="localhost", CallerReference="one")
    zone = made["HostedZone"]["Id"].rpartition("/")[2]
    manifest = hello / "service.yml"
    domain = f"      domain: {{name: shop.localhost, hostedZone: {zone}}}\n"
    text = manifest.read_text().replace("      internal: true\n", "      internal: true\n" + domain)
    manifest.write_text(text)
    commit(hello, "a name")

    fsd.ok(*DEPLOY)
    there, answered = names(fsd, zone), ask(fsd, "shop.localhost")
    again = fsd.ok(*DEPLOY)
    shown = fsd.ok("status", "--service", "hello", "--env", "local")
    fsd.ok("delete", "--service", "hello", "--env", "local", "--yes")
    gone = names(fsd, zone)

    assert there == ["shop.localhost."]
    assert answered == "hello"
    assert again.json()["outcome"] == "unchanged", again.text
    assert "https://shop.localhost" in shown.out
    assert gone == []
