"""Access logs: a bucket that does not let a load balancer in is refused, and lines are real."""

from __future__ import annotations

import gzip
import json
import urllib.request
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.waiting import eventually

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::offers-logs/alb/AWSLogs/*",
        }
    ],
}
LOGS = "      accessLogs: {bucket: offers-logs, prefix: alb}\n"


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_access_logs__a_request__its_line_is_in_the_bucket(fsd: Fsd, hello: Path) -> None:
    manifest = hello / "service.yml"
    there = "      internal: true\n"
    manifest.write_text(manifest.read_text().replace(there, there + LOGS))
    commit(hello, "logs")

    refused = fsd.run("deploy", "--env", "local")
    with fsd.client("s3") as s3:
        s3.create_bucket(Bucket="offers-logs")
        s3.put_bucket_policy(Bucket="offers-logs", Policy=json.dumps(POLICY))
        fsd.ok("deploy", "--env", "local")
        url = fsd.status()["services"][0]["urls"][-1]
        request = urllib.request.Request(f"{url}?offer=42", headers={"User-Agent": "a test"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

        def lines() -> list[str]:
            found = s3.list_objects_v2(Bucket="offers-logs", Prefix="alb/AWSLogs/")["Contents"]
            keys = [each["Key"] for each in found if each["Key"].endswith(".log.gz")]
            bodies = [s3.get_object(Bucket="offers-logs", Key=key)["Body"].read() for key in keys]
            return [x for body in bodies for x in gzip.decompress(body).decode().splitlines()]

        eventually(lambda: any("offer=42" in line for line in lines()), seconds=120)
        (line,) = [line for line in lines() if "offer=42" in line]

    assert refused.code != 0
    assert "Access Denied for bucket: offers-logs" in refused.err + refused.out
    assert "logdelivery.elasticloadbalancing.amazonaws.com" in refused.err + refused.out
    kind, _, balancer, _, target, _, _, _, status, target_status = line.split()[:10]
    assert (kind, status, target_status) == ("http", "200", "200")
    assert balancer.startswith("app/hello-local/")
    assert target.endswith(":8000")
    assert '"a test"' in line
    assert "targetgroup/" in line
