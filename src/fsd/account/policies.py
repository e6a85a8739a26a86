"""The least that each role needs: to plan, to deploy, and to change a service's stack.

What an action may be restricted to is AWS's service authorization reference's to say; where that
knows no resource and no condition, the grant stands on `*`.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from fsd.account.grant import AccountPlace, Grant, Reach, actions
from fsd.manifest import names
from fsd.manifest.dependencies import KINDS

_TASKS = "ecs-tasks.amazonaws.com"


def plan_grants(reach: Reach) -> tuple[Grant, ...]:
    """Reads only, and neither a secret's value nor a log line."""
    return (
        Grant(
            sid="ReadStacks",
            why="compare the stack with the manifest; `fsd plan --drift`",
            actions=actions(
                "cloudformation",
                "DescribeStacks DescribeStackEvents GetTemplate DetectStackDrift "
                "DescribeStackResourceDrifts",
            ),
            resources=reach.stacks,
        ),
        Grant(
            sid="ReadServices",
            why="see what runs",
            actions=actions(
                "ecs",
                "DescribeServices ListServiceDeployments ListTagsForResource",
            ),
            resources=(*reach.ecs_services, *reach.families),
        ),
        Grant(
            sid="ReadDeployments",
            why="see how a rollout went",
            actions=actions("ecs", "DescribeServiceDeployments DescribeServiceRevisions"),
            resources=(*reach.ecs_services, *reach.deployments),
        ),
        Grant(
            sid="ReadCluster",
            why="find the cluster",
            actions=actions("ecs", "DescribeClusters"),
            resources=(reach.cluster_arn,),
        ),
        Grant(
            sid="ReadTasks",
            why="see tasks and why they stopped; list the environment's services",
            actions=actions("ecs", "DescribeTasks ListServices ListTasks"),
            conditions=reach.of_cluster,
        ),
        Grant(
            sid="ReadSchedules",
            why="see when a Job runs, and what",
            actions=actions("scheduler", "GetSchedule"),
            resources=reach.schedules,
        ),
        Grant(
            sid="ListSchedules",
            why="list the environment's Jobs",
            actions=actions("scheduler", "ListSchedules"),
        ),
        Grant(
            sid="ReadImages",
            why="find the image's digest",
            actions=actions("ecr", "DescribeImages DescribeRepositories ListTagsForResource"),
            resources=reach.repositories,
        ),
        _look_around(),
    )


def _look_around() -> Grant:
    """None of them has a resource level, iam:GetRole apart: a role that is gone has no ARN to ask
    for before it is known to be gone."""
    return Grant(
        sid="LookAround",
        why="the network, and what a stack's resources are now",
        actions=(
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:DescribeScheduledActions",
            "cloudformation:DescribeStackDriftDetectionStatus",
            "cloudwatch:DescribeAlarms",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "ecs:DescribeTaskDefinition",
            "ecs:ListTaskDefinitions",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "iam:GetRole",
            "logs:DescribeLogGroups",
        ),
    )


def deploy_grants(reach: Reach) -> tuple[Grant, ...]:
    """All that a plan reads, and the writes of a release."""
    return (
        *plan_grants(reach),
        *_stack_grants(reach),
        *_release_grants(reach),
        *_schedule_grants(reach),
        *_image_grants(reach),
        *_scaling_grants(),
        *_operating_grants(reach),
        *_probe_grants(reach),
    )


def _stack_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="StacksByRole",
            why="change and delete the service's stack, only with the CloudFormation role",
            actions=actions("cloudformation", "CreateChangeSet DeleteStack"),
            resources=reach.stacks,
            conditions={"StringEquals": {"cloudformation:RoleArn": reach.cloudformation_role}},
        ),
        Grant(
            sid="ChangeSets",
            why="execute what was planned, and remove what was not",
            actions=actions(
                "cloudformation",
                "DeleteChangeSet DescribeChangeSet ExecuteChangeSet TagResource",
            ),
            resources=reach.stacks,
        ),
        Grant(
            sid="PassCloudFormationRole",
            why="hand CloudFormation its role",
            actions=actions("iam", "PassRole"),
            resources=(reach.cloudformation_role,),
            conditions={
                "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"},
            },
        ),
    )


