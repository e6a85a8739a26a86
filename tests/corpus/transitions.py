"""What ECS's service deployments may do, as data.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from __future__ import annotations

# Each status and those that may follow it. () is final.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "PENDING": ("IN_PROGRESS", "ROLLBACK_REQUESTED", "STOP_REQUESTED", "STOPPED"),
    "IN_PROGRESS": (
        "SUCCESSFUL", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "STOPPED",
    ),
    "STOP_REQUESTED": ("STOPPED",),
    "ROLLBACK_REQUESTED": ("SUCCESSFUL", "ROLLBACK_IN_PROGRESS", "STOPPED"),
    "ROLLBACK_IN_PROGRESS": ("ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"),
    "SUCCESSFUL": (),
    "STOPPED": (),
    "ROLLBACK_SUCCESSFUL": (),
    "ROLLBACK_FAILED": (),
}  # fmt: skip

# Ends of tasks, and after how many of them trying again cannot help (0: never by itself).
TASK_ENDS: dict[str, tuple[int, str]] = {
    "image": (1, "TaskFailedToStart  CannotPullContainerError: failed to resolve ref x: not found"),
    "exit 0": (1, "EssentialContainerExited  exit 0  Essential container in task exited"),
    "exit 1": (2, "EssentialContainerExited  exit 1  Essential container in task exited"),
    "health": (2, "ServiceSchedulerInitiated  Task failed container health checks"),
    "pull limit": (0, "TaskFailedToStart  CannotPullContainerError: toomanyrequests"),
    "spot": (0, "SpotInterruption  Your Spot Task was interrupted."),
    "scaled in": (0, "ServiceSchedulerInitiated  Scaling activity initiated by (deployment x)"),
    "by hand": (0, "UserInitiated  Task stopped by user"),
}

EVENTS = (
    "has started 1 tasks: (task x).",
    "registered 1 targets in (target-group x)",
    "(port 8000) is unhealthy in (target-group x) due to (reason Request timed out).",
    "was unable to place a task. Reason: Capacity is unavailable at this time.",
    "is unable to consistently start tasks successfully.",
    "has reached a steady state.",
)

FAULTS = (
    "fails  describe_services  ThrottlingException  ×3",
    "fails  describe_service_deployments  ThrottlingException  ×2",
    "fails  describe_services  ServerException  ×3",
    "fails  describe_service_deployments  ServerException  ×2",
    "fails  list_tasks  ServerException  ×2",
    "fails  list_service_deployments  ThrottlingException",
    "stale  9s",
)
