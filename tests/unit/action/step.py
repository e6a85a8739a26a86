"""A step of a workflow over fakes: what is deployed, planned, commented and printed is kept."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fsd.action.inputs import Inputs
from fsd.action.ports import CheckedManifest
from fsd.action.run import run_step
from fsd.action.service_file import ActionStep, Tools
from fsd.app.deployment import DeployOptions
from fsd.errors import FsdError, Interrupted, RefusedError
from fsd.github.context import Checkout, Context
from fsd.github.runner import PREFIX, Runner
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding, Severity
from fsd.plan.steps import Plan
from fsd.release.notes import OutputLine
from fsd.release.reporter import Reporter
from fsd.release.result import PhaseName, PhaseState, Result
from fsd.report.plans import PlanReport
from tests.fakes.clock import FakeClock
from tests.unit.report.results import make_phase, make_result

PUSH = Context(
    event="push",
    repository="org/offers",
    ref="refs/heads/staging",
    branch="staging",
    sha="a" * 40,
    actor="amy",
    run_url="https://github.com/org/offers/actions/runs/42",
    server_url="https://github.com",
    api_url="https://api.github.com",
)


@dataclass
class FakeDeployer:
    """Each file ends as `will_end` says, else well."""

    ends: dict[str, Result | FsdError] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    known: dict[str, Environment] = field(default_factory=dict)
    plan_errors: dict[str, FsdError] = field(default_factory=dict)
    refusals: tuple[RefusedError, ...] = ()  # of every plan
    deployed: list[DeployOptions] = field(default_factory=list)
    planned: list[DeployOptions] = field(default_factory=list)
    rolled_back: list[tuple[DeployOptions, str]] = field(default_factory=list)
    lines: tuple[str, ...] = ()
    bug: Exception | None = None

    def environments(self, file: Path) -> Mapping[str, Environment]:
        del file
        return self.known

    def validate(
        self, file: Path, *, environment: str | None, overrides: tuple[str, ...]
    ) -> CheckedManifest:
        del environment, overrides
        has_errors = any(finding.severity is Severity.ERROR for finding in self.findings)
        return CheckedManifest(service=file.stem, findings=self.findings, has_errors=has_errors)

    def plan(self, options: DeployOptions, *, reporter: Reporter) -> PlanReport:
        del reporter
        self.planned.append(options)
        if options.environment in self.plan_errors:
            raise self.plan_errors[options.environment]
        plan = Plan(name="x", account="1", region="us-east-1", steps=())
        return PlanReport(
            service=options.file.stem,
            environment=options.environment,
            plan=plan,
            refusals=self.refusals,
        )

    def deploy(self, options: DeployOptions, *, reporter: Reporter) -> Result:
        self.deployed.append(options)
        return self._end(options, reporter)

    def roll_back(self, options: DeployOptions, to_version: str, *, reporter: Reporter) -> Result:
        self.rolled_back.append((options, to_version))
        return self._end(options, reporter)

    def _end(self, options: DeployOptions, reporter: Reporter) -> Result:
        if self.bug is not None:
            raise self.bug
        reporter.phase(make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None))
        for line in self.lines:
            reporter.note(OutputLine(text=line))
        end = self.ends.get(options.file.stem, make_result())
        if isinstance(end, FsdError):
            raise end
        return replace(end, service=options.file.stem, environment=options.environment)


@dataclass
class FakeComments:
    number: int | None = 7
    error: FsdError | None = None
    bodies: dict[str, list[str]] = field(default_factory=dict)
    searched: list[tuple[str, str]] = field(default_factory=list)
    tries: int = 0
    signal_on: str = ""  # a signal comes while a body with this is published

    def find_pull_request(self, sha: str, *, branch: str) -> int | None:
        self.searched.append((sha, branch))
        return self.number

    def publish(self, number: int, body: str, *, marker: str) -> str:
        self.tries += 1
        if self.error is not None:
            raise self.error
        if self.signal_on and self.signal_on in body:
            raise Interrupted("stopped by SIGTERM", where="x", fix="y")
        assert body.startswith(marker)
        self.bodies.setdefault(marker, []).append(body)
        return f"https://github.com/org/offers/pull/{number}#1"

    def last(self, marker: str) -> str:
        return self.bodies[marker][-1]


@dataclass
class Scene:
    """Everything around one step; `run` runs it."""

    folder: Path
    context: Context = PUSH
    deployer: FakeDeployer = field(default_factory=FakeDeployer)
    comments: FakeComments | None = field(default_factory=FakeComments)
    checkout: Checkout = field(default_factory=lambda: Checkout(head="a" * 40))
    checkouts: dict[str, Checkout] = field(default_factory=dict)  # others, by their folder
    read: list[Path] = field(default_factory=list)
    log: str = ""

    def run(self, **inputs: str) -> int:
        stream = io.StringIO()
        environ = {PREFIX + name.upper(): value for name, value in inputs.items()}
        environ |= {
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
        }
        step = ActionStep(
            runner=Runner(environ, stream=stream),
            context=self.context,
            connect=self._connect,
            read_checkout=self._read_checkout,
            clock=FakeClock(),
            root=self.folder,
            temp=self.folder / "temp",
        )
        try:
            return run_step(step)
        finally:
            self.log = stream.getvalue()

    def _read_checkout(self, folder: Path) -> Checkout:
        self.read.append(folder)
        return self.checkouts.get(folder.name, self.checkout)

    def _connect(self, inputs: Inputs) -> Tools:
        del inputs
        return Tools(deployer=self.deployer, comments=self.comments)

    @property
    def outputs(self) -> dict[str, str]:
        text = (self.folder / "output").read_text()
        found = re.finditer(r"^([\w-]+)<<(ghadelimiter_\S+)\n(.*)\n\2$", text, re.MULTILINE)
        return {match[1]: match[3] for match in found}

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    @property
    def record(self) -> Any:
        return json.loads(Path(self.outputs["summary"]).read_text())

    @property
    def annotations(self) -> list[str]:
        """Commands that count: those that are not between stop-commands and its token."""
        found, stop = [], ""
        for line in self.log.splitlines():
            if stop:
                stop = "" if line == f"::{stop}::" else stop
            elif line.startswith("::stop-commands::"):
                stop = line.removeprefix("::stop-commands::")
            elif re.match(r"::(error|warning|notice)", line):
                found.append(line)
        return found
