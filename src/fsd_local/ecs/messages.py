"""What ECS says: stopped reasons, service events, rollout reasons, in its own words.

Clients match these texts, so they live in one place.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

from collections.abc import Sequence

CONTAINER_EXITED = "Essential container in task exited"
CONTAINER_CHECKS_FAILED = "Task failed container health checks"
SPOT_INTERRUPTED = "Your Spot Task was interrupted."
STOPPED_BY_USER = "Task stopped by user"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
TASKS_FAILED_TO_START = "ECS deployment circuit breaker: tasks failed to start."
DIGESTS_NOT_RESOLVED = (
    "ECS deployment failed: the image digests could not be resolved in three attempts."
)
ROLLBACK_REQUESTED = "Service deployment rolled back because a rollback was requested."
ROLLED_BACK_BY_BREAKER = (
    "Service deployment rolled back because the circuit breaker threshold was exceeded."
)
STOPPED_BY_BREAKER = (
    "Service deployment stopped because the circuit breaker threshold was exceeded."
)
# AWS documents the event of an alarm, not what the service deployment then says.
ALARM_DETECTED = "ECS deployment failed: alarm detected."
ROLLED_BACK_BY_ALARM = "Service deployment rolled back: alarm detected."
STOPPED_BY_ALARM = "Service deployment stopped: alarm detected."
# AWS documents the limit, not the words: "each lifecycle stage can last up to 24 hours".
STAGE_TOO_LONG = "ECS deployment failed: a lifecycle stage took longer than 24 hours."
HOOKS_FAILED = "ECS deployment failed: lifecycle hook(s) failed."
ROLLED_BACK_BY_STAGE = (
    "Service deployment rolled back because a lifecycle stage took longer than 24 hours."
)
NO_ROLLBACK_CANDIDATE = "No rollback candidate was found to run the rollback."
ROLLBACK_TASKS_FAILED = "The rollback failed: its tasks failed to start."
SUPERSEDED = "Service deployment stopped because a new service deployment was started."
SERVICE_DELETED = "Service deployment stopped because the service was deleted."
NO_LOG_GROUP = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried "
    "1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log "
    "group does not exist. : exit status 1"
)


_NOT_RETRIEVED = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
    "retrieve {what}: service call has been retried 1 time(s): {cause}"
)
_SECRET_KINDS = {"secretsmanager": "secret from asm", "ssm": "secrets from ssm"}


def role_not_assumed(role_arn: str) -> str:
    return (
        f"ECS was unable to assume the role '{role_arn}' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions and "
        "that your IAM user has permissions to pass this role."
    )


def registry_denied(cause: str) -> str:
    return initialization_failed(_NOT_RETRIEVED.format(what="ecr registry auth", cause=cause))


def registry_secret_denied(secret: str, cause: str) -> str:
    """https://github.com/aws-samples/keycloak-on-aws/issues/222"""
    return initialization_failed(
        "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
        "get registry auth from asm: service call has been retried 1 time(s): asm fetching secret "
        f"from the service for {secret}: {cause}"
    )


def pull_denied(image: str) -> str:
    """A registry says no more than that."""
    host, _, path = image.partition("/")
    wanted = path.rpartition("@")[2] if "@" in path else path.rpartition(":")[2]
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        f"resolve ref {image}: pulling from host {host} failed with status code "
        f"[manifests {wanted}]: 403 Forbidden"
    )


def file_not_read(cause: str) -> str:
    return (
        "failed to download env files: file download command: non empty error stream: service "
        f"call has been retried 1 time(s): {cause}"
    )


def secret_denied(value_from: str, cause: str) -> str:
    fields = value_from.split(":")
    is_secret = len(fields) > 2 and fields[2] == "secretsmanager"
    if is_secret:
        cause = f"failed to fetch secret {value_from} from secrets manager: {cause}"
    what = _SECRET_KINDS["secretsmanager" if is_secret else "ssm"]
    return initialization_failed(_NOT_RETRIEVED.format(what=what, cause=cause))


