"""Results as JSON, for programs. Written by hand: a field is here because it is promised.

`schema` names the version; a field is added without a new one, never removed or given another
meaning. Times are ISO 8601 in UTC; a time or a thing that is not known is null, a text is "".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias

from fsd.change import Change
from fsd.release.diagnose_service import Examination
from fsd.release.existing_service import manifest_name
from fsd.release.history import Row
from fsd.release.overview import Overview
from fsd.release.result import Phase, ReleaseInfo, Result
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.report.changes import change_json
from fsd.report.condition import served_text
from fsd.report.condition_facts import condition_note_text, unknown_text
from fsd.report.follow_ups import follow_up_texts
from fsd.report.history import reason_text
from fsd.report.job_runs import run_text
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.report.phases import phase_text
from fsd.report.words import log_texts
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.diagnose import group_name
from fsd.rollout.service_facts import GroupLook
from fsd.snapshot import ServiceDeployment, TargetHealth, TaskState

Json: TypeAlias = dict[str, object]


def result_json(result: Result) -> Json:
    """`fsd/result/v1`: what deploy, rollback, scale and restart did."""
    return {
        "schema": "fsd/result/v1",
        "outcome": str(result.outcome),
        "exitCode": int(result.outcome.exit_code),
        "action": result.action,
        "service": result.service,
        "environment": result.environment,
        "account": result.account,
        "region": result.region,
        "startedAt": _time(result.started_at),
        "finishedAt": _time(result.finished_at),
        "durationSeconds": round(result.duration.total_seconds(), 3),
        "release": _optional_release(result.release),
        "previous": _optional_release(result.previous),
        "running": _optional_release(result.running),
        "schedule": result.schedule or None,
        "nextRun": result.next_run.isoformat() if result.next_run else None,
        "runningCount": result.running_count,
        "desiredCount": result.desired_count,
        "healthyCount": result.healthy_count,
        "image": result.image,
        "deploymentArn": result.deployment_arn,
        "url": result.url,
        "logGroup": result.log_group,
        "owners": list(result.owners),
        "phases": [_phase(phase) for phase in result.phases],
        "changes": _changes(result.changes),
        "diagnosis": diagnosis_json(result.diagnosis) if result.diagnosis else None,
        "message": message_text(result.message),
        "nextSteps": list(follow_up_texts(result.next_steps)),
        "notes": list(note_texts(result.notes)),
    }


def release_json(release: ReleaseInfo) -> Json:
    """One entry of the ledger."""
    return {
        "version": release.version,
        "commit": release.commit,
        "revision": release.revision,
        "taskDefinitionArn": release.task_definition_arn,
        "digest": release.digest,
        "cpu": release.cpu,
        "memory": release.memory,
        "at": _time(release.at),
        "run": release.run,
        "forced": release.forced,
        "promotedFrom": [
            {
                "environment": stage.environment,
                "revision": stage.revision,
                "at": _time(stage.at),
                "run": stage.run,
            }
            for stage in release.promoted_from
        ],
        "outcome": release.outcome,
    }


def row_json(row: Row) -> Json:
    """The release that a row of the history is about; `at`, `run` and `outcome` are the row's."""
    return {
        **release_json(row.release),
        "action": row.action,
        "reason": reason_text(row),
        "runs": row.runs,
    }


def overview_json(overview: Overview) -> Json:
    """`fsd/overview/v1`: what runs in an environment."""
    return {
        "schema": "fsd/overview/v1",
        "environment": overview.environment,
        "cluster": overview.cluster,
        "services": [
            {
                "name": manifest_name(service),
                "serviceName": service.name,
                "arn": service.arn,
                "status": service.status,
                "taskDefinitionArn": service.task_definition_arn,
                "desired": service.desired,
                "running": service.running,
                "pending": service.pending,
                "rolloutState": service.primary.rollout_state if service.primary else None,
            }
            for service in overview.services
        ],
        "jobs": [
            {
                "name": job.service,
                "schedule": job.schedule,
                "nextRun": job.next_run.isoformat() if job.next_run else None,
                "taskDefinitionArn": job.release.task_definition_arn if job.release else None,
                "running": len(job.running_tasks),
                "lastRun": run_text(job.runs[0]) if job.runs else None,
                "lastRunSucceeded": job.runs[0].is_good if job.runs else None,
            }
            for job in overview.jobs
        ],
        "unknown": [reason.text for reason in overview.unknown],
    }


def status_json(examination: Examination) -> Json:
    """`fsd/status/v1`: what runs. A count that ECS does not say is null."""
    look, condition = examination.look, examination.condition
    rollout = condition.rollout
    return {
        "schema": "fsd/status/v1",
        "environment": examination.environment,
        "service": _service(examination),
        "running": _optional_release(examination.running),
        "deployment": _deployment(rollout.deployment) if rollout and rollout.deployment else None,
        "tasks": [_task(task) for task in look.tasks],
        "targets": [
            _target(target, group) for group in look.groups for target in group.targets or ()
        ],
        "url": examination.url,
        **_condition(examination),
    }


