"""What became of a deployment that waited for somebody."""

from __future__ import annotations

from fsd.release.approval import Answered
from fsd.rollout.diagnose import family_revision


def answered_text(answered: Answered) -> str:
    """What ECS does now, and how to see it."""
    revision = family_revision(answered.deployment.task_definition_arn)
    stage = answered.deployment.lifecycle_stage
    follow = f"fsd status {answered.ref.options} --watch"
    if answered.goes_on:
        return f"Approved: ECS continues the deployment of {revision} at {stage}. {follow}"
    return f"Rejected: ECS rolls the deployment of {revision} back from {stage}. {follow}"


def answered_json(answered: Answered) -> dict[str, object]:
    """`fsd/approval/v1`."""
    return {
        "schema": "fsd/approval/v1",
        "service": answered.ref.service,
        "environment": answered.ref.environment,
        "answer": "approved" if answered.goes_on else "rejected",
        "deploymentArn": answered.deployment.arn,
        "taskDefinitionArn": answered.deployment.task_definition_arn,
        "stage": answered.deployment.lifecycle_stage,
    }
