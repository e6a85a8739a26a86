"""The Action's releases, by the use cases of `fsd.app`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from fsd.action.ports import PREVIOUS, CheckedManifest
from fsd.app.account import Connector, WebIdentity
from fsd.app.deployment import AskOrder, DeployOptions, FindAttestations
from fsd.app.environments import (
    EnvironmentsFile,
    find_environment,
    find_environments_file,
    known_environments,
)
from fsd.app.inside import require_inside
from fsd.app.manifest import check_manifest
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.github.oidc import IdTokens
from fsd.manifest.environments import Environment
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.report.plans import PlanReport


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDeployer:
    """`fsd.action.ports.Deployer`, with what is the same for all services of a run."""

    connect: Connector
    environments_file: EnvironmentsFile
    tokens: IdTokens | None
    role_to_assume: str  # "": the environment's
    session_name: str
    names_session: bool = False  # by an input, and not by the run
    duration: timedelta | None = None  # of the role's session
    repository: str = ""  # ORG/REPO
    is_rerun: bool = False
    order_commits: AskOrder | None = None
    find_attestations: FindAttestations | None = None

    def environments(self, file: Path) -> Mapping[str, Environment]:
        named = self.environments_file
        found = named if isinstance(named, Path) else find_environments_file(file)
        if found is not None:
            require_inside(found, Path.cwd(), where="environments file")
        return known_environments(file, file=named)

    def validate(
        self, file: Path, *, environment: str | None, overrides: tuple[str, ...]
    ) -> CheckedManifest:
        loaded = check_manifest(
            file,
            environment=environment,
            overrides=overrides,
            environments_file=self.environments_file,
        )
        manifest = loaded.manifest
        return CheckedManifest(
            service=manifest.metadata.name if manifest else "",
            findings=loaded.findings,
            has_errors=loaded.has_errors or manifest is None,
        )

    def plan(self, options: DeployOptions, *, reporter: Reporter) -> PlanReport:
        from fsd.app.plan import run_plan

        return run_plan(self._complete(options, is_plan=True), self.connect, reporter=reporter)

    def deploy(self, options: DeployOptions, *, reporter: Reporter) -> Result:
        from fsd.app.deploy import run_deploy

        return run_deploy(self._complete(options), self.connect, reporter=reporter)

    def roll_back(self, options: DeployOptions, to_version: str, *, reporter: Reporter) -> Result:
        from fsd.app.operate import make_operation, open_service
        from fsd.release.rollback_to_version import roll_back

        service = self.validate(
            options.file, environment=options.environment, overrides=options.overrides
        ).service
        connection, ref = open_service(
            self.connect,
            service,
            options.environment,
            region=options.region,
            identity=self._identity(options),
            environments_file=self.environments_file,
        )
        operation = make_operation(connection, ref, reporter=reporter, timeout=options.timeout)
        return roll_back(operation, None if to_version == PREVIOUS else to_version)

    def _complete(self, options: DeployOptions, *, is_plan: bool = False) -> DeployOptions:
        return replace(
            options,
            is_rerun=self.is_rerun,
            order_commits=self.order_commits,
            find_attestations=self.find_attestations,
            environments_file=self.environments_file,
            identity=self._identity(options, is_plan=is_plan),
        )

    def _identity(self, options: DeployOptions, *, is_plan: bool = False) -> WebIdentity | None:
        """The role by OIDC; None leaves it to the credentials that the job has.

        Raises CallFailedError where a role is asked for and the job may not prove who it is.
        """
        environment = find_environment(
            options.file, options.environment, file=self.environments_file
        )
        own_role = environment.role_for_plans if is_plan else environment.role_arn
        role = self.role_to_assume or own_role
        if role and self.tokens:
            return WebIdentity(
                role_arn=role,
                token=self.tokens,
                session_name=self.session_name,
                duration=self.duration,
                repository=self.repository,
            )
        if not self.role_to_assume:
            self._require_no_session()
            return None
        raise CallFailedError(
            f"this job may not ask for an identity token, and {role} is assumed by one",
            where="ACTIONS_ID_TOKEN_REQUEST_URL",
            fix="give the job `permissions: id-token: write`",
            code=ErrorCode.IDENTITY_TOKEN_MISSING,
        )

    def _require_no_session(self) -> None:
        """The credentials that a job has already come with a name and an end."""
        given = {"role-session-name": self.names_session, "role-duration": bool(self.duration)}
        name = next((name for name, is_given in given.items() if is_given), "")
        if name:
            raise UsageError(
                f"`{name}` has no effect: this job assumes no role through OIDC",
                where=f"input {name}",
                fix="give `role-to-assume`, or set it where the job's credentials come from",
            )
