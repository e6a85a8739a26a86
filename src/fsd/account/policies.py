"""The least that the roles of a plan and of a deployment need.

What an action may be restricted to is AWS's service authorization reference's to say; where that
knows no resource and no condition, the grant stands on `*`.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from fsd.account.grant import TASK_SERVICE, Grant, Reach, actions


def plan_grants(reach: Reach) -> tuple[Grant, ...]:
    """Reads only, and neither a secret's value nor a log line."""
    return (
        Grant(
            sid="ReadStacks",
            why="compare the stack with the manifest; `fsd plan --drift`",
            actions=actions(
                "cloudformation",
                "DescribeStacks GetTemplate DetectStackDrift DescribeStackResourceDrifts",
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
            sid="ReadSchedules",
            why="see when a Job runs, and what",
            actions=actions("scheduler", "GetSchedule"),
            resources=(*reach.schedules, *reach.old_schedules),
        ),
        *_old_rule_grants(reach, "ReadOldRules", "DescribeRule ListTargetsByRule"),
        Grant(
            sid="ReadImages",
            why="find the image's digest",
            actions=actions("ecr", "DescribeImages DescribeRepositories ListTagsForResource"),
            resources=reach.repositories,
        ),
        _look_around(),
        *_promotion_reads(reach),
        *_scan_reads(reach),
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
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "ecs:DescribeTaskDefinition",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "iam:GetRole",
            "logs:DescribeLogGroups",
        ),
    )


def drift_grants(reach: Reach) -> tuple[Grant, ...]:
    """Only for `fsd plan --drift`: no deployment stops without them, so that `fsd doctor` does not
    ask for them. CloudFormation reads each resource with the permissions of whoever asks: those of
    the read handler in the schema of its type, where "LookAround" does not have them already.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    https://github.com/hashicorp/terraform-provider-awscc/tree/main/internal/service/cloudformation/schemas
    """
    return (
        Grant(
            sid="CompareStack",
            why="`fsd plan --drift`: compare each resource of the stack",
            actions=actions("cloudformation", "DetectStackResourceDrift"),
            resources=reach.stacks,
        ),
        Grant(
            sid="CompareRoles",
            why="`fsd plan --drift`: compare the roles of tasks and of a schedule",
            actions=actions("iam", "GetRolePolicy ListAttachedRolePolicies ListRolePolicies"),
            resources=reach.made_roles,
        ),
        Grant(
            sid="CompareLogGroup",
            why="`fsd plan --drift`: compare the log group, never its lines",
            actions=actions("logs", "GetDataProtectionPolicy ListTagsForResource"),
            resources=(*reach.log_groups, *(arn.removesuffix(":*") for arn in reach.log_groups)),
        ),
        Grant(
            sid="CompareResources",
            why="`fsd plan --drift`: what IAM cannot limit to one resource",
            actions=(
                "cloudformation:BatchDescribeTypeConfigurations",
                "elasticloadbalancing:DescribeCapacityReservation",
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "logs:DescribeIndexPolicies",
            ),
        ),
    )


def _looks_at_what_runs(reach: Reach) -> tuple[Grant, ...]:
    """None of it is asked for by a plan."""
    return (
        Grant(
            sid="ReadStackEvents",
            why="say why a change of the stack failed",
            actions=actions("cloudformation", "DescribeStackEvents"),
            resources=reach.stacks,
        ),
        Grant(
            sid="ReadTasks",
            why="see tasks and why they stopped; list the environment's services",
            actions=actions("ecs", "DescribeTasks ListServices ListTasks"),
            conditions=reach.of_cluster,
        ),
        Grant(
            sid="ListSchedules",
            why="list the environment's Jobs",
            actions=actions("scheduler", "ListSchedules"),
        ),
        Grant(
            sid="LookFurther",
            why="a Job's revisions, and the way out of a subnet",
            actions=("ec2:DescribeRouteTables", "ecs:ListTaskDefinitions"),
        ),
    )


def deploy_grants(reach: Reach) -> tuple[Grant, ...]:
    """All that a plan reads, what one sees of a running service, and the writes of a release."""
    return (
        *plan_grants(reach),
        *_looks_at_what_runs(reach),
        *_stack_grants(reach),
        *_release_grants(reach),
        *_schedule_grants(reach),
        *_old_schedule_grants(reach),
        *_image_grants(reach),
        *_scaling_grants(),
        *_operating_grants(reach),
        *_probe_grants(reach),
        *_promotion_grants(reach),
        *_scan_grants(reach),
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
            resources=(*reach.task_roles, *reach.given_roles),
            conditions={"StringEquals": {"iam:PassedToService": TASK_SERVICE}},
        ),
        *_shift_grants(reach),
    )


