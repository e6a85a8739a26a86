"""What the service's events tell: a task was not even made, or cannot be put to use."""

from __future__ import annotations

from fsd.rollout.failure import EVENTS, GUIDE, Failure
from fsd.rollout.known_causes import QuotedText

PLACING = r"unable to place a task"

EVENT_FAILURES: tuple[Failure, ...] = (
    Failure(
        code="target-group-missing",
        pattern=r"TARGET GROUP IS NOT FOUND",
        summary="the target group was deleted",
        advice="deploy again: the stack owns the target group",
        after=1,
        example="(service web) (task 1) is not healthy in (target-group arn:x) due to "
        "TARGET GROUP IS NOT FOUND",
        source=EVENTS,
    ),
    Failure(
        code="targets-not-registered",
        pattern=r"failed to (?:de)?register targets",
        summary="ECS could not register the tasks with the load balancer",
        advice="check the target group and ECS's service-linked role; ECS's message says what is "
        "wrong",
        after=None,
        example="(service web) failed to register targets in (target-group arn:x) with (error "
        "rate exceeded)",
        source=EVENTS,
    ),
    Failure(
        code="tasks-protected",
        pattern=r"tasks? .*protect",
        summary="old tasks are protected from being stopped",
        advice="the deployment waits for them: end their protection (`aws ecs "
        "update-task-protection --no-protection-enabled`), or wait until it expires",
        after=None,
        example="(service web) was unable to stop or start tasks during a deployment because 2 "
        "tasks are protected by task scale-in protection.",
        source=f"{GUIDE}/task-scale-in-protection.html",
    ),
    Failure(
        code="no-room-to-deploy",
        pattern=r"unable to stop or start tasks during a deployment because of the service "
        r"deployment configuration",
        summary="minimum and maximum healthy percent leave no room to start or stop a task",
        advice="set the maximum to 200 percent, or the minimum to less than 100",
        after=1,
        example="(service web) was unable to stop or start tasks during a deployment "
        "because of the service deployment configuration.",
        source=EVENTS,
    ),
    Failure(
        code="account-blocked",
        pattern=r"account is (?:currently )?blocked",
        summary="AWS has blocked the account",
        advice="contact AWS Support: no task can start while the account is blocked",
        after=1,
        example="(service web) was unable to place a task. Reason: Your account is currently "
        "blocked.",
        source=EVENTS,
    ),
    Failure(
        code="quota-exceeded",
        pattern=r"configuration is above your limit",
        summary="the task is larger than the account is allowed to run",
        advice="request a higher quota in the Service Quotas console, or choose a smaller size",
        after=1,
        example="(service web) was unable to place a task. Reason: The requested CPU "
        "configuration is above your limit.",
        source=EVENTS,
    ),
    Failure(
        code="quota-reached",
        pattern=r"reached the limit on the number of",
        summary="the account has reached its limit of vCPUs or tasks",
        advice="request a higher quota in the Service Quotas console, or lower the maximum "
        "percent: a deployment needs room for old and new tasks",
        after=None,
        example="(service web) was unable to place a task. Reason: You've reached the limit"
        " on the number of vCPUs you can run concurrently.",
        source=EVENTS,
        also=(
            QuotedText(
                "(service web) was unable to place a task. Reason: You've reached the limit on "
                "the number of tasks you can run concurrently.",
                "https://github.com/wellcomecollection/platform/issues/3875",
            ),
        ),
    ),
    Failure(
        code="quota-reached",
        pattern=r"provisioning capacity limit was exceeded",
        summary="the cluster has reached its limit of tasks in the PROVISIONING state",
        advice="deploy again later: the cluster cannot provision more tasks at once",
        after=None,
        example="(service web) was unable to place tasks in your cluster because the tasks "
        "provisioning capacity limit was exceeded.",
        source=EVENTS,
    ),
    Failure(
        code="permissions-changed",
        pattern=r"permissions policies have been misconfigured",
        summary="ECS has lost permissions that it needs for the service",
        advice="restore the permissions of ECS's service-linked role and of the service's roles",
        after=3,
        example="IAM permissions policies have been misconfigured or changed, and ECS can no "
        "longer maintain your service",
        source=EVENTS,
    ),
    Failure(
        code="role-not-assumable",
        pattern=r"unable to assume the (?:configured|role)|"
        r"trust relationship has been misconfigured",
        summary="ECS cannot assume a role of the task",
        advice="allow ecs-tasks.amazonaws.com in the role's trust policy; a new role takes some "
        "seconds to work",
        after=3,
        example="ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that "
        "was provided for this task.",
        source=EVENTS,
        also=(
            QuotedText(
                "ECS was unable to assume the configured ECS Infrastructure Role "
                "'arn:aws:iam::210987654321:role/x'. Please verify that the role being passed "
                "has the proper trust relationship with Amazon ECS.",
                "https://github.com/hashicorp/terraform-provider-aws/issues/38538",
            ),
            QuotedText(
                "(service web) failed to launch a task with (error ECS was unable to assume "
                "the role 'arn:aws:iam::210987654321:role/x' that was provided for this task. "
                "Please verify that the role being passed has the proper trust relationship "
                "and permissions).",
                "https://github.com/telia-oss/terraform-aws-ecs-fargate/pull/58",
            ),
            QuotedText(
                "IAM trust relationship has been misconfigured or changed, and ECS can no "
                "longer maintain your service",
                EVENTS,
            ),
        ),
    ),
    Failure(
        code="zone-not-supported",
        pattern=rf"{PLACING}.*Internal error",
        summary="ECS could not place a task, often because Fargate is not in a subnet's zone",
        advice="use subnets in other zones; if Fargate is available in all of them, ECS has a "
        "problem of its own and retries",
        after=None,
        example="(service web) was unable to place a task. Reason: Internal error.",
        source=EVENTS,
    ),
    Failure(
        code="capacity-unavailable",
        pattern=r"capacity is unavailable|(?-i:RESOURCE:[A-Z])|placement constraint|"
        r"^(?-i:AGENT|ATTRIBUTE|EMPTY CAPACITY PROVIDER|NO ACTIVE INSTANCES)$|"
        r"no container instances? (?:were found|met all)",
        summary="there is no capacity for the task",
        advice="add subnets in more zones, use on-demand capacity, or deploy again later; on EC2, "
        "add instances with enough CPU and memory and with the attributes that the task requires",
        after=None,
        example="(service web) was unable to place a task. Reason: Capacity is unavailable "
        "at this time.",
        source=EVENTS,
        also=(
            *(
                QuotedText(f"TaskFailedToStart: {reason}", f"{GUIDE}/api_failures_messages.html")
                for reason in (
                    "AGENT",
                    "ATTRIBUTE",
                    "EMPTY CAPACITY PROVIDER",
                    "NO ACTIVE INSTANCES",
                )
            ),
            QuotedText(
                "MemberOf placement constraint unsatisfied.",
                "https://github.com/aws/amazon-ecs-agent/pull/3044",
            ),
            QuotedText(
                "No Container Instances were found in your capacity provider.",
                "https://github.com/aws-samples/cost-effective-aws-deployment-of-comfyui/issues/39",
            ),
            QuotedText(
                "(service web) was unable to place a task. Reason: TaskFailedToStart: "
                "RESOURCE:MEMORY.",
                "https://github.com/aws/amazon-ecs-cli/issues/178",
            ),
            QuotedText(
                "(service web) was unable to place a task because no container instance met "
                "all of its requirements. Reason: No Container Instances were found in your "
                "cluster.",
                "https://github.com/ptokito/ECSClusterWithTerraform/issues/3",
            ),
            QuotedText(
                "(service web) was unable to place a task because no container instance met "
                "all of its requirements. The closest matching (container-instance 1) is "
                "missing an attribute required by your task.",
                "https://github.com/hashicorp/terraform-provider-aws/issues/32068",
            ),
        ),
        unlike=(
            QuotedText(
                "(service web) failed to register targets in (target-group arn:x) with (error "
                "User: arn:aws:sts::210987654321:assumed-role/ecs/x is not authorized to "
                "perform: elasticloadbalancing:RegisterTargets on resource: arn:x)",
                EVENTS,
            ),
        ),
    ),
    Failure(
        code="subnet-full",
        pattern=rf"{PLACING}.*subnet",
        summary="a subnet has no free addresses",
        advice="add subnets, or free some addresses",
        after=None,
        example="(service web) was unable to place a task. Reason: no free addresses in "
        "subnet subnet-1.",
        source=EVENTS,
    ),
    Failure(
        code="tasks-fail-to-start",
        pattern=r"unable to consistently start tasks",
        summary="tasks keep failing to start, and ECS waits longer between attempts",
        advice="read the reasons of the stopped tasks: `fsd diagnose` shows them",
        after=None,
        example="(service web) is unable to consistently start tasks successfully.",
        source=EVENTS,
    ),
    Failure(
        code="throttled",
        pattern=r"operations are being throttled",
        summary="AWS throttles ECS's operations on the service",
        advice="wait: ECS retries on its own",
        after=None,
        example="(service web) operations are being throttled. Will try again later.",
        source=EVENTS,
    ),
)

# Ends that no stopped task tells, but the deployment itself; there is no text to look for.
ALARM_TRIGGERED = Failure(
    code="alarm-triggered",
    pattern="",
    summary="a CloudWatch alarm went off",
    advice="check what the alarm measures; `deployment.alarms` names the alarm",
    after=None,
    example="deployment failed: alarm detected.",
    source=f"{GUIDE}/deployment-alarm-failure.html",
)
ROLLOUT_FAILED = Failure(
    code="rollout-failed",
    pattern="",
    summary="ECS ended the deployment",
    advice="look at the service's events and logs",
    after=None,
    example="deployment failed: tasks failed to start.",
    source=f"{GUIDE}/deployment-circuit-breaker.html",
)
ROLLBACK_REQUESTED = Failure(
    code="rollback-requested",
    pattern="",
    summary="somebody asked ECS to roll back, although nothing had failed",
    advice="CloudTrail shows who called StopServiceDeployment; deploy again to continue",
    after=None,
    example="Service deployment rolled back because a rollback was requested.",
    source=f"{GUIDE}/stop-service-deployment.html",
)
WITHOUT_TASKS = (*EVENT_FAILURES, ALARM_TRIGGERED, ROLLBACK_REQUESTED, ROLLOUT_FAILED)
