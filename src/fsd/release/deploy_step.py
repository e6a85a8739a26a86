"""The steps `beforeDeploy` and `afterDeploy` of a release, each a task that runs once."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.compile.desired import BEFORE_TAG, Desired
from fsd.compile.service import network_configuration
from fsd.errors import CallFailedError, ErrorCode
from fsd.plan.steps import RunOneOff
from fsd.quoted import Quoted
from fsd.release.apply_step import Applied
from fsd.release.evidence import diagnose
from fsd.release.notes import OneOffFailedAfter, OutputLine, StepLog
from fsd.release.one_off import OneOffEnd, OneOffRunner
from fsd.release.ports import Aws, Clock
from fsd.release.reporter import Reporter
from fsd.rollout.cause import Diagnosis
from fsd.snapshot import Snapshot


class StepFailedError(CallFailedError):
    """A step of the release did not end with exit code 0."""

    default_code = ErrorCode.DEPLOY_STEP_FAILED

    def __init__(self, what: str, *, where: str, fix: str, diagnosis: Diagnosis) -> None:
        super().__init__(what, where=where, fix=fix)
        self.diagnosis = diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployStepTools:
    """With what a step is run and followed."""

    aws: Aws
    clock: Clock
    reporter: Reporter
    speed: float


def run_deploy_step(
    step: RunOneOff, applied: Applied, tools: DeployStepTools, *, desired: Desired
) -> OneOffFailedAfter | None:
    """Its output is noted line by line. A failure after the verdict is a note: what the
    step was to do can be done again. One before it raises StepFailedError, with cause and log."""
    aws, arn = tools.aws, applied.task_definition_arn
    ended = _runner(step, applied, tools, desired=desired).run(
        step.one_off, task_definition_arn=arn, started_by=f"fsd/{step.key}"
    )
    if not ended.is_good:
        failed = _failure(step, ended, aws)
        if not step.is_after:
            raise failed
        return OneOffFailedAfter(error=Quoted(text=failed.what), fix=failed.fix)
    if not step.is_after:
        aws.ecs.tag_task_definition(arn, tags={BEFORE_TAG: ended.task.id})
    return None


def _runner(
    step: RunOneOff, applied: Applied, tools: DeployStepTools, *, desired: Desired
) -> OneOffRunner:
    """Where the service's own tasks run. Raises CallFailedError where the stack lacks an output."""
    return OneOffRunner(
        aws=tools.aws,
        clock=tools.clock,
        cluster=desired.service.cluster,
        container=desired.service.container,
        network=network_configuration(desired, applied.outputs),
        logs=tools.aws.ecs.log_routes(applied.task_definition_arn),
        on_line=lambda line: tools.reporter.note(OutputLine(source=step.key, text=line)),
        on_remark=lambda remark: tools.reporter.note(StepLog(step=step.key, remark=remark)),
        speed=tools.speed,
    )


def _failure(step: RunOneOff, ended: OneOffEnd, aws: Aws) -> StepFailedError:
    task = ended.task
    diagnosis = diagnose(
        aws,
        Snapshot(service=None, deployment=None, stopped=(task,)),
        task_definition_arn=task.task_definition_arn,
        reason=task.stopped_reason,
    )
    if ended.is_timed_out:
        what = f"`{step.key}` had not ended after {step.one_off.timeout} s"
        fix = f"make `{' '.join(step.one_off.command)}` faster, or raise `{step.key}.timeout`"
    else:
        code = ended.exit_code
        said = "without starting" if code is None else f"with exit code {code}"
        what = f"`{step.key}` ended {said}"
        fix = f"make `{' '.join(step.one_off.command)}` end with exit code 0, and deploy again"
    where = f"{step.key} · task {task.id}"
    return StepFailedError(what, where=where, fix=fix, diagnosis=diagnosis)