def _shift_grants(reach: Reach) -> tuple[Grant, ...]:
    if not reach.infrastructure_roles:
        return ()
    return (
        Grant(
            sid="PassInfrastructureRoles",
            why="give ECS the role with which it shifts a service's traffic",
            actions=actions("iam", "PassRole"),
            resources=reach.infrastructure_roles,
            conditions={"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}},
        ),
        Grant(
            sid="AnswerPauses",
            why="approve or reject a deployment that waits for it",
            actions=actions("ecs", "ContinueServiceDeployment"),
            resources=(*reach.ecs_services, *reach.deployments),
        ),
    )


def _old_rule_grants(reach: Reach, sid: str, verbs: str) -> tuple[Grant, ...]:
    """Of rules that another tool made, and that a Job's own schedule takes over from."""
    if not reach.old_rules:
        return ()
    why = "see and disable the rule that started a Job before its schedule did"
    return (Grant(sid=sid, why=why, actions=actions("events", verbs), resources=reach.old_rules),)


def _old_schedule_grants(reach: Reach) -> tuple[Grant, ...]:
    switched = _old_rule_grants(reach, "SwitchOldRules", "DisableRule EnableRule")
    if not reach.old_schedules:
        return switched
    return (
        *switched,
        Grant(
            sid="SwitchOldSchedules",
            why="disable the schedule that started a Job before its own did",
            actions=actions("scheduler", "UpdateSchedule"),
            resources=reach.old_schedules,
        ),
        Grant(
            sid="PassOldScheduleRoles",
            why="leave such a schedule its role, which UpdateSchedule asks for each time; only "
            "EventBridge Scheduler may get it",
            actions=actions("iam", "PassRole"),
            resources=reach.named.old_schedule_roles,
            conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
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
            resources=reach.read_log_groups,
        ),
        Grant(
            sid="RunTasks",
            why="`fsd run`, and what a release runs before or after the rollout",
            actions=actions("ecs", "RunTask"),
            resources=reach.families,
            conditions=reach.of_cluster,
        ),
        Grant(
            sid="ReachTasks",
            why="`fsd exec`, and the end of a task that was started and takes too long",
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


def _scan_reads(reach: Reach) -> tuple[Grant, ...]:
    """Only where the environment has `imageScan`."""
    if not reach.named.scans:
        return ()
    return (
        Grant(
            sid="ReadImageScans",
            why="`imageScan`: read ECR's scan of the image, of an index that of its platform",
            actions=actions("ecr", "BatchGetImage DescribeImageScanFindings"),
            resources=reach.repositories,
        ),
    )


def _scan_grants(reach: Reach) -> tuple[Grant, ...]:
    if not reach.named.scans:
        return ()
    return (
        Grant(
            sid="ImageScans",
            why="`imageScan`: begin ECR's scan of the image where nothing has",
            actions=actions("ecr", "StartImageScan"),
            resources=reach.repositories,
        ),
    )


def _promotion_reads(reach: Reach) -> tuple[Grant, ...]:
    """Only where the environment takes what has succeeded in another of the account."""
    return tuple(
        grant
        for number, one in enumerate(reach.sources, start=1)
        for grant in (*_looks(one, number), *_finds(reach, one, number))
    )


def _promotion_grants(reach: Reach) -> tuple[Grant, ...]:
    return tuple(
        grant
        for number, one in enumerate(reach.sources, start=1)
        for grant in _copies(reach, one, number)
    )


def _looks(source: Reach, number: int) -> tuple[Grant, ...]:
    why = f"promotion: see what succeeded in {source.environment}, and what runs there"
    return (
        Grant(
            sid=f"ReadPromotedServices{number}",
            why=why,
            actions=actions("ecs", "DescribeServices ListServiceDeployments"),
            resources=source.ecs_services,
        ),
        Grant(
            sid=f"ReadPromotedDeployments{number}",
            why=why,
            actions=actions("ecs", "DescribeServiceDeployments DescribeServiceRevisions"),
            resources=source.deployments,
        ),
        Grant(
            sid=f"ReadPromotedTasks{number}",
            why=why,
            actions=actions("ecs", "DescribeTasks ListTasks"),
            conditions=source.of_cluster,
        ),
        Grant(
            sid=f"ReadPromotedStacks{number}",
            why=why,
            actions=actions("cloudformation", "DescribeStacks GetTemplate"),
            resources=source.stacks,
        ),
        Grant(
            sid=f"ReadPromotedSchedules{number}",
            why=why,
            actions=actions("scheduler", "GetSchedule"),
            resources=source.schedules,
        ),
    )


def _finds(reach: Reach, source: Reach, number: int) -> tuple[Grant, ...]:
    """ECR has a registry a Region, so that an image from another one has to be copied.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
    """
    if source.place.region == reach.place.region:
        return ()
    return (
        Grant(
            sid=f"FindPromotedImages{number}",
            why=f"promotion: find the image in {source.environment}'s Region",
            actions=actions("ecr", "DescribeImages DescribeRepositories ListTagsForResource"),
            resources=source.repositories,
        ),
    )


def _copies(reach: Reach, source: Reach, number: int) -> tuple[Grant, ...]:
    if source.place.region == reach.place.region:
        return ()
    return (
        Grant(
            sid=f"ReadPromotedImages{number}",
            why=f"promotion: copy the image out of {source.environment}'s Region",
            actions=actions("ecr", "BatchGetImage GetDownloadUrlForLayer"),
            resources=source.repositories,
        ),
    )


def _probe_grants(reach: Reach) -> tuple[Grant, ...]:
    """Ask running tasks a health check that moves, before it judges them."""
    listeners, rules = reach.listeners, reach.listener_rules
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
            why="a target group is asked for only if a rule leads to it",
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
