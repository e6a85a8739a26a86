"""One step of a workflow, start to end: read, decide, do it, and say how it ended.

Several services are done one after another; one that fails does not stop the next. The exit code
and the outputs are those of the first that failed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from fsd.action.announce import Announcer, CommentingReporter, without_log_lines, without_output
from fsd.action.decide import (
    Decision,
    Deploy,
    PlanOnly,
    Refuse,
    RollBack,
    Skip,
    ValidateOnly,
    decide,
    doubts,
)
from fsd.action.inputs import CommentLogs, Inputs, find_service_files, read_inputs
from fsd.action.ports import CheckedManifest, CommentsPort, Deployer
from fsd.action.record import (
    EndedRun,
    deciding_run,
    ended_by_error,
    ended_by_result,
    outputs_of,
    record_json,
)
from fsd.action.remedies import error_in_workflow, finding_in_workflow, result_in_workflow
from fsd.action.secrets import argument_values, secret_values
from fsd.app.deployment import DeployOptions
from fsd.errors import CallFailedError, ErrorCode, ExitCode, FsdError, ManifestError, RefusedError
from fsd.github.context import Checkout, Context
from fsd.github.runner import Level, Runner
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding, order
from fsd.release.ports import Clock
from fsd.release.reporter import Hiding, Reporter, Silent
from fsd.release.result import Outcome, Result
from fsd.report import markdown
from fsd.report.github_text import escape
from fsd.report.messages import message_text
from fsd.report.plain import PlainReporter
from fsd.report.plan_markdown import Proposal, render_plan_comment
from fsd.report.plans import PlanReport, plan_text
from fsd.report.render import terminal_result

_FINE = frozenset(
    {
        Outcome.SUCCEEDED,
        Outcome.NOT_STARTED,
        Outcome.UNCHANGED,
        Outcome.STARTED,
        Outcome.PLANNED,
        Outcome.SKIPPED,
    }
)


# Their plans are for the environments that the base branch deploys to.
_MERGES = frozenset({"pull_request", "merge_group"})


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


def run_step(step: ActionStep) -> int:
    """Do what the workflow asks for; returns the exit code. Only bugs are raised."""
    ended: list[EndedRun] = []
    announcer = Announcer(runner=step.runner, context=step.context, comments=None, clock=step.clock)
    try:
        inputs = read_inputs(step.runner)
        _hide_secrets(step, inputs)
        tools = step.connect(inputs)
        announcer.comments = tools.comments if inputs.comment else None
        _ActionRun(
            step=step,
            context=step.context,
            inputs=inputs,
            deployer=tools.deployer,
            announcer=announcer,
            ended=ended,
        ).run()
    except FsdError as raised:
        error = error_in_workflow(raised)
        ended.append(ended_by_error(error))
        _announce_error(announcer, error)
    finally:
        # After a bug too: what was deployed before it was deployed.
        records = ended or [EndedRun(outcome="failed", exit_code=int(ExitCode.BUG))]
        _write_summary(announcer, records)
        _write_outputs(step, announcer, records)
    return deciding_run(records).exit_code


def _hide_secrets(step: ActionStep, inputs: Inputs) -> None:
    """Before anything else is said."""
    for value in secret_values(inputs.build_secrets, step.runner.variable):
        step.runner.mask(value)
    step.runner.hide(argument_values(inputs.build_args, step.context))


def _write_summary(announcer: Announcer, ended: Sequence[EndedRun]) -> None:
    """Of several services: one table, and what each has to say below it."""
    texts = announcer.take_summaries()
    if texts:
        parts = [_summary_part(one, text) for one, text in zip(ended, texts, strict=False)]
        announcer.summary(markdown.render_job_summary(parts))


def _summary_part(ended: EndedRun, text: str) -> markdown.SummaryPart:
    return markdown.SummaryPart(
        service=ended.service or (ended.file.as_posix() if ended.file else "fsd"),
        environment=ended.environment,
        outcome=ended.outcome,
        has_failed=bool(ended.exit_code),
        body=text,
    )


def _write_outputs(step: ActionStep, announcer: Announcer, ended: Sequence[EndedRun]) -> None:
    values = outputs_of(ended)
    try:
        values["summary"] = _write_json(step.temp, step.runner.secrets.hide_in(record_json(ended)))
    except OSError as error:
        step.runner.annotate(Level.WARNING, f"the summary's JSON could not be written: {error}")

    def write() -> None:
        for name, value in values.items():
            step.runner.output(name, value)

    announcer.guard(write)


def _write_json(folder: Path, record: object) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=folder, prefix="fsd-", suffix=".json", delete=False
    ) as file:
        json.dump(record, file, indent=2)
    return file.name


def _announce_error(
    announcer: Announcer, error: FsdError, *, service: str = "", env: str = ""
) -> None:
    announcer.runner.write(str(error))
    announcer.error(error)
    announcer.summary(markdown.render_error_summary(error, service=service, environment=env))


@dataclass(slots=True, kw_only=True)
class _ActionRun:
    step: ActionStep
    context: Context  # with what is checked out where the Service YAML of the moment is
    inputs: Inputs
    deployer: Deployer
    announcer: Announcer
    ended: list[EndedRun]
    environments: Mapping[str, Environment] = field(default_factory=dict)

    @property
    def runner(self) -> Runner:
        return self.step.runner

    def run(self) -> None:
        files = list(find_service_files(self.inputs.service_file, self.step.root))
        if len(files) > 1:
            self.announcer.gather_summaries()
        while files:
            self._run_file(files.pop(0))
            if self.ended[-1].outcome == Outcome.INTERRUPTED:
                return
            # A signal while the last was told about changes nothing any more.
            if self.announcer.interrupted is not None and files:
                raise self.announcer.interrupted

    def _run_file(self, file: Path) -> None:
        self.context = self.announcer.context = self._with_checkout(file)
        self.environments = self.deployer.environments(file)
        decision = decide(self.context, self.inputs, self.environments)
        self.runner.write(_decision_text(file, decision))
        if isinstance(decision, Deploy | RollBack | PlanOnly):
            for doubt in doubts(self.context, self.environments, decision):
                self.runner.annotate(Level.WARNING, f"{file}: {doubt}", title="fsd: other-commit")
        match decision:
            case Deploy(environment=env):
                self._release(file, env, self._deploy)
            case RollBack(environment=env, to_version=version):
                self._release(
                    file,
                    env,
                    lambda options, reporter: self.deployer.roll_back(
                        options, version, reporter=reporter
                    ),
                )
            case PlanOnly(environments=names, reason=reason):
                if reason:
                    self.runner.annotate(Level.NOTICE, f"{file}: no plan; {reason}")
                self._plan(file, names)
            case ValidateOnly(reason=reason):
                self._validate(file, reason)
            case Skip(reason=reason, is_surprising=is_surprising):
                self._skip(file, reason, Level.WARNING if is_surprising else Level.NOTICE)
            case Refuse(reason=reason, fix=fix):
                raise RefusedError(
                    reason, where=self.context.event, fix=fix, code=ErrorCode.EVENT_REFUSED
                )
            case _:
                assert_never(decision)

    def _with_checkout(self, file: Path) -> Context:
        """What is released comes from the Service YAML, the environments file and the folder that
        is built, and a second checkout may hold another's code: of several the one that is not as
        named. A link counts as what it leads to."""
        root, inputs = self.step.root, self.inputs
        files = [file, inputs.environments_file]
        files += [] if inputs.image else [inputs.dockerfile]
        folders = [(root / each).resolve().parent for each in files if each]
        if inputs.context and not inputs.image:
            folders.append((root / inputs.context).resolve())
        context = self.step.context
        for folder in dict.fromkeys(folders):
            context = replace(context, checkout=self.step.read_checkout(folder))
            if not context.is_as_named:
                return context
        return context

    # --- a release -------------------------------------------------------------------------

    def _deploy(self, options: DeployOptions, reporter: Reporter) -> Result:
        return self.deployer.deploy(options, reporter=reporter)

    def _release(
        self, file: Path, env: str, act: Callable[[DeployOptions, Reporter], Result]
    ) -> None:
        checked = self._check(file, (env,))
        service = checked.service or file.stem
        if checked.has_errors:
            self._end_error(_invalid(file, checked), file=file, service=service, env=env)
            return
        try:
            with self.runner.group(f"{service} → {env}"), self.runner.foreign_text():
                reporter = CommentingReporter(
                    inner=Hiding(
                        inner=PlainReporter(self.runner.stream), hide=self.runner.secrets.hide
                    ),
                    announcer=self.announcer,
                    service=service,
                    environment=env,
                )
                result = act(self._options(file, env), reporter)
        except FsdError as error:
            self._end_error(error, file=file, service=service, env=env)
            return
        self._end_result(result, file=file)

    def _end_result(self, result: Result, *, file: Path) -> None:
        result = result_in_workflow(result)
        self.ended.append(ended_by_result(result, file=file))
        self.runner.write(terminal_result(result))
        if result.outcome not in _FINE:
            self._annotate_failure(result)
        self.announcer.summary(markdown.render_summary(result))
        body = markdown.render_comment(
            result if self._shows_logs else without_log_lines(result),
            run_url=self.context.run_url,
            updated_at=self.step.clock.now(),
        )
        url = self.announcer.comment(body, service=result.service, subject=result.environment)
        self.ended[-1] = replace(self.ended[-1], comment_url=url)

    def _annotate_failure(self, result: Result) -> None:
        head = f"{result.service} on {result.environment}: {result.outcome}"
        if result.diagnosis is None:
            self.runner.annotate(Level.ERROR, message_text(result.message) or head, title=head)
            return
        cause = result.diagnosis.cause
        said = [f"{each.source} says: {each.text}" for each in cause.evidence]
        lines = [f"{cause.code}: {cause.summary}", cause.where, *said, f"fix: {cause.advice}"]
        self.runner.annotate(Level.ERROR, "\n".join(lines), title=head)

    def _end_error(self, error: FsdError, *, file: Path, service: str, env: str) -> None:
        error = error_in_workflow(error)
        self.ended.append(ended_by_error(error, file=file, service=service, environment=env))
        _announce_error(self.announcer, error, service=service, env=env)
        body = markdown.render_error_comment(
            error if self._shows_logs else without_output(error),
            service=service,
            environment=env,
            run_url=self.context.run_url,
            updated_at=self.step.clock.now(),
        )
        url = self.announcer.comment(body, service=service, subject=env)
        self.ended[-1] = replace(self.ended[-1], comment_url=url)

    @property
    def _shows_logs(self) -> bool:
        """In comments. The job's own log has them always."""
        wanted = self.inputs.comment_logs
        return wanted is CommentLogs.ALWAYS or (
            wanted is CommentLogs.AUTO and not self.context.is_public
        )

    def _options(self, file: Path, env: str) -> DeployOptions:
        inputs = self.inputs
        return DeployOptions(
            file=file,
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

    # --- no release ------------------------------------------------------------------------

    def _plan(self, file: Path, names: tuple[str, ...]) -> None:
        checked = self._check(file, names)
        service = checked.service or file.stem
        error: FsdError | None = _invalid(file, checked) if checked.has_errors else None
        plans: list[PlanReport] = []
        unavailable: dict[str, str] = {}
        for env in names if error is None else ():
            try:
                plans.append(self.deployer.plan(self._options(file, env), reporter=Silent()))
            except FsdError as raised:
                caught = error_in_workflow(raised)
                unavailable[env] = caught.what
                is_fine = self._may_be_unplanned(caught)
                error = error if is_fine else error or caught
                self.announcer.error(caught, level=Level.WARNING if is_fine else Level.ERROR)
        for planned in plans:
            self.runner.write(plan_text(planned))
        missing = "; ".join(f"no plan for {env}: {why}" for env, why in unavailable.items())
        record = EndedRun(outcome=str(Outcome.PLANNED), exit_code=0, reason=missing)
        if error is not None:
            self.runner.write(str(error))
            record = ended_by_error(error)
        self.ended.append(
            replace(
                record, file=file, service=service, environment=",".join(names), plans=tuple(plans)
            )
        )
        self._announce_plan(service, plans, checked=checked, unavailable=unavailable)

    def _may_be_unplanned(self, error: FsdError) -> bool:
        """Before a merge a plan is a courtesy: who may not look at an account, or finds it down,
        has no reason to hold the pull request up. A `dry-run` was asked for."""
        is_asked_for = self.context.event not in _MERGES
        return isinstance(error, CallFailedError | RefusedError) and not is_asked_for

    def _announce_plan(
        self,
        service: str,
        plans: Sequence[PlanReport],
        *,
        checked: CheckedManifest,
        unavailable: Mapping[str, str],
    ) -> None:
        # A job for each environment has its own comment: one's plan must not replace another's.
        subject = f"plan:{self.inputs.environment}" if self.inputs.environment else "plan"
        body = render_plan_comment(
            Proposal(
                service=service,
                plans=tuple(plans),
                unavailable=unavailable,
                findings=checked.findings,
                is_merge=self.context.event in _MERGES and not self.inputs.environment,
            ),
            subject=subject,
            run_url=self.context.run_url,
            updated_at=self.step.clock.now(),
            blob_url=self.context.blob_url,
        )
        self.announcer.summary(body)
        if self.context.pull_request is None:
            return
        url = self.announcer.comment(body, service=service, subject=subject)
        self.ended[-1] = replace(self.ended[-1], comment_url=url)

    def _validate(self, file: Path, reason: str) -> None:
        """No credentials, no comment: a mistake in the manifest still fails."""
        checked = self._check(file, (self.inputs.environment,) if self.inputs.environment else ())
        self.announcer.comments = None
        service = checked.service or file.stem
        record = EndedRun(outcome=str(Outcome.SKIPPED), exit_code=0, reason=reason)
        if checked.has_errors:
            record = ended_by_error(_invalid(file, checked))
        self.ended.append(replace(record, file=file, service=service, reason=reason))
        self.runner.annotate(Level.NOTICE, f"{file}: validated only; {reason}")
        body = render_plan_comment(
            Proposal(service=service, findings=checked.findings),
            run_url=self.context.run_url,
            updated_at=self.step.clock.now(),
            blob_url=self.context.blob_url,
        )
        self.announcer.summary(f"{body}\n\n{escape(reason)}.")

    def _skip(self, file: Path, reason: str, level: Level) -> None:
        self.ended.append(
            EndedRun(outcome=str(Outcome.SKIPPED), exit_code=0, file=file, reason=reason)
        )
        self.runner.annotate(level, f"{file}: nothing to do; {reason}")
        self.announcer.summary(f"### ⏭️ {escape(str(file))}\n\n{escape(reason)}.")

    def _check(self, file: Path, names: tuple[str, ...]) -> CheckedManifest:
        """Validated for each environment; what is wrong in all of them is said once."""
        checks = [
            self.deployer.validate(file, environment=name, overrides=self.inputs.all_overrides)
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


def _invalid(file: Path, checked: CheckedManifest) -> ManifestError:
    errors = [finding for finding in checked.findings if finding.severity == "error"]
    count = f"{len(errors)} error" + ("" if len(errors) == 1 else "s")
    said = "\n".join(f"error[{f.id}]: {f.message}\n  --> {f.where}\n  fix: {f.fix}" for f in errors)
    return ManifestError(
        f"{file} has {count}:\n{said}", where=str(file), fix="correct what is listed"
    )


def _decision_text(file: Path, decision: Decision) -> str:
    match decision:
        case Deploy(environment=env):
            return f"{file}: deploy to {env}"
        case RollBack(environment=env, to_version=version):
            return f"{file}: roll {env} back to {version}"
        case PlanOnly(environments=names):
            return f"{file}: plan for {', '.join(names) or 'no environment'}"
        case ValidateOnly(reason=reason):
            return f"{file}: validate only: {reason}"
        case Skip(reason=reason):
            return f"{file}: nothing to do: {reason}"
        case Refuse(reason=reason):
            return f"{file}: refused: {reason}"
