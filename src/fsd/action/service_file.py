"""One Service YAML in a step of a workflow, and what the inputs say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsd.action.announce import Announcer
from fsd.action.inputs import Inputs
from fsd.action.ports import CheckedManifest, CommentsPort, Deployer
from fsd.action.record import EndedRun
from fsd.action.remedies import finding_in_workflow
from fsd.app.deployment import DeployOptions
from fsd.errors import ManifestError
from fsd.github.context import Checkout, Context
from fsd.github.runner import Runner
from fsd.manifest.finding import Finding, order
from fsd.release.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the inputs decide how to build. Without a token there is nobody to comment."""

    deployer: Deployer
    comments: CommentsPort | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep:
    """Where a step runs."""

    runner: Runner
    context: Context
    connect: Callable[[Inputs], Tools]
    read_checkout: Callable[[Path], Checkout]  # of a folder
    clock: Clock
    root: Path  # the checkout
    temp: Path  # outlives the step, and not the job


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFile:
    """What deploying, planning and validating it have in common."""

    file: Path
    step: ActionStep
    context: Context  # with what is checked out where the file is
    inputs: Inputs
    deployer: Deployer
    announcer: Announcer
    ended: list[EndedRun]

    @property
    def runner(self) -> Runner:
        return self.step.runner

    def options(self, env: str) -> DeployOptions:
        inputs = self.inputs
        return DeployOptions(
            file=self.file,
            environment=env,
            region=inputs.aws_region or None,
            image=inputs.image or None,
            context=inputs.context,
            dockerfile=inputs.dockerfile,
            build_args=dict(inputs.build_args),
            build_secrets=inputs.build_secrets,
            cache=inputs.cache,
            overrides=inputs.all_overrides,
            version=inputs.version or None,
            timeout=inputs.timeout,
            in_flight=inputs.in_flight,
            supersede_older=True,
            on_cancel=inputs.on_cancel,
            adopt=inputs.adopt,
            allow_older=inputs.allow_older,
            allow_interruption=inputs.allow_interruption,
            allow_replacement=inputs.allow_replacement,
            rollback=inputs.rollback,
            require_promotion_from=inputs.require_promotion_from,
        )

    def check(self, names: tuple[str, ...]) -> CheckedManifest:
        """Validated for each environment; what is wrong in all of them is said once."""
        checks = [
            self.deployer.validate(self.file, environment=name, overrides=self.inputs.all_overrides)
            for name in names or (None,)
        ]
        found: dict[Finding, None] = dict.fromkeys(
            finding_in_workflow(f) for check in checks for f in check.findings
        )
        findings = tuple(sorted(found, key=order))
        self.announcer.findings(findings)
        return CheckedManifest(
            service=next((check.service for check in checks if check.service), ""),
            findings=findings,
            has_errors=any(check.has_errors for check in checks),
        )


def invalid_manifest(file: Path, checked: CheckedManifest) -> ManifestError:
    errors = [finding for finding in checked.findings if finding.severity == "error"]
    count = f"{len(errors)} error" + ("" if len(errors) == 1 else "s")
    said = "\n".join(f"error[{f.id}]: {f.message}\n  --> {f.where}\n  fix: {f.fix}" for f in errors)
    return ManifestError(
        f"{file} has {count}:\n{said}", where=str(file), fix="correct the errors listed above"
    )
