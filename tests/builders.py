"""Small, valid values that a test changes in the one place it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fsd.compile.desired import Image, Release, Target
from fsd.manifest.models import Manifest
from fsd.manifest.section import fill

DIGEST = "sha256:" + "9b1f" * 16
COMMIT = "4f2c1e9" + "0" * 33


def make_manifest(
    *,
    name: str = "offer-api",
    pack: str = "pack-digdog",
    owners: Sequence[str] = (),
    dependencies: Sequence[Mapping[str, object]] = (),
    **service: object,
) -> Manifest:
    """A service on port 8000 without a load balancer.

    `service` are the keys below `service:`, spelled like the model (`health_check`) or like the
    file (`healthCheck`); sections are plain dicts: `make_manifest(resources={"cpu": 256})`.
    `port=None` makes a worker.
    """
    tree = {
        "api_version": "fsd/v1",
        "kind": "Service",
        "metadata": {"name": name, "pack": pack, "owners": owners},
        "service": {"type": "ecs", "port": 8000, **service},
        "dependencies": dependencies,
    }
    return fill(Manifest, _frozen(tree), by_name=True)


def make_dependency(type: str, name: str, *permissions: str) -> dict[str, object]:
    return {"type": type, "name": name, "permissions": permissions}


def make_target(**changes: object) -> Target:
    target = Target(
        environment="dev",
        account="123456789012",
        region="us-east-1",
        partition="aws",
        cluster="dev",
        vpc_id="vpc-0a1b2c3d",
        vpc_cidr="10.0.0.0/16",
        task_subnets=("subnet-0a0a0a0a", "subnet-0b0b0b0b"),
        load_balancer_subnets=("subnet-0a0a0a0a", "subnet-0b0b0b0b"),
    )
    return replace(target, **changes)  # type: ignore[arg-type] # replace checks the names


def make_image(
    name: str = "offer-api",
    *,
    registry: str = "123456789012.dkr.ecr.us-east-1.amazonaws.com",
    digest: str = DIGEST,
    tag: str = COMMIT,
) -> Image:
    return Image(repository=f"{registry}/{name}", digest=digest, tag=tag)


def make_release(
    *,
    version: str = "v1.3.0",
    commit: str = COMMIT,
    run: str = "https://github.com/org/offers/actions/runs/42",
) -> Release:
    return Release(version=version, commit=commit, run=run)


def _frozen(value: object) -> object:
    """The models are strict: their sequences are tuples."""
    match value:
        case Mapping():
            return {key: _frozen(item) for key, item in value.items()}
        case list() | tuple():
            return tuple(_frozen(item) for item in value)
        case _:
            return value
