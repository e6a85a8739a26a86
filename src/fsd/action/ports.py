"""What the Action needs of the rest of FSD. `fsd.action.deployer` and `fsd.cli.ci` give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fsd.app.deployment import DeployOptions
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.report.plans import PlanReport

# Of `rollback-to`: the last good release before the one that runs.
PREVIOUS = "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedManifest:
    """A manifest after validation."""

    service: str  # "" where the file does not say
    findings: tuple[Finding, ...]
    has_errors: bool


class Deployer(Protocol):
    """Each method raises FsdError where it ends before there is something to report."""

    def environments(self, file: Path) -> Mapping[str, Environment]:
        """Those of the environments file for a manifest; empty without one."""

    def validate(
        self, file: Path, *, environment: str | None, overrides: tuple[str, ...]
    ) -> CheckedManifest:
        """Offline. `environment` brings its overrides and variables."""

    def plan(self, options: DeployOptions, *, reporter: Reporter) -> PlanReport: ...

    def deploy(self, options: DeployOptions, *, reporter: Reporter) -> Result: ...

    def roll_back(
        self, options: DeployOptions, to_version: str, *, reporter: Reporter
    ) -> Result: ...


class CommentsPort(Protocol):
    """`fsd.github.comments.Comments`."""

    def find_pull_request(self, sha: str, *, branch: str) -> int | None: ...

    def publish(self, number: int, body: str, *, marker: str) -> str: ...
