"""The role with which EventBridge Scheduler starts a Job's tasks.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue, Target
from fsd.compile.roles import execution_role_arn, make_role, task_role_arn
from fsd.manifest import names
from fsd.manifest.models import Manifest

SCHEDULE_ROLE = "ScheduleRole"


def compile_schedule_role(manifest: Manifest, *, target: Target) -> Json:
    """{} for a Service. It may start this Job in its cluster, and nothing else."""
    if not manifest.is_job:
        return {}
    name = names.schedule_role(manifest.metadata.name, target.environment)
    role = make_role(
        manifest,
        name,
        "schedule",
        _statements(manifest, target),
        target=target,
        trust=_trust(target),
    )
    return {SCHEDULE_ROLE: role}


def _statements(manifest: Manifest, target: Target) -> list[JsonValue]:
    ecs = f"arn:{target.partition}:ecs:{target.region}:{target.account}"
    family = names.service_name(manifest.metadata.name, target.environment)
    roles: list[JsonValue] = [
        *sorted({execution_role_arn(manifest, target), task_role_arn(manifest, target)})
    ]
    return [
        {
            "Effect": "Allow",
            "Action": ["ecs:RunTask"],
            "Resource": [f"{ecs}:task-definition/{family}:*"],
            "Condition": {"ArnEquals": {"ecs:cluster": f"{ecs}:cluster/{target.cluster}"}},
        },
        # The task gets the revision's tags.
        {
            "Effect": "Allow",
            "Action": ["ecs:TagResource"],
            "Resource": [f"{ecs}:task/{target.cluster}/*"],
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": roles,
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
    ]


def _trust(target: Target) -> Json:
    """Only schedules of this account, as the page above advises."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": target.account}},
            }
        ],
    }