def examination_json(examination: Examination) -> Json:
    """`fsd/diagnosis/v1`: what is wrong now; `lastRollout` has its own causes."""
    diagnosis, condition = examination.diagnosis, examination.condition
    of_now = diagnosis if condition.causes else None
    of_rollout = None if condition.causes else diagnosis
    causes = [_cause(cause) for cause in condition.causes]
    return {
        "schema": "fsd/diagnosis/v1",
        "environment": examination.environment,
        "service": _service(examination),
        **_details(of_now),
        "causes": causes,
        **_condition(examination),
        "lastRollout": _last_rollout(examination, of_rollout),
    }


def _details(diagnosis: Diagnosis | None) -> Json:
    if diagnosis is None:
        return {"causes": [], "changedSince": "", "changes": [], "logLines": [], "logTask": ""}
    return diagnosis_json(diagnosis)


def _condition(examination: Examination) -> Json:
    condition = examination.condition
    return {
        "healthy": condition.is_healthy,
        "wrong": [{"code": c.code, "summary": summary_text(c.summary)} for c in condition.causes],
        "unknown": [unknown_text(each) for each in condition.unknown],
        "notes": [condition_note_text(note) for note in condition.notes],
        "served": served_text(condition, examination.releases),
        "lastRollout": _last_rollout(examination, None),
    }


def _last_rollout(examination: Examination, diagnosis: Diagnosis | None) -> Json | None:
    rollout = examination.condition.rollout
    if rollout is None:
        return None
    return {
        "taskDefinitionArn": rollout.task_definition_arn,
        "state": str(rollout.state),
        "beganAt": _time(rollout.began_at),
        "endedAt": _time(rollout.ended_at),
        "reason": rollout.reason,
        **_details(diagnosis),
        "causes": [_cause(cause) for cause in examination.condition.rollout_causes],
    }


def _service(examination: Examination) -> Json:
    service = examination.look.service
    serving = examination.condition.serving
    return {
        "name": examination.service,
        "serviceName": service.name,
        "arn": service.arn,
        "cluster": service.cluster,
        "status": service.status,
        "desired": serving.desired,
        "running": serving.running,
        "pending": service.pending,
        "launchType": service.launch_type,
        "schedulingStrategy": service.scheduling,
        "deploymentController": service.controller,
    }


def _task(task: TaskState) -> Json:
    return {
        "id": task.id,
        "taskDefinitionArn": task.task_definition_arn,
        "lastStatus": task.last_status,
        "health": task.health,
        "address": task.address,
        "startedAt": _time(task.started_at),
    }


def _target(target: TargetHealth, group: GroupLook) -> Json:
    return {
        "targetGroup": " and ".join(map(group_name, group.arns)),
        "address": target.address,
        "port": target.port,
        "state": target.state,
        "reason": target.reason,
        "description": target.description,
    }


def _deployment(deployment: ServiceDeployment) -> Json:
    return {
        "arn": deployment.arn,
        "status": str(deployment.status),
        "statusReason": deployment.status_reason,
        "rollbackReason": deployment.rollback_reason,
        "taskDefinitionArn": deployment.task_definition_arn,
        "createdAt": _time(deployment.created_at),
        "finishedAt": _time(deployment.finished_at),
        "failedTasks": deployment.failure_count,
        "failureThreshold": deployment.failure_threshold,
    }


def _phase(phase: Phase) -> Json:
    return {
        "name": str(phase.name),
        "state": str(phase.state),
        "text": phase_text(phase),
        "startedAt": _time(phase.started_at),
        "finishedAt": _time(phase.finished_at),
    }


def diagnosis_json(diagnosis: Diagnosis) -> Json:
    return {
        "causes": [_cause(cause) for cause in diagnosis.causes],
        "changedSince": diagnosis.changed_since,
        "changes": _changes(diagnosis.changes),
        "logLines": list(log_texts(diagnosis)),
        "logTask": diagnosis.log_task,
    }


def _cause(cause: Cause) -> Json:
    return {
        "code": cause.code,
        "summary": summary_text(cause.summary),
        "where": cause.where,
        "evidence": [
            {"source": evidence.source, "text": evidence.text, "at": evidence.at}
            for evidence in cause.evidence
        ],
        "advice": advice_text(cause.advice),
        "deterministic": cause.deterministic,
        "tasks": list(cause.tasks),
    }


def _changes(changes: tuple[Change, ...]) -> list[Json]:
    return [change_json(change) for change in changes]


def _optional_release(release: ReleaseInfo | None) -> Json | None:
    return release_json(release) if release else None


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
