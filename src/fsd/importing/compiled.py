"""An import, compiled: the task definition that a deployment of it would register."""

from __future__ import annotations

import re

from fsd.compile.compile import compile_service
from fsd.compile.desired import Image, Release, Target
from fsd.importing.fit import Fitted
from fsd.importing.values import Value, listed, mapping, text_of
from fsd.manifest.load import load_manifest

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):[a-z-]+:(?P<region>[a-z0-9-]*):(?P<account>\d{12})"
)


def compile_again(fitted: Fitted) -> dict[str, Value]:
    """`{}` where it has an error left. The account and the region are the original's."""
    target = _target(str(fitted.imported.original))
    variables = {
        "ENV": target.environment,
        "AWS_REGION": target.region,
        "AWS_ACCOUNT_ID": target.account,
        "VERSION": "imported",
        "COMMIT": "imported",
    }
    loaded = load_manifest(fitted.text, path="service.yml", variables=variables)
    if loaded.manifest is None:
        return {}
    desired = compile_service(
        loaded.manifest,
        target=target,
        image=_image(fitted.imported.original),
        release=Release(version="imported", commit=""),
    )
    return dict(desired.task_definition)


def _target(original: str) -> Target:
    found = _ARN.search(original)
    return Target(
        environment="imported",
        account=found["account"] if found else "123456789012",
        region=(found["region"] if found else "") or "us-east-1",
        partition=found["partition"] if found else "aws",
        cluster="imported",
        vpc_id="vpc-0",
        vpc_cidr="10.0.0.0/16",
        task_subnets=("subnet-0", "subnet-1"),
        load_balancer_subnets=("subnet-0", "subnet-1"),
    )


def _image(original: dict[str, Value]) -> Image:
    containers = [mapping(each) for each in listed(original.get("containerDefinitions"))]
    uri = text_of(containers[0].get("image")) if containers else ""
    name, _, digest = uri.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return Image(repository=repository, digest=digest, tag=tag)
