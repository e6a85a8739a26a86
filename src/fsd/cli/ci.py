"""`fsd ci`: what the Action runs. Gives the Action its clients; decides nothing itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsd.errors import CallFailedError, ErrorCode, ExitCode

if TYPE_CHECKING:
    from fsd.action.inputs import Inputs
    from fsd.action.ports import Checked, DeployRequest
    from fsd.action.run import Tools
    from fsd.app.manifest import EnvironmentsFile
    from fsd.cli.deploying import AskOrder, Options
    from fsd.cli.wiring import WebIdentity
    from fsd.github.commits import Commits
    from fsd.github.context import Checkout, Context
    from fsd.github.oidc import IdTokens
    from fsd.github.runner import Runner
    from fsd.manifest.environments import Environment
    from fsd.release.reporter import Reporter
    from fsd.release.result import Result
    from fsd.report.plans import Planned


@click.command(
    epilog="""\b
Reads the runner's variables and FSD_INPUT_*, one for each input of action.yml. To try it outside:
  GITHUB_EVENT_NAME=push GITHUB_REF=refs/heads/staging FSD_INPUT_ENVIRONMENT=local fsd ci"""
)
def command() -> int:
    """Do what a workflow's run is for: deploy, plan or validate, and tell about it."""
    from fsd.action.run import Step, run_step
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
            Step(
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
    from fsd.action.run import Tools
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
        deployer=_Deployer(
            environments_file=_environments_file(inputs, runner, context, commits),
            tokens=tokens,
            is_rerun=context.attempt > 1,
            order_commits=commits.order if commits else None,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployer:
    """`fsd.action.ports.Deployer` by the commands' own functions."""

    environments_file: EnvironmentsFile
    tokens: IdTokens | None
    is_rerun: bool = False
    order_commits: AskOrder | None = None

    def environments(self, file: Path) -> Mapping[str, Environment]:
        from fsd.action.inputs import require_inside
        from fsd.app.manifest import find_environments_file, known_environments

        named = self.environments_file
        found = named if isinstance(named, Path) else find_environments_file(file)
        if found is not None:
            require_inside(found, Path.cwd(), where="environments file")
        return known_environments(file, file=named)

    def validate(
        self, file: Path, *, environment: str | None, overrides: tuple[str, ...]
    ) -> Checked:
        from fsd.action.ports import Checked
        from fsd.app.manifest import check_manifest

        loaded = check_manifest(
            file,
            environment=environment,
            overrides=overrides,
            environments_file=self.environments_file,
        )
        manifest = loaded.manifest
        return Checked(
            service=manifest.metadata.name if manifest else "",
            findings=loaded.findings,
            has_errors=loaded.has_errors or manifest is None,
        )

    def plan(self, request: DeployRequest, *, reporter: Reporter) -> Planned:
        from fsd.cli.deploying import run_plan

        return run_plan(self._options(request, is_plan=True), reporter=reporter)

    def deploy(self, request: DeployRequest, *, reporter: Reporter) -> Result:
        from fsd.cli.deploying import run_deploy

        return run_deploy(self._options(request), reporter=reporter)

    def roll_back(self, request: DeployRequest, to_version: str, *, reporter: Reporter) -> Result:
        from fsd.action.ports import PREVIOUS
        from fsd.cli.options import make_operation, open_service
        from fsd.release.operations import roll_back

        service = self.validate(
            request.file, environment=request.environment, overrides=request.overrides
        ).service
        connection, ref = open_service(
            service,
            request.environment,
            region=request.region or None,
            identity=self._identity(request),
            environments_file=self.environments_file,
        )
        operation = make_operation(connection, ref, reporter=reporter, timeout=request.timeout)
        return roll_back(operation, None if to_version == PREVIOUS else to_version)

    def _options(self, request: DeployRequest, *, is_plan: bool = False) -> Options:
        from fsd.cli.deploying import Options

        return Options(
            file=request.file,
            environment=request.environment,
            image=request.image or None,
            context=request.context,
            dockerfile=request.dockerfile,
            version=request.version or None,
            overrides=request.overrides,
            region=request.region or None,
            timeout=request.timeout,
            in_flight=request.in_flight,
            supersede_older=True,
            on_cancel=request.on_cancel,
            allow_older=request.allow_older,
            allow_interruption=request.allow_interruption,
            is_rerun=self.is_rerun,
            order_commits=self.order_commits,
            rollback=request.rollback,
            build_args=dict(request.build_args),
            build_secrets=request.build_secrets,
            cache=request.cache,
            environments_file=self.environments_file,
            require_promotion_from=request.require_promotion_from,
            identity=self._identity(request, is_plan=is_plan),
        )

    def _identity(self, request: DeployRequest, *, is_plan: bool = False) -> WebIdentity | None:
        """The role by OIDC; None leaves it to the credentials that the job has.

        Raises CallFailedError where a role is asked for and the job may not prove who it is.
        """
        from fsd.app.manifest import find_environment
        from fsd.cli.wiring import WebIdentity, session_name

        environment = find_environment(
            request.file, request.environment, file=self.environments_file
        )
        own_role = environment.role_for_plans if is_plan else environment.role_arn
        role = request.role_to_assume or own_role
        if role and self.tokens:
            return WebIdentity(role_arn=role, token=self.tokens, session_name=session_name())
        if not request.role_to_assume:
            return None
        raise CallFailedError(
            f"this job may not ask for an identity token, and {role} is assumed by one",
            where="ACTIONS_ID_TOKEN_REQUEST_URL",
            fix="give the job `permissions: id-token: write`",
            code=ErrorCode.IDENTITY_TOKEN_MISSING,
        )
