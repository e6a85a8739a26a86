"""The tags of everything that FSD makes, and the release ledger on a task definition."""

from __future__ import annotations

import re

from fsd.compile.desired import STEADY_TAG, Image, Release, Target
from fsd.manifest.models import Manifest

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html
VALUE_LIMIT = 256
_NOT_ALLOWED = re.compile(r"[^\w .:/=+@-]")


def compile_tags(manifest: Manifest, *, target: Target) -> dict[str, str]:
    """Who a resource belongs to. The same for every release, so that a stack does not change."""
    metadata = manifest.metadata
    return clean_tags(
        {
            **manifest.service.tags,
            "fsd:service": metadata.name,
            "fsd:environment": target.environment,
            "fsd:pack": metadata.pack,
            "fsd:owners": " ".join(sorted(metadata.owners)),
            # For `fsd import`: whether they are the environment's is not seen in the subnets.
            "fsd:subnets": "manifest" if manifest.service.networking.subnets else "",
            "fsd:domain": _domain(manifest),
        }
    )


def _domain(manifest: Manifest) -> str:
    """For `fsd import` too, which reads no hosted zone: the name, its zone, and a word where the
    certificate is FSD's."""
    balancer = manifest.service.networking.load_balancer
    domain = balancer.domain if balancer is not None else None
    if balancer is None or domain is None:
        return ""
    made = " certificate" if balancer.makes_certificate else ""
    return f"{domain.name} {domain.hosted_zone}{made}"


def compile_ledger(
    manifest: Manifest, *, target: Target, image: Image, release: Release
) -> dict[str, str]:
    """What `fsd history`, `rollback --to-version`, `restart` and `scale` read of a revision."""
    steady = 0 if manifest.is_job else manifest.service.steady_for
    return compile_tags(manifest, target=target) | clean_tags(
        {
            "fsd:version": release.version,
            "fsd:commit": release.commit,
            "fsd:digest": image.digest,
            "fsd:run": release.run,
            "fsd:forced": release.forced,
            "fsd:promoted-from": release.promoted_from,
            STEADY_TAG: str(steady) if steady else "",
        }
    )


def clean_tags(tags: dict[str, str]) -> dict[str, str]:
    """Values that AWS takes. Empty ones are left out: CloudFormation refuses them."""
    return {key: _NOT_ALLOWED.sub("_", value)[:VALUE_LIMIT] for key, value in tags.items() if value}


def clean_value(sentence: str) -> str:
    """A sentence as a tag's value: what AWS does not take there becomes a space."""
    return " ".join(_NOT_ALLOWED.sub(" ", sentence).split())[:VALUE_LIMIT].rstrip()
