"""Deploy a service, or roll it back, and tell the workflow how that ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fsd.action.announce import CommentingReporter, without_log_lines, without_output
from fsd.action.inputs import CommentLogs
from fsd.action.outputs import announce_error
from fsd.action.record import ended_by_error, ended_by_result
from fsd.action.remedies import error_in_workflow, result_in_workflow
from fsd.action.service_file import ServiceFile, invalid_manifest
from fsd.app.deployment import DeployOptions
from fsd.errors import FsdError
from fsd.github.runner import Level
from fsd.release.reporter import Hiding, Reporter
from fsd.release.result import Result
from fsd.report import markdown
from fsd.report.annotations import cause_annotation
from fsd.report.messages import message_text
from fsd.report.plain import PlainReporter
from fsd.report.render import terminal_result


def release(one: ServiceFile, env: str, act: Callable[[DeployOptions, Reporter], Result]) -> None:
    checked = one.check((env,))
    service = checked.service or one.file.stem
    if checked.has_errors:
        _end_error(one, invalid_manifest(one.file, checked), service=service, env=env)
        return
    try:
        with one.runner.group(f"{service} → {env}"), one.runner.foreign_text():
            reporter = CommentingReporter(
                inner=Hiding(inner=PlainReporter(one.runner.stream), hide=one.runner.secrets.hide),
                announcer=one.announcer,
                service=service,
                environment=env,
            )
            result = act(one.options(env), reporter)
    except FsdError as error:
        _end_error(one, error, service=service, env=env)
        return
    _end_result(one, result)


def _end_result(one: ServiceFile, result: Result) -> None:
    result = result_in_workflow(result)
    one.ended.append(ended_by_result(result, file=one.file))
    one.runner.write(terminal_result(result))
    if result.outcome.exit_code:
        _annotate_failure(one, result)
    one.announcer.summary(markdown.render_summary(result))
    body = markdown.render_comment(
        result if _shows_logs(one) else without_log_lines(result),
        run_url=one.context.run_url,
        updated_at=one.step.clock.now(),
    )
    url = one.announcer.comment(body, service=result.service, subject=result.environment)
    one.ended[-1] = replace(one.ended[-1], comment_url=url)


def _annotate_failure(one: ServiceFile, result: Result) -> None:
    head = f"{result.service} in {result.environment}: {result.outcome}"
    if result.diagnosis is None:
        one.runner.annotate(Level.ERROR, message_text(result.message) or head, title=head)
        return
    one.runner.annotate(Level.ERROR, cause_annotation(result.diagnosis.cause), title=head)


def _end_error(one: ServiceFile, error: FsdError, *, service: str, env: str) -> None:
    error = error_in_workflow(error)
    one.ended.append(ended_by_error(error, file=one.file, service=service, environment=env))
    announce_error(one.announcer, error, service=service, env=env)
    body = markdown.render_error_comment(
        error if _shows_logs(one) else without_output(error),
        service=service,
        environment=env,
        run_url=one.context.run_url,
        updated_at=one.step.clock.now(),
    )
    url = one.announcer.comment(body, service=service, subject=env)
    one.ended[-1] = replace(one.ended[-1], comment_url=url)


def _shows_logs(one: ServiceFile) -> bool:
    """In comments. The job's own log has them always."""
    wanted = one.inputs.comment_logs
    return wanted is CommentLogs.ALWAYS or (
        wanted is CommentLogs.AUTO and not one.context.is_public
    )
