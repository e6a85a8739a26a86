"""Import of what FSD compiled gives the same manifest: every key of the table, there and back."""

from __future__ import annotations

import pytest
import yaml

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired
from fsd.importing.fit import ImportedManifest, fit
from fsd.importing.running_service import read_running
from fsd.manifest.load import load_manifest
from tests.builders import make_image, make_release, make_target
from tests.unit.floor.described import describe
from tests.unit.floor.rows import ROWS, Row
from tests.unit.floor.test_floor import asked, compiled, row_id

# What AWS is not told stands in no answer of AWS's either.
NOT_TOLD = {
    "service.build": "what is built is not part of what runs",
    "service.existingSchedule": "what a deployment has disabled is not part of what runs",
    "service.logs": "short for `observability.logs`, which an import writes",
    "service.beforeDeploy": "a deployment's own step",
    "service.afterDeploy": "a deployment's own step",
    "service.deployment.steadyFor": "FSD's own watch, after the rollout",
}
FIRST_FLOOR = {
    "a worker": "{port: null, healthCheck: null}",
    "a load balancer": "{networking: {loadBalancer: {internal: false, certificateArn: "
    "'arn:aws:acm:us-east-1:123456789012:certificate/0a1b'}}, deployment: "
    "{deregistrationDelay: 5}, healthCheck: {path: /up, interval: 10, matcher: 200-399}}",
    "scaled": "{autoScaling: {targetCPUUtilization: 60, targetMemoryUtilization: 70, "
    "scaleInCooldown: 60}, resources: {minCapacity: 2, maxCapacity: 4}}",
    "observed": "{observability: {metrics: {port: 9100, path: /m}, logs: {retention: 7}}}",
    "configured": "{environment: {A: 'x$${y}'}, command: [serve, '--now'], platform: ARM64}",
    "careful": "{deployment: {minimumHealthyPercent: 50, maximumPercent: 150, alarms: [p99], "
    "bakeTime: 3, circuitBreaker: {threshold: 5}, earlySuccess: {healthyPercent: 50}}}",
}


def imported(desired: Desired) -> ImportedManifest:
    return fit(read_running(describe(desired), source="dev/offer-api-dev", pack=""))


def again(fitted: ImportedManifest) -> Desired:
    loaded = load_manifest(fitted.text, path="service.yml", variables={"ENV": "dev"})
    assert loaded.manifest is not None, (loaded.findings, fitted.text)
    return compile_service(
        loaded.manifest, target=make_target(), image=make_image(), release=make_release()
    )


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_key__deployed_and_imported__aws_is_told_the_same(row: Row) -> None:
    desired = compiled(row.good, row.kind)

    back = imported(desired)

    assert [*back.imported.losses] == []
    assert asked(again(back)) == asked(desired)
    if row.key not in NOT_TOLD:
        _, section, *_ = row.key.split(".")
        told = yaml.safe_load(back.text)["service"]
        assert section in told, back.text


@pytest.mark.parametrize("service", FIRST_FLOOR.values(), ids=[*FIRST_FLOOR])
def test_first_floor__deployed_and_imported__aws_is_told_the_same(service: str) -> None:
    desired = compiled(service)

    back = imported(desired)

    assert [*back.imported.losses] == []
    assert asked(again(back)) == asked(desired)
