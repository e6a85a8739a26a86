"""What ECS's failure texts mean: one row each, as data.

A row says what to look for, what it means, what to do, and after how many sightings of it a
rollout is lost (None: never by itself; the platform may recover). The first row that matches
wins, so the narrow ones stand first. `fsd explain` shows a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fsd.snapshot import StoppedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One kind of failure. `summary` and `advice` may use {task definition fields} of `Facts`."""

    code: str
    pattern: str  # regular expression, case-insensitive, over reason + container reasons
    summary: str
    advice: str
    after: int | None  # sightings that decide; None: never
    example: str  # what ECS says, or has said
    source: str  # the AWS page
    exit_codes: tuple[int, ...] = ()  # () any

    def matches(self, text: str, exit_code: int | None) -> bool:
        if self.exit_codes and exit_code not in self.exit_codes:
            return False
        return re.search(self.pattern, text, re.IGNORECASE | re.DOTALL) is not None


# Stops that say nothing about the release: replaced, scaled in, stopped by hand, the platform.
INNOCENT_CODES = {"UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"}
INNOCENT_REASON = re.compile(
    r"scaling activity initiated by|availability zone rebalancing|deployment completed",
    re.IGNORECASE,
)

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_STOPPED = f"{_GUIDE}/stopped-task-error-codes.html"
_PULL = f"{_GUIDE}/task_cannot_pull_image.html"
_INITIALIZATION = f"{_GUIDE}/resource-initialization-error.html"
_EVENTS = f"{_GUIDE}/service-event-messages-list.html"
_PLACING = r"unable to place a task"

_SECRET = r"ResourceInitializationError.*(secret|parameter|ssm|kms)"
_NETWORK = r"dial tcp|i/o timeout|TLS handshake timeout|request canceled|context deadline exceeded"

