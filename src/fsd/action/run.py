"""One step of a workflow, start to end: read, decide, do it, and say how it ended.

Several services are done one after another; one that fails does not stop the next. The exit code
and the outputs are those of the first that failed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from fsd.action.announce import Announcer
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
from fsd.action.inputs import Inputs, find_service_files, read_inputs
from fsd.action.outputs import announce_error, write_outputs, write_summary
from fsd.action.ports import Deployer
from fsd.action.proposal import plan, skip, validate
from fsd.action.record import EndedRun, deciding_run, ended_by_error
from fsd.action.release import release
from fsd.action.remedies import error_in_workflow
from fsd.action.secrets import argument_values, secret_values
from fsd.action.service_file import ActionStep, ServiceFile
from fsd.errors import ErrorCode, ExitCode, FsdError, RefusedError
from fsd.github.context import Context
from fsd.github.runner import Level, Runner
from fsd.release.result import Outcome
from fsd.report.decisions import (
    deploy_text,
    doubt_text,
    no_deployment_text,
    no_plan_text,
    plan_text,
    refusal_fix,
    refusal_text,
    refused_text,
    roll_back_text,
    skip_text,
    validate_text,
)


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
            inputs=inputs,
            deployer=tools.deployer,
            announcer=announcer,
            ended=ended,
        ).run()
    except FsdError as raised:
        error = error_in_workflow(raised)
        ended.append(ended_by_error(error))
        announce_error(announcer, error)
    finally:
        # After a bug too: what was deployed before it was deployed.
        records = ended or [EndedRun(outcome="failed", exit_code=int(ExitCode.BUG))]
        write_summary(announcer, records)
        write_outputs(step, announcer, records)
    return deciding_run(records).exit_code


def _hide_secrets(step: ActionStep, inputs: Inputs) -> None:
    """Before anything else is said."""
    for value in secret_values(inputs.build_secrets, step.runner.variable):
        step.runner.mask(value)
    step.runner.hide(argument_values(inputs.build_args, step.context))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ActionRun:
    step: ActionStep
    inputs: Inputs
    deployer: Deployer
    announcer: Announcer
    ended: list[EndedRun]

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
        context = self.announcer.context = self._with_checkout(file)
        environments = self.deployer.environments(file)
        decision = decide(context, self.inputs, environments)
        self.runner.write(f"{file}: {_decision_text(decision)}")
        if isinstance(decision, Deploy | RollBack | PlanOnly):
            for doubt in doubts(context, environments, decision):
                self.runner.annotate(
                    Level.WARNING, f"{file}: {doubt_text(doubt)}", title="fsd: other-commit"
                )
        self._carry_out(decision, self._service_file(file, context))

    def _carry_out(self, decision: Decision, one: ServiceFile) -> None:
        match decision:
            case Deploy(environment=env):
                release(one, env, lambda options, to: self.deployer.deploy(options, reporter=to))
            case RollBack(environment=env, to_version=version):
                release(
                    one,
                    env,
                    lambda options, to: self.deployer.roll_back(options, version, reporter=to),
                )
            case PlanOnly(environments=names, reason=reason):
                if reason:
                    self.runner.annotate(Level.NOTICE, f"{one.file}: {no_plan_text(reason)}")
                plan(one, names)
            case ValidateOnly(reason=reason):
                validate(one, no_deployment_text(reason))
            case Skip(reason=reason, is_surprising=is_surprising):
                level = Level.WARNING if is_surprising else Level.NOTICE
                skip(one, no_deployment_text(reason), level)
            case Refuse(reason=refusal):
                raise RefusedError(
                    refusal_text(refusal),
                    where=one.context.event,
                    fix=refusal_fix(refusal),
                    code=ErrorCode.EVENT_REFUSED,
                )
            case _:
                assert_never(decision)

    def _service_file(self, file: Path, context: Context) -> ServiceFile:
        return ServiceFile(
            file=file,
            step=self.step,
            context=context,
            inputs=self.inputs,
            deployer=self.deployer,
            announcer=self.announcer,
            ended=self.ended,
        )

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


def _decision_text(decision: Decision) -> str:
    match decision:
        case Deploy(environment=env):
            return deploy_text(env)
        case RollBack(environment=env, to_version=version):
            return roll_back_text(env, version)
        case PlanOnly(environments=names):
            return plan_text(names)
        case ValidateOnly(reason=reason):
            return validate_text(reason)
        case Skip(reason=reason):
            return skip_text(reason)
        case Refuse(reason=refusal):
            return refused_text(refusal)