def _release_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="Services",
            why="create, update and delete the ECS service",
            actions=actions("ecs", "CreateService DeleteService TagResource UpdateService"),
            resources=reach.ecs_services,
        ),
        Grant(
            sid="OneOffTasks",
            why="run what a release runs before or after the rollout, and stop what takes too long",
            actions=actions("ecs", "RunTask StopTask"),
            resources=(*reach.families, *reach.tasks),
        ),
        Grant(
            sid="StopRollouts",
            why="roll back a rollout that cannot succeed",
            actions=actions("ecs", "StopServiceDeployment"),
            resources=(*reach.ecs_services, *reach.deployments),
        ),
        Grant(
            sid="Revisions",
            why="register a revision, note how it went, and delete it with the service",
            actions=actions("ecs", "DeleteTaskDefinitions RegisterTaskDefinition TagResource"),
            resources=reach.families,
        ),
        Grant(
            sid="DeregisterRevisions",
            why="retire a revision; ECS knows no resource for it",
            actions=actions("ecs", "DeregisterTaskDefinition"),
        ),
        Grant(
            sid="PassTaskRoles",
            why="give tasks their roles",
            actions=actions("iam", "PassRole"),
            resources=reach.task_roles,
            conditions={"StringEquals": {"iam:PassedToService": _TASKS}},
        ),
    )


def _schedule_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="Schedules",
            why="move a Job's schedule to a revision, and delete it",
            actions=actions("scheduler", "CreateSchedule DeleteSchedule UpdateSchedule"),
            resources=reach.schedules,
        ),
        Grant(
            sid="PassScheduleRoles",
            why="give a schedule the role with which it starts the Job",
            actions=actions("iam", "PassRole"),
            resources=reach.schedule_roles,
            conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
    )


def _image_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="RegistryLogin",
            why="docker login",
            actions=actions("ecr", "GetAuthorizationToken"),
        ),
        Grant(
            sid="Images",
            why="push an image, tag it, and copy it from its build cache",
            actions=actions(
                "ecr",
                "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload "
                "GetDownloadUrlForLayer InitiateLayerUpload PutImage UploadLayerPart",
            ),
            resources=reach.repositories,
        ),
    )


def _scaling_grants() -> tuple[Grant, ...]:
    """The ARN of a scalable target does not say of which service it is.

    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    """
    return (
        Grant(
            sid="Scaling",
            why="set the limits and targets of auto scaling",
            actions=actions(
                "application-autoscaling",
                "DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget "
                "PutScalingPolicy PutScheduledAction RegisterScalableTarget",
            ),
            conditions={
                "StringEquals": {
                    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
                    "application-autoscaling:service-namespace": "ecs",
                }
            },
        ),
        Grant(
            sid="ServiceLinkedRoles",
            why="the first use of ECS, of a load balancer and of auto scaling in an account",
            actions=actions("iam", "CreateServiceLinkedRole"),
            conditions={
                "StringEquals": {
                    "iam:AWSServiceName": (
                        "ecs.amazonaws.com",
                        "ecs.application-autoscaling.amazonaws.com",
                        "elasticloadbalancing.amazonaws.com",
                    )
                }
            },
        ),
    )


