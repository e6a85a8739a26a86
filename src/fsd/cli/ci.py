"""`fsd ci`: what the Action runs. Gives the Action its clients; decides nothing itself."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import CallFailedError, ExitCode

if TYPE_CHECKING:
    from fsd.action.inputs import Inputs
    from fsd.action.service_file import Tools
    from fsd.app.environments import EnvironmentsFile
    from fsd.github.commits import Commits
    from fsd.github.context import Checkout, Context
    from fsd.github.oidc import IdTokens
    from fsd.github.runner import Runner


@click.command(
    epilog="""\b
Reads the runner's variables and FSD_INPUT_*, one per input of action.yml.
To try it outside a workflow:
  GITHUB_EVENT_NAME=push GITHUB_REF=refs/heads/staging FSD_INPUT_ENVIRONMENT=local fsd ci"""
)
def command() -> int:
    """Deploy, plan or validate, depending on the workflow's event, and report the result."""
    from fsd.action.run import run_step
    from fsd.action.service_file import ActionStep
    from fsd.app.clock import SystemClock, catch_signals
    from fsd.cli.wiring import forbid_inspection, take_workflow_environment
    from fsd.github.context import read_context, read_event
    from fsd.github.oidc import find_id_tokens
    from fsd.github.runner import Runner

    forbid_inspection()
    environ = take_workflow_environment()
    runner = Runner(environ, stream=sys.stdout)
    clock = SystemClock()
    context = read_context(environ, event_text=read_event(environ))
    with catch_signals() as signals:
        tokens = find_id_tokens(environ, mask=runner.mask, clock=clock)
        code = run_step(
            ActionStep(
                runner=runner,
                context=context,
                connect=lambda inputs: _connect(inputs, runner, context, tokens=tokens),
                read_checkout=_read_checkout,
                clock=clock,
                root=Path.cwd(),
                temp=Path(environ.get("RUNNER_TEMP") or os.curdir),
            )
        )
    return int(signals.exit_code) if code == ExitCode.INTERRUPTED else code


def _connect(inputs: Inputs, runner: Runner, context: Context, *, tokens: IdTokens | None) -> Tools:
    from fsd.action.deployer import WorkflowDeployer
    from fsd.action.service_file import Tools
    from fsd.cli.wiring import connect, session_name
    from fsd.github.attestations import find_attestations
    from fsd.github.comments import Comments
    from fsd.github.commits import Commits

    if inputs.github_token:
        runner.mask(inputs.github_token)
    can_comment = bool(inputs.github_token and context.repository)
    commits = (
        Commits(context.repository, token=inputs.github_token, api_url=context.api_url)
        if can_comment
        else None
    )
    return Tools(
        deployer=WorkflowDeployer(
            connect=connect,
            environments_file=_environments_file(inputs, runner, context, commits),
            tokens=tokens,
            role_to_assume=inputs.role_to_assume,
            session_name=inputs.role_session_name or session_name(),
            duration=inputs.role_duration,
            names_session=bool(inputs.role_session_name),
            repository=context.repository,
            is_rerun=context.attempt > 1,
            order_commits=commits.order if commits else None,
            find_attestations=partial(
                find_attestations, token=inputs.github_token, api_url=context.api_url
            )
            if commits
            else None,
        ),
        comments=Comments(context.repository, token=inputs.github_token, api_url=context.api_url)
        if can_comment
        else None,
    )


def _environments_file(
    inputs: Inputs, runner: Runner, context: Context, commits: Commits | None
) -> EnvironmentsFile:
    """Governed by the default branch. A pull request's plan shows what it would change there."""
    from fsd.cli.wiring import govern
    from fsd.github.runner import Level

    if context.event == "pull_request":
        return inputs.environments_file
    return govern(
        context,
        commits,
        file=inputs.environments_file,
        warn=lambda text: runner.annotate(Level.WARNING, text),
    )


def _read_checkout(folder: Path) -> Checkout:
    """What git says of the folder; nobody vouches for a checkout that it cannot read."""
    from fsd.github.context import Checkout
    from fsd.image.context import read_head

    if not folder.is_dir():
        return Checkout(problem=f"there is no folder {folder}")
    try:
        head, is_dirty = read_head(folder)
    except CallFailedError as error:
        return Checkout(problem=error.what)
    problem = "" if head else f"there is no commit that git can read in {folder}"
    return Checkout(head=head, is_dirty=is_dirty, problem=problem)