FAILURES: tuple[Failure, ...] = (
    Failure(
        code="image-platform-mismatch",
        pattern=r"no matching manifest|descriptor matching platform|exec format error",
        summary="the image was built for another CPU architecture",
        advice="build it for `service.platform` (X86_64 or ARM64)",
        after=1,
        example="CannotPullContainerError: image manifest does not contain descriptor matching "
        "platform 'linux/amd64'",
        source=_PULL,
    ),
    Failure(
        code="image-pull-denied",
        pattern=r"CannotPull.*(pull access denied|AccessDenied|not authorized|403|no basic auth)"
        r"|unable to retrieve ecr registry auth.*(AccessDenied|not authorized)",
        summary="the execution role may not pull the image",
        advice="allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:GetAuthorizationToken; "
        "an image of another account needs its repository's policy as well",
        after=1,
        example="CannotPullContainerError: pull access denied for offer-api, repository does not "
        "exist or may require 'docker login'",
        source=_PULL,
    ),
    Failure(
        code="image-pull-rate-limit",
        pattern=r"toomanyrequests|pull rate limit",
        summary="the registry limits pulls",
        advice="push the image to ECR, or use a pull-through cache",
        after=None,
        example="CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        source=_PULL,
    ),
    Failure(
        code="network-unreachable",
        pattern=r"(CannotPull|ResourceInitialization|connection issue between the task).*"
        rf"({_NETWORK})|check your task network configuration|check your network connection",
        summary="the task has no route to AWS's endpoints",
        advice="give the subnets a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr, s3, logs "
        "and secretsmanager; check the security group's egress",
        after=2,
        example="CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout",
        source=_PULL,
    ),
    Failure(
        code="image-not-found",
        pattern=r"CannotPull.*(not found|manifest unknown|failed to resolve ref|does not exist)",
        summary="the image does not exist",
        advice="check that the digest is in the repository: a lifecycle policy may have removed it",
        after=1,
        example="CannotPullContainerError: failed to resolve ref offer-api@sha256:9b1f2c: not "
        "found",
        source=_PULL,
    ),
    Failure(
        code="image-pull-failed",
        pattern=r"CannotPull",
        summary="the image could not be pulled",
        advice="read ECS's words above; `fsd deploy` again when the registry answers",
        after=2,
        example="CannotPullContainerError: failed to copy: unexpected EOF",
        source=_PULL,
    ),
    Failure(
        code="secret-json-key-missing",
        pattern=r"did not contain json key|invalid character .* looking for beginning of value",
        summary="a secret has no such JSON key",
        advice="correct the `:json-key::` part of `valueFrom`, or the secret's JSON",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: retrieved "
        "secret from Secrets Manager did not contain json key password",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-access-denied",
        pattern=rf"{_SECRET}.*(AccessDenied|not authorized)",
        summary="the execution role may not read a secret",
        advice="name the full ARN in `valueFrom`, so that FSD allows it; allow kms:Decrypt where a "
        "customer key encrypts it",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "AccessDeniedException: … is not authorized to perform: secretsmanager:GetSecretValue",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-not-found",
        pattern=rf"{_SECRET}.*(ResourceNotFound|can't find|invalid parameters|not found)"
        r"|can't retrieve the secret",
        summary="a secret or parameter does not exist",
        advice="check `valueFrom`: region, account and the six characters at the end of the ARN",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret",
        source=_INITIALIZATION,
    ),
    Failure(
        code="log-group-missing",
        pattern=r"log group does not exist|cannot find the Amazon CloudWatch log group"
        r"|failed to (initialize logging driver|validate logger args)",
        summary="the log group is missing or may not be written",
        advice="deploy again: the stack owns the log group",
        after=1,
        example="ResourceInitializationError: failed to validate logger args: The specified log "
        "group does not exist",
        source=_INITIALIZATION,
    ),
    Failure(
        code="environment-file-unreadable",
        pattern=r"failed to download env files|can't download the environment variable files",
        summary="an environment file could not be read",
        advice="check its bucket and name, the execution role's s3:GetObject, and the route to S3",
        after=1,
        example="ResourceInitializationError: failed to download env files: file download command: "
        "non empty error stream",
        source=_INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        pattern=r"failed to invoke EFS utils",
        summary="an EFS file system could not be mounted",
        advice="allow port 2049 from the tasks, give each zone a mount target, and check IAM",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: Connection timed out",
        source=_INITIALIZATION,
    ),
    Failure(
        code="subnet-full",
        pattern=r"InsufficientFreeAddressesInSubnet|create network interface",
        summary="a subnet has no free addresses",
        advice="add subnets or free addresses",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface: "
        "InsufficientFreeAddressesInSubnet",
        source=_STOPPED,
    ),
    Failure(
        code="command-not-found",
        pattern=r"executable file not found|no such file or directory|CannotStartContainer"
        r"|ContainerRuntimeError.*permission denied",
        summary="the container's program could not be started",
        advice="check CMD and ENTRYPOINT (or `service.command`): the program must be in the image "
        "and executable",
        after=1,
        example='CannotStartContainerError: exec: "serve": executable file not found in $PATH',
        source=_STOPPED,
    ),
    Failure(
        code="command-not-found",
        pattern=r"essential container",
        exit_codes=(126, 127),
        summary="the container's program was not found or is not executable",
        advice="check CMD and ENTRYPOINT (or `service.command`)",
        after=1,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="platform-error",
        pattern=r"CannotCreateContainer|ContainerRuntimeTimeout|CannotInspect|InternalError",
        summary="the platform had trouble",
        advice="deploy again; ask AWS if it goes on",
        after=None,
        example="ContainerRuntimeTimeoutError: Could not transition to created; timed out after "
        "waiting 3m0s",
        source=_STOPPED,
    ),
    Failure(
        code="health-check-failed",
        pattern=r"failed ELB health checks|is unhealthy in \(target-group",
        summary="the load balancer's health check failed",
        advice="make the health path answer 2xx in time on the container's port; the lines above "
        "are the last that the task wrote",
        after=2,
        example="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)",
        source=_EVENTS,
    ),
    Failure(
        code="container-health-check-failed",
        pattern=r"failed container health checks",
        summary="the container's health check failed",
        advice="make the health path answer on 127.0.0.1; raise `healthCheck.gracePeriod` for a "
        "slow start",
        after=2,
        example="Task failed container health checks",
        source=_EVENTS,
    ),
    Failure(
        code="out-of-memory",
        pattern=r"OutOfMemory",
        summary="the container ran out of memory",
        advice="raise `resources.memory` to the next Fargate size",
        after=2,
        example="OutOfMemoryError: Container killed due to memory usage",
        source=_STOPPED,
    ),
    Failure(
        code="exited-at-once",
        pattern=r"essential container",
        exit_codes=(0,),
        summary="the main process ended with exit code 0: no server, or gone to the background",
        advice="run the server in the foreground",
        after=1,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="killed",
        pattern=r"essential container",
        exit_codes=(137,),
        summary="the main process was killed",
        advice="see what stopped it first; a process that ignores SIGTERM is killed after "
        "`stopTimeout`",
        after=None,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="crashed",
        pattern=r"essential container",
        summary="the main process ended",
        advice="read the lines above: they are the last that the task wrote",
        after=2,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="task-failed-to-start",
        pattern=r".",
        summary="tasks failed to start",
        advice="read ECS's words above",
        after=None,
        example="Task failed to start",
        source=_STOPPED,
    ),
)

