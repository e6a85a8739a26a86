"""Services of every kind, made by chance from a number: the same number makes the same ones."""

from __future__ import annotations

import random
from typing import Any

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, JsonValue
from fsd.manifest.models import Manifest
from tests.builders import make_dependency, make_image, make_manifest, make_release, make_target

_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d"
_DEPENDENCIES = (
    make_dependency("aws_s3_bucket", "prices-dev", "s3:GetObject", "s3:ListBucket"),
    make_dependency("aws_s3_bucket", "prices-dev", "s3:PutObject"),
    make_dependency("aws_dynamodb_table", "offers", "dynamodb:GetItem", "dynamodb:Query"),
    make_dependency("aws_sqs_queue", "jobs", "sqs:SendMessage"),
)
_ALARMS = ("latency", "errors", "queue-age")


def make_desired_by_chance(chance: random.Random) -> Desired:
    """Compiled for the environment `dev`."""
    manifest = make_manifest_by_chance(chance)
    return compile_service(
        manifest,
        target=make_target(),
        image=make_image(digest="sha256:" + chance.choice("abc") * 64),
        release=make_release(version=chance.choice(("v1", "v2"))),
    )


def make_manifest_by_chance(chance: random.Random) -> Manifest:
    """A service `web`."""
    scaled: dict[str, Any] = {}
    if chance.random() < 0.4:
        scaled["autoScaling"] = _auto_scaling(chance)
    return make_manifest(
        name="web",
        port=chance.choice((None, 8000, 8000, 9000)),
        resources=_resources(chance),
        dependencies=chance.sample(_DEPENDENCIES, chance.randint(0, len(_DEPENDENCIES))),
        environment={name: chance.choice("12") for name in chance.sample(("A", "B", "C"), 2)},
        networking=_networking(chance),
        observability=_observability(chance),
        deployment=_deployment(chance),
        healthCheck={
            "path": chance.choice(("/health", "/up")),
            "gracePeriod": chance.choice((0, 60)),
        },
        **scaled,
    )


def shuffled(value: JsonValue, chance: random.Random) -> JsonValue:
    """The same with keys and lists in another order; the arguments of a function stay in theirs."""
    match value:
        case dict():
            keys = [*value]
            chance.shuffle(keys)
            return {
                key: value[key] if key.startswith("Fn::") else shuffled(value[key], chance)
                for key in keys
            }
        case list():
            items = [shuffled(item, chance) for item in value]
            chance.shuffle(items)
            return items
        case _:
            return value


def _resources(chance: random.Random) -> dict[str, object]:
    cpu, memory = chance.choice(((256, 512), (512, 1024), (1024, 2048)))
    found: dict[str, object] = {"cpu": cpu, "memory": memory}
    if chance.random() < 0.6:
        found["desiredCount"] = chance.randint(0, 5)
    if chance.random() < 0.4:
        low = int(str(found.get("desiredCount", 1)))
        found |= {"minCapacity": chance.randint(0, low), "maxCapacity": low + chance.randint(1, 5)}
    return found


def _auto_scaling(chance: random.Random) -> dict[str, object]:
    found: dict[str, object] = {"targetCPUUtilization": chance.choice((50, 70))}
    if chance.random() < 0.5:
        found["targetMemoryUtilization"] = 80
    if chance.random() < 0.5:
        found["scaleInCooldown"] = chance.choice((60, 300))
    return found


def _networking(chance: random.Random) -> dict[str, object]:
    found: dict[str, Any] = {"vpc": chance.random() < 0.8}
    if chance.random() < 0.7:
        found["loadBalancer"] = {"type": "application", "internal": chance.random() < 0.5}
        if chance.random() < 0.3:
            found["loadBalancer"]["certificateArn"] = _CERTIFICATE
    return found


def _observability(chance: random.Random) -> dict[str, object]:
    found: dict[str, object] = {
        "logs": {"enabled": chance.random() < 0.9, "retention": chance.choice((7, 30))}
    }
    if chance.random() < 0.3:
        found["metrics"] = {"enabled": True, "port": 9100, "path": "/metrics"}
    if chance.random() < 0.2:
        found["traces"] = {"enabled": True}
    return found


def _deployment(chance: random.Random) -> dict[str, object]:
    found: dict[str, object] = {"deregistrationDelay": chance.choice((10, 30))}
    if chance.random() < 0.3:
        found["alarms"] = tuple(chance.sample(_ALARMS, 2))
    if chance.random() < 0.2:
        found["bakeTime"] = 5
    return found