def _operating_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="Logs",
            why="the log lines of a failure; `fsd logs`",
            actions=actions("logs", "FilterLogEvents GetLogEvents"),
            resources=reach.log_groups,
        ),
        Grant(
            sid="RunTasks",
            why="`fsd run` and `beforeDeploy`",
            actions=actions("ecs", "RunTask"),
            resources=reach.families,
            conditions=reach.of_cluster,
        ),
        Grant(
            sid="ReachTasks",
            why="`fsd exec`, and the end of a task that `fsd run` started",
            actions=actions("ecs", "ExecuteCommand StopTask"),
            resources=(reach.place.arn("ecs", f"task/{reach.cluster}/*"),),
            conditions=reach.tagged(on="ResourceTag"),
        ),
        Grant(
            sid="ReachTasksThroughCluster",
            why="`fsd exec` asks for the cluster as well",
            actions=actions("ecs", "ExecuteCommand"),
            resources=(reach.cluster_arn,),
        ),
        Grant(
            sid="TagTasks",
            why="say on a task who ran it",
            actions=actions("ecs", "TagResource"),
            resources=(reach.place.arn("ecs", f"task/{reach.cluster}/*"),),
            conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
    )


def _probe_grants(reach: Reach) -> tuple[Grant, ...]:
    """Ask running tasks a health check that moves, before it judges them."""
    listeners = _listeners(reach, "listener")
    rules = _listeners(reach, "listener-rule", tail="/*/*/*")
    prefix = "elasticloadbalancing"
    return (
        Grant(
            sid="AskRunningTasks",
            why="try a health check that moves on the tasks that run",
            actions=actions(prefix, "AddTags CreateTargetGroup DeleteTargetGroup RegisterTargets"),
            resources=(reach.place.arn(prefix, "targetgroup/fsd-probe-*/*"),),
        ),
        Grant(
            sid="AddARuleThatNothingMatches",
            why="the same: a target group is only asked behind a rule",
            actions=actions(prefix, "CreateRule"),
            resources=listeners,
        ),
        Grant(
            sid="TagThatRule",
            why="the same",
            actions=actions(prefix, "AddTags"),
            resources=rules,
            conditions={"StringEquals": {f"{prefix}:CreateAction": "CreateRule"}},
        ),
        Grant(
            sid="RemoveThatRule",
            why="the same",
            actions=actions(prefix, "DeleteRule"),
            resources=rules,
            conditions={"StringLike": {"aws:ResourceTag/fsd:probe": "fsd-*"}},
        ),
    )


def _listeners(reach: Reach, kind: str, *, tail: str = "/*/*") -> tuple[str, ...]:
    return tuple(
        reach.place.arn("elasticloadbalancing", f"{kind}/app/{name}{tail}")
        for name in reach.balancers
    )


def cloudformation_grants(reach: Reach) -> tuple[Grant, ...]:
    """What a service's stack is made of, and nothing else."""
    return (
        *_role_grants(reach),
        Grant(
            sid="LogGroup",
            why="the service's log group",
            actions=actions(
                "logs",
                "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy ListTagsForResource "
                "PutRetentionPolicy TagResource UntagResource",
            ),
            resources=(
                *reach.log_groups,
                *(arn.removesuffix(":*") for arn in reach.log_groups),
            ),
        ),
        *_group_grants(reach),
        *_balancer_grants(reach),
        Grant(
            sid="Describe",
            why="see when a resource is there",
            actions=(
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "logs:DescribeLogGroups",
            ),
        ),
    )


def _role_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="RolesWithinTheBoundary",
            why="the roles of tasks and of a schedule; without the boundary none is made",
            actions=actions(
                "iam",
                "AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy "
                "PutRolePermissionsBoundary PutRolePolicy",
            ),
            resources=(*reach.task_roles, *reach.schedule_roles),
            conditions={"StringEquals": {"iam:PermissionsBoundary": reach.boundary}},
        ),
        Grant(
            sid="Roles",
            why="the same: read, tag, trust and delete them",
            actions=actions(
                "iam",
                "DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies "
                "ListRoleTags TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
                "UpdateRoleDescription",
            ),
            resources=(*reach.task_roles, *reach.schedule_roles),
        ),
        Grant(
            sid="BalancerServiceLinkedRole",
            why="the first load balancer of an account",
            actions=actions("iam", "CreateServiceLinkedRole"),
            conditions={
                "StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}
            },
        ),
    )


