"""What the Action needs of the rest of FSD. `fsd.cli.ci` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding
from fsd.release.deploy import OnCancel
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.release.turn import InFlight
from fsd.report.plans import Planned

# Of `rollback-to`: the last good release before the one that runs.
PREVIOUS = "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """One service into one environment. Empty means: as `fsd deploy` does without the option."""

    file: Path
    environment: str
    role_to_assume: str = ""
    region: str = ""
    image: str = ""
    context: Path | None = None
    dockerfile: Path | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    build_secrets: tuple[str, ...] = ()
    cache: bool = True
    overrides: tuple[str, ...] = ()
    version: str = ""
    timeout: timedelta | None = None
    in_flight: InFlight = InFlight.WAIT
    on_cancel: OnCancel = OnCancel.LEAVE
    allow_older: bool = False
    allow_interruption: bool = False
    rollback: bool = True
    require_promotion_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
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
    ) -> Checked:
        """Offline. `environment` brings its overrides and variables."""

    def plan(self, request: DeployRequest, *, reporter: Reporter) -> Planned: ...

    def deploy(self, request: DeployRequest, *, reporter: Reporter) -> Result: ...

    def roll_back(
        self, request: DeployRequest, to_version: str, *, reporter: Reporter
    ) -> Result: ...


class CommentsPort(Protocol):
    """`fsd.github.comments.Comments`."""

    def find_pull_request(self, sha: str, *, branch: str) -> int | None: ...

    def publish(self, number: int, body: str, *, marker: str) -> str: ...