# What the service's events tell: a task was not even made, or cannot be put to use.
EVENT_FAILURES: tuple[Failure, ...] = (
    Failure(
        code="target-group-missing",
        pattern=r"TARGET GROUP IS NOT FOUND",
        summary="the target group was deleted",
        advice="deploy again: the stack owns the target group",
        after=1,
        example="(service web) (task 1) is not healthy in (target-group arn:x) due to "
        "TARGET GROUP IS NOT FOUND",
        source=_EVENTS,
    ),
    Failure(
        code="no-room-to-deploy",
        pattern=r"unable to stop or start tasks during a deployment because of the service "
        r"deployment configuration",
        summary="minimum and maximum healthy percent leave no room to start or stop a task",
        advice="let the maximum be 200 percent, or the minimum less than 100",
        after=1,
        example="(service web) was unable to stop or start tasks during a deployment "
        "because of the service deployment configuration.",
        source=_EVENTS,
    ),
    Failure(
        code="quota-exceeded",
        pattern=r"configuration is above your limit",
        summary="the task is larger than the account may run",
        advice="ask for a higher quota (Service Quotas console), or take a smaller size",
        after=1,
        example="(service web) was unable to place a task. Reason: The requested CPU "
        "configuration is above your limit.",
        source=_EVENTS,
    ),
    Failure(
        code="quota-reached",
        pattern=r"reached the limit on the number of (vCPUs|tasks)",
        summary="the account runs as many vCPUs or tasks as it may",
        advice="ask for a higher quota (Service Quotas console), or lower the maximum percent: a "
        "deployment needs room for old and new tasks",
        after=None,
        example="(service web) was unable to place a task. Reason: You've reached the limit"
        " on the number of vCPUs you can run concurrently.",
        source=_EVENTS,
    ),
    Failure(
        code="role-not-assumable",
        pattern=r"unable to assume the role|Role is not valid|policies have been misconfigured",
        summary="ECS may not assume a role of the task",
        advice="let the role trust ecs-tasks.amazonaws.com; a new role needs some seconds",
        after=3,
        example="ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that "
        "was provided for this task.",
        source=_EVENTS,
    ),
    Failure(
        code="capacity-unavailable",
        pattern=rf"{_PLACING}.*(capacity is unavailable|RESOURCE:FARGATE)"
        r"|could not launch \d+ tasks",
        summary="Fargate has no capacity for the task",
        advice="add subnets in more zones, use on-demand capacity, or deploy again later",
        after=None,
        example="(service web) was unable to place a task. Reason: Capacity is unavailable "
        "at this time.",
        source=_EVENTS,
    ),
    Failure(
        code="subnet-full",
        pattern=rf"{_PLACING}.*subnet",
        summary="a subnet has no free addresses",
        advice="add subnets or free addresses",
        after=None,
        example="(service web) was unable to place a task. Reason: no free addresses in "
        "subnet subnet-1.",
        source=_EVENTS,
    ),
)

# Ends that no stopped task tells, but the deployment itself; there is no text to look for.
ALARM_TRIGGERED = Failure(
    code="alarm-triggered",
    pattern="",
    summary="a CloudWatch alarm went off",
    advice="look at what the alarm measures; it is named in `deployment.alarms`",
    after=None,
    example="deployment failed: alarm detected.",
    source=f"{_GUIDE}/deployment-alarm-failure.html",
)
ROLLOUT_FAILED = Failure(
    code="rollout-failed",
    pattern="",
    summary="ECS ended the deployment",
    advice="look at the service's events and logs",
    after=None,
    example="deployment failed: tasks failed to start.",
    source=f"{_GUIDE}/deployment-circuit-breaker.html",
)
ROLLBACK_REQUESTED = Failure(
    code="rollback-requested",
    pattern="",
    summary="somebody asked ECS to roll it back, while nothing had failed",
    advice="CloudTrail names who called StopServiceDeployment; deploy again to go on",
    after=None,
    example="Service deployment rolled back because a rollback was requested.",
    source=f"{_GUIDE}/stop-service-deployment.html",
)
WITHOUT_TASKS = (*EVENT_FAILURES, ALARM_TRIGGERED, ROLLBACK_REQUESTED, ROLLOUT_FAILED)


def classify(task: StoppedTask) -> Failure | None:
    """The row for one stopped task; None where its end says nothing about the release."""
    if task.stop_code in INNOCENT_CODES or INNOCENT_REASON.search(task.stopped_reason):
        return None
    text = " ".join((task.stopped_reason, *(c.reason for c in task.containers)))
    exit_code = next((c.exit_code for c in task.containers if c.exit_code is not None), None)
    failing = next((c.exit_code for c in task.containers if c.exit_code), exit_code)
    return next((row for row in FAILURES if row.matches(text, failing)), None)


def classify_event(message: str) -> Failure | None:
    """The row for one service event; None where it tells of no failure that has a name."""
    return next((row for row in EVENT_FAILURES if row.matches(message, None)), None)