def _group_grants(reach: Reach) -> tuple[Grant, ...]:
    groups = (reach.place.arn("ec2", "security-group/*"),)
    rules = (reach.place.arn("ec2", "security-group-rule/*"),)
    return (
        Grant(
            sid="MakeSecurityGroups",
            why="the security groups of tasks and load balancer",
            actions=actions("ec2", "CreateSecurityGroup"),
            resources=groups,
            conditions=reach.tagged(on="RequestTag"),
        ),
        Grant(
            sid="SecurityGroupsInAVpc",
            why="the same: EC2 asks for the VPC as well",
            actions=actions("ec2", "CreateSecurityGroup"),
            resources=(reach.place.arn("ec2", "vpc/*"),),
        ),
        Grant(
            sid="TagSecurityGroups",
            why="the same: with their tags from the first moment",
            actions=actions("ec2", "CreateTags"),
            resources=(*groups, *rules),
            conditions={
                "StringEquals": {
                    "ec2:CreateAction": (
                        "AuthorizeSecurityGroupEgress",
                        "AuthorizeSecurityGroupIngress",
                        "CreateSecurityGroup",
                    )
                }
            },
        ),
        Grant(
            sid="SecurityGroups",
            why="the same: their rules, tags and end",
            actions=actions(
                "ec2",
                "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateTags "
                "DeleteSecurityGroup DeleteTags RevokeSecurityGroupEgress "
                "RevokeSecurityGroupIngress",
            ),
            resources=groups,
            conditions=reach.tagged(on="ResourceTag"),
        ),
        Grant(
            sid="SecurityGroupRules",
            why="the same: a rule is a resource of its own",
            actions=actions("ec2", "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress"),
            resources=rules,
        ),
    )


def _balancer_grants(reach: Reach) -> tuple[Grant, ...]:
    prefix = "elasticloadbalancing"
    balancers = tuple(
        reach.place.arn(prefix, f"loadbalancer/app/{name}/*") for name in reach.balancers
    )
    groups = (reach.place.arn(prefix, "targetgroup/*/*"),)
    return (
        Grant(
            sid="LoadBalancer",
            why="the service's load balancer with its listeners",
            actions=actions(
                prefix,
                "AddTags CreateListener CreateLoadBalancer DeleteListener DeleteLoadBalancer "
                "ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes RemoveTags "
                "SetSecurityGroups SetSubnets",
            ),
            resources=(*balancers, *_listeners(reach, "listener")),
        ),
        Grant(
            sid="MakeTargetGroups",
            why="the service's target group",
            actions=actions(prefix, "AddTags CreateTargetGroup"),
            resources=groups,
            conditions=reach.tagged(on="RequestTag"),
        ),
        Grant(
            sid="TargetGroups",
            why="the same: its settings, tags and end",
            actions=actions(
                prefix,
                "AddTags DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes "
                "RemoveTags",
            ),
            resources=groups,
            conditions=reach.tagged(on="ResourceTag"),
        ),
    )


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


def boundary_grants() -> tuple[Grant, ...]:
    """What no role that a service's stack makes may exceed, whatever a manifest says.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    return (
        Grant(
            sid="WhatServicesCall",
            why="a task reads and writes data, and calls other services",
            actions=_SERVICES_CALL,
        ),
        Grant(
            sid="WhatSchedulesStart",
            why="EventBridge Scheduler starts a Job's tasks",
            actions=actions("ecs", "RunTask TagResource"),
        ),
        Grant(
            sid="RolesOfWhatSchedulesStart",
            why="the same: a task has the roles that a stack made, and only a task may have them",
            actions=actions("iam", "PassRole"),
            resources=(AccountPlace().arn("iam", f"role{names.ROLE_PATH}*", is_global=True),),
            conditions={"StringEquals": {"iam:PassedToService": _TASKS}},
        ),
    )
