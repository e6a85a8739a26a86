"""What `fsd bootstrap`, `fsd iam` and `fsd doctor` share: an environment that may not be written
down yet, and the services that a call is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fsd.errors import UsageError

if TYPE_CHECKING:
    from fsd.account.grant import AccountPlace
    from fsd.account.named import NamedResources
    from fsd.manifest.environments import Environment


def environment_to_be(name: str) -> Environment:
    """As the environments file has it, or with the defaults: bootstrap comes before the file."""
    from fsd.app.environments import known_environments, unlisted_environment
    from fsd.manifest.environments import LOCAL

    if name == LOCAL:
        raise UsageError(
            "the embedded AWS needs no roles: every call comes from its root user",
            where=f"--env {name}",
            fix="name an environment of an account, such as --env dev",
        )
    return known_environments().get(name) or unlisted_environment(name)


def services_of(names: Sequence[str], file: Path) -> tuple[str, ...]:
    """`--service`, else the name in the manifest. Raises UsageError where there is neither."""
    from fsd.account.joined import require_service_name
    from fsd.app.manifest import check_manifest

    if names:
        return tuple(sorted({require_service_name(name) for name in names}))
    if not file.exists():
        raise UsageError(
            "no service is named",
            where="--service",
            fix=f"name it with --service NAME, or run this where {file} is",
        )
    manifest = check_manifest(file).manifest
    if manifest is None:
        raise UsageError(
            f"{file} cannot be read",
            where="--file",
            fix=f"fsd validate --file {file}  shows the errors; or name it: --service NAME",
        )
    return (manifest.metadata.name,)


def names_of(services: Sequence[str], file: Path, *, env: str) -> NamedResources:
    """What the manifest in `file` names beside its service, in this environment; nothing where it
    is not one of `services`' or cannot be read. And where the environment's releases come from,
    and go to."""
    from fsd.account.named import (
        NamedResources,
        joined_names,
        read_followers,
        read_names,
        read_promoted,
        read_scans,
    )
    from fsd.app.environments import known_environments, source_environment
    from fsd.app.manifest import check_manifest

    environment = environment_to_be(env)
    of_environment = NamedResources(
        promoted=read_promoted(environment, source_environment(environment)),
        followers=read_followers(environment, known_environments().values()),
        scans=read_scans(environment),
    )
    if not file.exists():
        return of_environment
    manifest = check_manifest(file, variables={"ENV": env}).manifest
    return (
        joined_names(read_names(manifest), of_environment)
        if manifest and manifest.metadata.name in services
        else of_environment
    )


def place_of(environment: Environment, *, region: str | None) -> AccountPlace:
    """With words in the place of what is not known offline."""
    from fsd.account.grant import AccountPlace

    where = region or environment.region or "REGION"
    return AccountPlace(
        partition=_partition(where), account=environment.account or "ACCOUNT_ID", region=where
    )


def _partition(region: str) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
