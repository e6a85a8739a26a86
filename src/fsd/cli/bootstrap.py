"""`fsd bootstrap`: an account's one-time stack, for one environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import ENV, FILE
from fsd.errors import UsageError

if TYPE_CHECKING:
    from fsd.account.joined import Joined

PROVIDER, REPOSITORIES = "provider", "repositories"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command line, as far as it says who joins."""

    env: str
    repo: str | None
    file: Path
    services: tuple[str, ...]
    github_environment: str | None
    branches: tuple[str, ...]
    workflow: str | None


@click.command(
    epilog="""\b
Examples:
  fsd bootstrap --env dev --repo org/offers --template > dev.json"""
)
@ENV
@click.option("--repo", help="ORG/REPO that may deploy, or ORG@ID/REPO@ID to name it for ever.")
@click.option(
    "--service",
    "services",
    multiple=True,
    help="A service that it deploys. Can be repeated.  [default: the one in --file]",
)
@FILE
@click.option("--github-environment", help="Trust jobs in it.  [default: the name of --env]")
@click.option(
    "--branch",
    "branches",
    multiple=True,
    help="Trust this branch instead of a GitHub environment. Can be repeated.",
)
@click.option(
    "--workflow",
    help="Trust only this workflow: ORG/REPO/.github/workflows/FILE@REF.",
)
@click.option("--template", is_flag=True, help="Print the CloudFormation template; call nobody.")
@click.option(
    "--existing",
    multiple=True,
    type=click.Choice([PROVIDER, REPOSITORIES]),
    help="With --template: leave out what the account has already. Can be repeated.",
)
def command(
    env: str,
    repo: str | None,
    services: tuple[str, ...],
    file: Path,
    github_environment: str | None,
    branches: tuple[str, ...],
    workflow: str | None,
    template: bool,
    existing: tuple[str, ...],
) -> int:
    """Print the stack that lets a repository's workflows deploy to an environment.

    It has GitHub's OIDC provider, three roles for the repository (deploy, plan, CloudFormation), a
    permissions boundary, the ECR repositories, the ECS cluster and a Service Connect namespace.
    """
    if not template:
        raise click.UsageError("`--template` is missing")
    asked = Asked(
        env=env,
        repo=repo,
        file=file,
        services=services,
        github_environment=github_environment,
        branches=branches,
        workflow=workflow,
    )
    _print_template(asked, existing=frozenset(existing))
    return 0


def _print_template(asked: Asked, *, existing: frozenset[str]) -> None:
    from fsd.account.stack import AccountStack, write_template
    from fsd.cli.account import environment_to_be

    joined = who_joins(asked)
    stack = AccountStack(
        environment=asked.env,
        cluster=environment_to_be(asked.env).cluster_name,
        joined=(joined,),
        has_provider=PROVIDER not in existing,
        foreign_repositories=frozenset(joined.services if REPOSITORIES in existing else ()),
    )
    click.echo(json.dumps(write_template(stack), indent=2))


def who_joins(asked: Asked) -> Joined:
    """Raises UsageError for a command line that trusts nobody, or everybody."""
    from fsd.account.joined import Joined, parse_repository
    from fsd.cli.account import services_of

    if asked.repo is None:
        raise click.UsageError("`--repo` is missing")
    if asked.branches and asked.github_environment:
        raise click.UsageError("`--branch` and `--github-environment` exclude each other")
    github_environment = "" if asked.branches else asked.github_environment or asked.env
    if any(sign in github_environment for sign in "*?"):
        raise UsageError(
            f"`{github_environment}` would be a pattern in the trust policy",
            where="--github-environment",
            fix="name one environment of the repository",
        )
    return Joined(
        repository=parse_repository(asked.repo),
        services=services_of(asked.services, asked.file),
        github_environment=github_environment,
        branches=tuple(sorted(set(asked.branches))),
        workflow=asked.workflow or "",
    )