def stream_denied(cause: str) -> str:
    return initialization_failed(
        "failed to validate logger args: create stream has been retried 1 times: failed to create "
        f"Cloudwatch log stream: {cause} : exit status 1"
    )


def target_checks_failed(target_group_arn: str) -> str:
    return f"Task failed ELB health checks in (target-group {target_group_arn})"


def scaled(deployment_id: str) -> str:
    return f"Scaling activity initiated by (deployment {deployment_id})"


def initialization_failed(cause: str) -> str:
    return f"ResourceInitializationError: {cause}"


def in_progress(deployment_id: str) -> str:
    return f"ECS deployment {deployment_id} in progress."


def completed(deployment_id: str) -> str:
    return f"ECS deployment {deployment_id} completed."


def rolling_back(deployment_id: str) -> str:
    return f"ECS deployment circuit breaker: rolling back to deploymentId {deployment_id}."


def rolling_back_on_request(deployment_id: str) -> str:
    return f"ECS deployment stopped: rolling back to deploymentId {deployment_id}."


def rolling_back_by_alarm(deployment_id: str) -> str:
    return f"ECS deployment alarm detected: rolling back to deploymentId {deployment_id}."


def event_started(task_ids: Sequence[str]) -> str:
    return f"has started {len(task_ids)} tasks: {_tasks(task_ids)}."


def event_stopped(task_ids: Sequence[str]) -> str:
    return f"has stopped {len(task_ids)} running tasks: {_tasks(task_ids)}."


def event_registered(count: int, target_group_arn: str) -> str:
    return f"registered {count} targets in (target-group {target_group_arn})"


def event_deregistered(count: int, target_group_arn: str) -> str:
    return f"deregistered {count} targets in (target-group {target_group_arn})"


def event_draining(count: int) -> str:
    return f"has begun draining connections on {count} tasks."


def event_target_unhealthy(port: int, target_group_arn: str, cause: str) -> str:
    return (
        f"(port {port}) is unhealthy in (target-group {target_group_arn}) due to (reason {cause})."
    )


def event_target_group_missing(task_id: str, target_group_arn: str) -> str:
    return (
        f"(task {task_id}) is not healthy in (target-group {target_group_arn}) "
        "due to TARGET GROUP IS NOT FOUND"
    )


def event_container_unhealthy(task_id: str) -> str:
    return f"(task {task_id}) failed container health checks."


def event_completed(deployment_id: str) -> str:
    return f"(deployment {deployment_id}) deployment completed."


def event_failed(deployment_id: str) -> str:
    return f"(deployment {deployment_id}) deployment failed: tasks failed to start."


def event_alarm(deployment_id: str) -> str:
    return f"(deployment {deployment_id}) deployment failed: alarm detected."


def event_rolling_back(deployment_id: str) -> str:
    return f"rolling back to deployment {deployment_id}."


EVENT_STEADY = "has reached a steady state."
EVENT_IMPAIRED = "is unable to consistently start tasks successfully."
EVENT_DEADLOCK = (
    "was unable to stop or start tasks during a deployment because of the service deployment "
    "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
)


def _tasks(task_ids: Sequence[str]) -> str:
    return " ".join(f"(task {task_id})" for task_id in task_ids)


NO_EXEC_AGENT = (
    "The execute command failed because execute command was not enabled when the task was run or "
    "the execute command agent isn’t running. Wait and try again or run a new task with execute "
    "command enabled and try again."
)
# boto/boto3#3173
NO_TASK_ROLE_TO_RUN = (
    "The execute command failed because a valid task role is not being used. Specify a valid task "
    "role in your task definition or as a task override and try again."
)


def no_task_role(done: str) -> str:
    """`done` is "created" or "updated". aws/aws-toolkit-jetbrains#3649"""
    return (
        f"The service couldn't be {done} because a valid taskRoleArn is not being used. Specify a "
        "valid task role in your task definition and try again."
    )
