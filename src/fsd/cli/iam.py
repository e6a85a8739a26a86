"""`fsd iam`: the policies of `fsd bootstrap`, for those who make their roles themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import ENV, FILE, REGION

if TYPE_CHECKING:
    from fsd.account.grant import Reach

ROLES = ("deploy", "plan", "cloudformation")


@click.command(
    epilog="""\b
Examples:
  fsd iam --env dev                  all three roles
  fsd iam --env dev --role deploy    one policy, ready for `aws iam put-role-policy`"""
)
@ENV
@FILE
@click.option(
    "--service",
    "services",
    multiple=True,
    help="A service that the roles may deploy. Can be repeated.  [default: the one in --file]",
)
@click.option("--repo", help="ORG/REPO whose roles `fsd bootstrap` created.")
@click.option("--role", type=click.Choice(ROLES), help="Only this role's policy.")
@REGION
def command(
    env: str,
    file: Path,
    services: tuple[str, ...],
    repo: str | None,
    role: str | None,
    region: str | None,
) -> None:
    """Print IAM policies with the least permissions that each role needs.

    FSD does not call AWS. The policies name the environment's account and Region, or contain
    ACCOUNT_ID and REGION if the environment does not define them.
    """
    from fsd.account.grant import policy
    from fsd.account.stack import role_grants

    reach = _reach(env, file=file, services=services, repo=repo, region=region)
    documents = {kind: policy(role_grants(kind, reach)) for kind in ROLES}
    click.echo(json.dumps(documents[role] if role else documents, indent=2))


def _reach(
    env: str, *, file: Path, services: tuple[str, ...], repo: str | None, region: str | None
) -> Reach:
    """Raises UsageError where nothing says which role CloudFormation has."""
    from fsd.account.grant import Reach
    from fsd.account.joined import Joined, parse_repository
    from fsd.account.stack import boundary_arn, role_arn
    from fsd.cli.account import environment_to_be, names_of, place_of, services_of

    environment = environment_to_be(env)
    place = place_of(environment, region=region)
    cloudformation = environment.cloud_formation_role_arn
    names = services_of(services, file)
    if repo is None and cloudformation is None:
        raise click.UsageError(
            "`--repo` is missing: the name of the CloudFormation role depends on it"
        )
    if repo is not None:
        joined = Joined(repository=parse_repository(repo), services=names, github_environment=env)
        cloudformation = role_arn(joined, "cloudformation", env, place)
    return Reach(
        place=place,
        environment=env,
        cluster=environment.cluster_name,
        services=names,
        boundary=environment.permissions_boundary_arn or boundary_arn(env, place),
        cloudformation_role=cloudformation or "",
        named=names_of(names, file, env=env),
    )
