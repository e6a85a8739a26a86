"""What can be wrong with a service that no stopped task tells: one row each, as data.

A look at the service finds them (`fsd diagnose`, `fsd status`); a rollout is never judged by them.
"""

from __future__ import annotations

from fsd.rollout.failures import Failure

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_TARGET_HEALTH = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"
_STACK = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"

TOO_FEW_TASKS = Failure(
    code="too-few-tasks",
    pattern="",
    summary="fewer tasks are running than desired",
    advice="read the service's events, which say what ECS is trying to do: aws ecs "
    "describe-services",
    after=None,
    example="desiredCount 2, runningCount 1, and no deployment in flight",
    source=f"{_GUIDE}/service-event-messages.html",
)
NO_HEALTHY_TARGET = Failure(
    code="no-healthy-target",
    pattern="",
    summary="no target of the load balancer is healthy",
    advice="wait for the first health checks; if they fail, `fsd diagnose` says how",
    after=None,
    example="State: initial, Reason: Elb.InitialHealthChecking",
    source=_TARGET_HEALTH,
)
TARGET_GROUP_UNUSED = Failure(
    code="target-group-unused",
    pattern="",
    summary="the load balancer sends nothing to a target",
    advice="add a listener rule that forwards to the target group, and give the load balancer a "
    "subnet in the target's zone; if FSD created the listener, deploy again",
    after=None,
    example="State: unused, Reason: Target.NotInUse",
    source=_TARGET_HEALTH,
)
NO_TARGETS = Failure(
    code="targets-not-registered",
    pattern="",
    summary="the target group has no targets",
    advice="check that ECS's service-linked role can register targets; if somebody deregistered "
    "them, `fsd restart` starts tasks that ECS registers",
    after=None,
    example="DescribeTargetHealth names no target, and tasks run",
    source=_TARGET_HEALTH,
)
TRAFFIC_ASTRAY = Failure(
    code="traffic-to-empty-group",
    pattern="",
    summary="the listener rule sends all requests to a target group without a healthy target",
    advice="deploy again: before anything else, a deployment returns the requests to the target "
    "group whose targets are healthy",
    after=None,
    example="weights 100 and 0, and only the target group with weight 0 has healthy targets",
    source="https://github.com/aws/containers-roadmap/issues/2853",
)
TARGET_GROUP_GONE = Failure(
    code="target-group-missing",
    pattern="",
    summary="the service's target group does not exist",
    advice="create the target group again, and attach it to the service with UpdateService",
    after=None,
    example="TargetGroupNotFound: One or more target groups not found",
    source=f"{_GUIDE}/service-load-balancing.html",
)
SERVICE_DRAINING = Failure(
    code="service-draining",
    pattern="",
    summary="the service is being deleted",
    advice="wait until its tasks are gone; if you still need the service, then deploy it again",
    after=None,
    example="status DRAINING",
    source="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html",
)
STACK_GONE = Failure(
    code="stack-missing",
    pattern="",
    summary="the stack that FSD made for the service does not exist",
    advice="deploy again: a deployment creates the stack again",
    after=None,
    example="Stack with id fsd-web-dev does not exist",
    source=_STACK,
)
STACK_BROKEN = Failure(
    code="stack-failed",
    pattern="",
    summary="the service's stack is broken",
    advice="correct what CloudFormation reports, then deploy again",
    after=None,
    example="ROLLBACK_COMPLETE",
    source=_STACK,
)
CONDITIONS = (
    TOO_FEW_TASKS,
    NO_HEALTHY_TARGET,
    TARGET_GROUP_UNUSED,
    NO_TARGETS,
    TRAFFIC_ASTRAY,
    TARGET_GROUP_GONE,
    SERVICE_DRAINING,
    STACK_GONE,
    STACK_BROKEN,
)
