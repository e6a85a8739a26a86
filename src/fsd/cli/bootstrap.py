"""`fsd bootstrap`: an account's one-time stack, for one environment."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.cli.options import ENV, FILE, REGION
from fsd.errors import ErrorCode, ExitCode, RefusedError, UsageError
from fsd.streams import say

if TYPE_CHECKING:
    from fsd.account.joined import Joined
    from fsd.app.bootstrap import AccountSetup, BootstrapPlan

PROVIDER, REPOSITORIES = "provider", "repositories"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOptions:
    """The command line, as far as it says who joins."""

    env: str
    repo: str | None
    file: Path
    services: tuple[str, ...]
    github_environment: str | None
    branches: tuple[str, ...]
    workflow: str | None
    network: str


@click.command(
    epilog="""\b
Examples:
  fsd bootstrap --env dev --repo org/offers              plan, ask, create
  fsd bootstrap --env dev --repo org/billing             add a second repository
  fsd bootstrap --env dev --check                        what differs
  fsd bootstrap --env dev --repo org/offers --template > dev.json"""
)
@ENV
@click.option("--repo", help="ORG/REPO that may deploy, or ORG@ID/REPO@ID to pin it by ID.")
@click.option(
    "--service",
    "services",
    multiple=True,
    help="A service that the repository deploys. Can be repeated.  [default: the one in --file]",
)
@FILE
@click.option(
    "--github-environment",
    help="Trust jobs of this GitHub environment.  [default: the name of --env]",
)
@click.option(
    "--branch",
    "branches",
    multiple=True,
    help="Trust this branch instead of a GitHub environment. Can be repeated.",
)
@click.option("--workflow", help="Trust only this workflow: ORG/REPO/.github/workflows/FILE@REF.")
@click.option(
    "--network",
    is_flag=False,
    flag_value="nat",
    type=click.Choice(["nat", "endpoints"]),
    help="Also create a VPC in two zones; `nat` reaches the internet, `endpoints` only AWS.",
)
@REGION
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--check",
    is_flag=True,
    help="Show what differs from the template; exit with 4 if anything does.",
)
@click.option("--delete", is_flag=True, help="Remove the stack; refused while there are services.")
@click.option(
    "--template", is_flag=True, help="Print the CloudFormation template, without calling AWS."
)
@click.option(
    "--terraform",
    is_flag=True,
    help="Print the same resources as Terraform HCL, without calling AWS.",
)
@click.option(
    "--existing",
    multiple=True,
    type=click.Choice([PROVIDER, REPOSITORIES]),
    help="With --template or --terraform: leave out what the account already has. Can be repeated.",
)
def command(
    env: str,
    repo: str | None,
    services: tuple[str, ...],
    file: Path,
    github_environment: str | None,
    branches: tuple[str, ...],
    workflow: str | None,
    network: str | None,
    region: str | None,
    yes: bool,
    check: bool,
    delete: bool,
    template: bool,
    terraform: bool,
    existing: tuple[str, ...],
) -> int:
    """Prepare an account so that a repository's workflows can deploy to an environment.

    One stack contains GitHub's OIDC provider, three roles for the repository (deploy, plan,
    CloudFormation), a permissions boundary, the ECR repositories, the ECS cluster and a Service
    Connect namespace. Resources that the account already has are reused. You need credentials that
    may create roles.
    """
    asked = JoinOptions(
        env=env,
        repo=repo,
        file=file,
        services=services,
        github_environment=github_environment,
        branches=branches,
        workflow=workflow,
        network=network or "",
    )
    if sum((check, delete, template, terraform)) > 1:
        raise click.UsageError(
            "`--check`, `--delete`, `--template` and `--terraform` cannot be combined "
            "with one another"
        )
    if template or terraform:
        _print_template(asked, existing=frozenset(existing), as_hcl=terraform)
        return int(ExitCode.OK)
    setup = _open(env, region=region)
    if check:
        return _check(setup, who_joins(asked) if asked.repo else None)
    if delete:
        return _delete(setup, is_sure=yes)
    return _set_up(setup, asked, is_sure=yes)


def _open(env: str, *, region: str | None) -> AccountSetup:
    from fsd.cli.account import environment_to_be
    from fsd.cli.wiring import connect_account

    return connect_account(environment_to_be(env), region=region)


def _set_up(setup: AccountSetup, asked: JoinOptions, *, is_sure: bool) -> int:
    from fsd.report.bootstrap import plan_text

    joined = who_joins(asked)
    plan = setup.plan(joined, network=asked.network)
    say(plan_text(plan.stack, plan.changes, plan.place, before=plan.before), err=True)
    _tell_not_following(asked, joined)
    if plan.changes:
        if not is_sure:
            _ask(
                f"Set up {setup.environment} in {plan.place.account}?", what="setting up an account"
            )
        say(f"\ncreating the stack {plan.stack.name} …", err=True)
        setup.apply(plan)
    say(_what_is_left(plan, joined, asked.file))
    return int(ExitCode.OK)


def _what_is_left(plan: BootstrapPlan, joined: Joined, file: Path) -> str:
    from fsd.report.bootstrap import next_text
    from fsd.scaffold.workflow import write_deploy_workflow

    workflow = write_deploy_workflow(
        environment=plan.stack.environment,
        branch=joined.branches[0] if joined.branches else "main",
        service_file=file.as_posix(),
        region=plan.place.region,
    )
    of_stack = next(
        one
        for one in plan.stack.joined
        if str(one.repository).lower() == str(joined.repository).lower()
    )
    return next_text(plan.stack, of_stack, plan.place, workflow)


def _check(setup: AccountSetup, joined: Joined | None) -> int:
    """Both ways in which it can differ: from what this fsd would make, and by hand. With a
    repository also from what its files say now."""
    from fsd.report.bootstrap import drift_text, plan_text

    plan = setup.plan(joined)
    drift = setup.drift()
    say(plan_text(plan.stack, plan.changes, plan.place, before=plan.before))
    say(drift_text(drift))
    return int(ExitCode.REFUSED if plan.changes or drift.drifted else ExitCode.OK)


def _delete(setup: AccountSetup, *, is_sure: bool) -> int:
    if not is_sure:
        _ask(f"Remove the setup of {setup.environment}?", what="removing an account's setup")
    deleted = setup.delete()
    for line in deleted.removed:
        say(f" - {line}")
    for line in deleted.kept:
        say(f"   kept {line}")
    return int(ExitCode.OK)


def _ask(question: str, *, what: str) -> None:
    """Raises RefusedError for no, and where nobody can be asked."""
    if not sys.stdin.isatty():
        raise RefusedError(
            f"{what} asks for confirmation, which needs a terminal",
            where="fsd bootstrap",
            fix="run it at a terminal, or with --yes",
            code=ErrorCode.CONFIRMATION_NEEDED,
        )
    if not click.confirm(question, err=True):
        raise RefusedError(
            "nothing was changed",
            where="fsd bootstrap",
            fix="answer y, or use --yes",
            code=ErrorCode.CONFIRMATION_NEEDED,
        )


def _print_template(asked: JoinOptions, *, existing: frozenset[str], as_hcl: bool) -> None:
    from fsd.account.stack import PROVIDER as PROVIDER_ID
    from fsd.account.stack import AccountStack, repository_id, write_template
    from fsd.account.terraform import write_terraform
    from fsd.cli.account import environment_to_be

    joined = who_joins(asked)
    _tell_not_following(asked, joined)
    repositories = map(repository_id, joined.services) if REPOSITORIES in existing else ()
    stack = AccountStack(
        environment=asked.env,
        cluster=environment_to_be(asked.env).cluster_name,
        joined=(joined,),
        network=asked.network,
        foreign=frozenset({*repositories, *([PROVIDER_ID] if PROVIDER in existing else [])}),
    )
    written = write_template(stack)
    say(write_terraform(written) if as_hcl else json.dumps(written, indent=2))


def _tell_not_following(asked: JoinOptions, joined: Joined) -> None:
    """Beside a template too: there it goes to standard error."""
    from fsd.account.named import find_not_following
    from fsd.app.environments import known_environments
    from fsd.cli.account import environment_to_be
    from fsd.report.bootstrap import not_following_text

    found = find_not_following(
        environment_to_be(asked.env),
        known_environments().values(),
        trusts_branches=not joined.github_environment,
    )
    if found:
        say(
            not_following_text(found, environment=asked.env, branches=joined.branches),
            err=True,
        )


def who_joins(asked: JoinOptions) -> Joined:
    """Raises UsageError for a command line that trusts nobody, or everybody."""
    from fsd.account.joined import Joined, parse_repository
    from fsd.cli.account import names_of, services_of

    if asked.repo is None:
        raise click.UsageError("`--repo` is missing")
    if asked.branches and asked.github_environment:
        raise click.UsageError("`--branch` cannot be combined with `--github-environment`")
    github_environment = "" if asked.branches else asked.github_environment or asked.env
    if any(sign in github_environment for sign in "*?$"):
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
        named=names_of(services_of(asked.services, asked.file), asked.file, env=asked.env),
    )
