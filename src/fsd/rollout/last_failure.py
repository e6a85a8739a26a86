"""Why a service's last rollout failed. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fsd.quoted import Quoted
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.diagnose import family_revision, find_task_causes
from fsd.rollout.failures import ALARM_TRIGGERED, ROLLBACK_REQUESTED, ROLLOUT_FAILED, Failure
from fsd.rollout.last_rollout import LastRollout, RolloutStatus, has_tripped
from fsd.rollout.service_facts import ServiceFacts, cause_now, restamped, snapshot_with
from fsd.rollout.summaries import AlarmsWentOff, BareSummary, Summary
from fsd.snapshot import StoppedTask


def why_it_failed(view: ServiceFacts) -> tuple[Cause, ...]:
    """What its own tasks tell, from its own time; () where nobody says why."""
    rollout = view.rollout
    if rollout is None:
        return ()
    arn = rollout.task_definition_arn
    mine = [task for task in view.look.stopped if _is_of(task, rollout)] if arn else []
    found = find_task_causes(snapshot_with(view, mine), arn)
    if found:
        return tuple(replace(c, evidence=restamped(view, c.evidence)) for c in found)
    if view.look.noted:
        code, _, noted = view.look.noted.partition(": ")
        return (past_cause(view, rollout, replace(ROLLOUT_FAILED, code=code), Quoted(text=noted)),)
    deployment = rollout.deployment
    if deployment is not None and deployment.triggered_alarms:
        summary = AlarmsWentOff(names=deployment.triggered_alarms)
        return (past_cause(view, rollout, ALARM_TRIGGERED, summary),)
    if rollout.is_asked_for:
        return (past_cause(view, rollout, ROLLBACK_REQUESTED, BareSummary.ROLLBACK_ASKED),)
    if rollout.state is RolloutStatus.FAILED or (deployment and has_tripped(deployment)):
        return (past_cause(view, rollout, ROLLOUT_FAILED, ROLLOUT_FAILED),)
    return ()


def past_cause(view: ServiceFacts, rollout: LastRollout, row: Failure, summary: Summary) -> Cause:
    reason = rollout.reason
    return cause_now(
        row,
        view,
        summary=summary,
        where=family_revision(rollout.task_definition_arn) or view.service.name,
        evidence=(Evidence(source="ECS", text=reason),) if reason else (),
    )


def _is_of(task: StoppedTask, rollout: LastRollout) -> bool:
    """By revision, and by time where both have one."""
    if task.task_definition_arn != rollout.task_definition_arn:
        return False
    if task.stopped_at is None:
        return True
    if rollout.began_at is not None and task.stopped_at < rollout.began_at:
        return False
    return rollout.ended_at is None or task.stopped_at <= rollout.ended_at + timedelta(minutes=5)
