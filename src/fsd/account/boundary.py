"""The boundary that no role of a service may exceed."""

from __future__ import annotations

from fsd.account.grant import TASK_SERVICE, AccountPlace, Grant, actions
from fsd.manifest import names
from fsd.manifest.dependencies import KINDS

# Of every kind of dependency that a manifest may have, and what ECS itself does for a task. No IAM,
# no roles to assume, no organizations, no EC2, no CloudFormation: nobody becomes an administrator.
_BESIDE_DEPENDENCIES = (
    "aoss",
    "appconfig",
    "cloudwatch",
    "elasticfilesystem",
    "execute-api",
    "logs",
    "ses",
    "ssmmessages",
    "xray",
)


_SERVICES = {*_BESIDE_DEPENDENCIES, *(name for kind in KINDS.values() for name in kind.services)}


_SERVICES_CALL = (
    *(f"{service}:*" for service in sorted(_SERVICES)),
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
)


def boundary_grants(given_roles: tuple[str, ...] = ()) -> tuple[Grant, ...]:
    """What no role that a service's stack makes may exceed, whatever a manifest says.

    `given_roles` are ARNs of roles that manifests give to tasks, and that no stack makes.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    return (
        Grant(
            sid="WhatServicesCall",
            why="a task reads and writes data, and calls other services",
            actions=_SERVICES_CALL,
        ),
        Grant(
            sid="WhatShiftsTraffic",
            why="ECS moves the traffic of a blue/green, canary or linear deployment",
            actions=actions(
                "elasticloadbalancing",
                "DeregisterTargets Describe* ModifyListener ModifyRule RegisterTargets",
            ),
        ),
        Grant(
            sid="WhatSchedulesStart",
            why="EventBridge Scheduler starts a Job's tasks",
            actions=actions("ecs", "RunTask TagResource"),
        ),
        Grant(
            sid="RolesOfWhatSchedulesStart",
            why="give a Job's tasks the roles that a stack made or a manifest names",
            actions=actions("iam", "PassRole"),
            resources=(
                AccountPlace().arn("iam", f"role{names.ROLE_PATH}*", is_global=True),
                *given_roles,
            ),
            conditions={"StringEquals": {"iam:PassedToService": TASK_SERVICE}},
        ),
    )
