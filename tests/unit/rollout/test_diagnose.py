from __future__ import annotations

import pytest

from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.rollout.cause import Evidence
from fsd.rollout.diagnose import doomed_causes, find_causes, find_task_to_read
from fsd.rollout.failures import EVENT_FAILURES, FAILURES, Failure, classify, classify_event
from tests.timeline import snapshot, task_definition

ARN = task_definition("web:42")

# (stop code, what ECS says, exit code, the cause)
CASES = [
    (
        "TaskFailedToStart",
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        "resolve ref repo@sha256:1: not found",
        None,
        "image-not-found",
    ),
    (
        "TaskFailedToStart",
        "CannotPullContainerError: no matching manifest for linux/amd64",
        None,
        "image-platform-mismatch",
    ),
    (
        "TaskFailedToStart",
        "CannotPullContainerError: pull access denied for repo",
        None,
        "image-pull-denied",
    ),
    (
        "TaskFailedToStart",
        "CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout",
        None,
        "network-unreachable",
    ),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: ResourceNotFoundException: Secrets Manager can't find the specified "
        "secret.",
        None,
        "secret-not-found",
    ),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets or registry auth: "
        "AccessDeniedException: not authorized to perform secretsmanager:GetSecretValue",
        None,
        "secret-access-denied",
    ),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets: retrieved secret from Secrets Manager"
        " did not contain json key user",
        None,
        "secret-json-key-missing",
    ),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: failed to validate logger args: The specified log group does "
        "not exist",
        None,
        "log-group-missing",
    ),
    (
        "TaskFailedToStart",
        'CannotStartContainerError: exec: "nope": executable file not found in $PATH',
        None,
        "command-not-found",
    ),
    ("EssentialContainerExited", "Essential container in task exited", 127, "command-not-found"),
    ("EssentialContainerExited", "Essential container in task exited", 0, "exited-at-once"),
    ("EssentialContainerExited", "Essential container in task exited", 1, "crashed"),
    ("EssentialContainerExited", "Essential container in task exited", 137, "killed"),
    (
        "TaskFailedToStart",
        "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        None,
        "image-pull-rate-limit",
    ),
    ("TaskFailedToStart", "CannotPullContainerError: 500", None, "image-pull-failed"),
    (
        "TaskFailedToStart",
        "Unexpected EC2 error while attempting to Create Network Interface: "
        "InsufficientFreeAddressesInSubnet",
        None,
        "subnet-full",
    ),
    ("TaskFailedToStart", "CannotCreateContainerError: API error", None, "platform-error"),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: failed to download env files: file download command",
        None,
        "environment-file-unreadable",
    ),
    (
        "TaskFailedToStart",
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
        "mount.nfs4: No such file or directory",
        None,
        "file-system-not-mounted",
    ),
    (
        "EssentialContainerExited",
        "OutOfMemoryError: Container killed due to memory usage",
        137,
        "out-of-memory",
    ),
    (
        "ServiceSchedulerInitiated",
        "Task failed ELB health checks in (target-group arn:x)",
        None,
        "health-check-failed",
    ),
    (
        "ServiceSchedulerInitiated",
        "Task failed container health checks",
        None,
        "container-health-check-failed",
    ),
]

EVENTS = [
    ("(task 1) is not healthy in (target-group x) due to TARGET GROUP IS NOT FOUND",
     "target-group-missing"),
    ("was unable to stop or start tasks during a deployment because of the service deployment "
     "configuration.", "no-room-to-deploy"),
    ("was unable to place a task. Reason: The requested CPU configuration is above your limit.",
     "quota-exceeded"),
    ("was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can "
     "run concurrently.", "quota-reached"),
    ("failed to launch a task with (error ECS was unable to assume the role 'arn:x')",
     "role-not-assumable"),
    ("was unable to place a task. Reason: Capacity is unavailable at this time.",
     "capacity-unavailable"),
    ("was unable to place a task because no container instance met all of its requirements. The "
     "closest matching (container-instance 1) is missing an attribute required by your task.",
     "capacity-unavailable"),
    ("was unable to place a task. Reason: subnet has no free addresses", "subnet-full"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reason", "exit_code", "cause"), CASES)
def test_classify__what_ecs_says__the_cause(
    code: str, reason: str, exit_code: int | None, cause: str
) -> None:
    exit_text = "" if exit_code is None else f"exit {exit_code}  "
    (task,) = snapshot(f"stopped  web:42  {code}  {exit_text}{reason}").stopped

    row = classify(task)

    assert row is not None
    assert row.code == cause


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: f"{row.code}-{row.exit_codes}")
def test_failures__every_row__takes_its_own_example(row: Failure) -> None:
    """A row that an earlier one hides is dead."""
    code = row.exit_codes[0] if row.exit_codes else None
    exit_text = "" if code is None else f"exit {code}  "
    (task,) = snapshot(f"stopped  web:42  TaskFailedToStart  {exit_text}{row.example}").stopped

    assert classify(task) is row


@pytest.mark.parametrize("row", EVENT_FAILURES, ids=lambda row: row.code)
def test_event_failures__every_row__takes_its_own_example(row: Failure) -> None:
    assert classify_event(row.example) is row


@pytest.mark.parametrize(("message", "cause"), EVENTS)
def test_classify_event__what_ecs_says__the_cause(message: str, cause: str) -> None:
    row = classify_event(f"(service web) {message}")

    assert row is not None
    assert row.code == cause


def test_classify_event__what_every_rollout_says__none() -> None:
    assert classify_event("(service web) has reached a steady state.") is None


def test_doomed_causes__event_seen_once_and_after_three__only_then() -> None:
    line = "event  (service web) ECS was unable to assume the role 'arn:aws:iam::1:role/x'"

    assert doomed_causes(snapshot(f"{line}\n{line}"), ARN) == ()
    assert [c.code for c in doomed_causes(snapshot(f"{line}\n{line}\n{line}"), ARN)] == [
        "role-not-assumable"
    ]


def test_find_causes__unhealthy_targets__summary_has_the_code_and_advice_fits() -> None:
    kill = "stopped  web:42  ServiceSchedulerInitiated  Task failed ELB health checks in (x)"
    look = snapshot(f"""
        {kill}
        {kill}
        target  10.0.0.7  unhealthy  Target.ResponseCodeMismatch  Health checks failed with these codes: [404]
    """)

    (cause,) = find_causes(look, ARN, reason="")

    assert cause.code == "health-check-failed"
    assert summary_text(cause.summary) == (
        "the load balancer's health check failed (2 tasks): status 404"
    )
    assert cause.where == "web:42 · tasks 0000…, 1111…"
    assert advice_text(cause.advice) == "set `healthCheck.path` to a path that the service serves"


def test_find_causes__targets_gone__the_event_tells() -> None:
    look = snapshot("""
        stopped  web:42  ServiceSchedulerInitiated  Task failed ELB health checks in (x)
        event    (service web) (port 8000) is unhealthy in (target-group x) due to (reason Health checks failed with these codes: [500]).
    """)

    (cause,) = find_causes(look, ARN, reason="")

    assert cause.evidence[-1].text == "Health checks failed with these codes: [500]"


def test_find_causes__program_not_found__summary_has_the_exit_code() -> None:
    look = snapshot("""
        stopped  web:42  EssentialContainerExited  exit 127  Essential container in task exited
    """)

    (cause,) = find_causes(look, ARN, reason="")

    assert cause.code == "command-not-found"
    assert summary_text(cause.summary).endswith("(one task, exit code 127)")


def test_find_causes__two_causes__the_frequent_first() -> None:
    crash = "stopped  web:42  EssentialContainerExited  exit 1  Essential container in task exited"
    look = snapshot(f"""
        stopped  web:42  TaskFailedToStart  CannotPullContainerError: x: not found
        {crash}
        {crash}
    """)

    assert [c.code for c in find_causes(look, ARN, reason="")] == ["crashed", "image-not-found"]


def test_find_causes__alarm_that_ended_it__comes_before_tasks() -> None:
    look = snapshot("""
        deployment  web:42  ROLLBACK_SUCCESSFUL  0/2  alarm=5xx
        stopped  web:42  EssentialContainerExited  exit 1  Essential container in task exited
    """)
    words = Evidence(source="alarm 5xx", text="Threshold Crossed")

    alarm, task = find_causes(look, ARN, reason="alarm detected", alarms=(words,))

    assert (alarm.code, task.code) == ("alarm-triggered", "crashed")
    assert alarm.evidence == (Evidence(source="ECS", text="alarm detected"), words)


def test_find_causes__alarm_that_nothing_names__said_by_the_reason() -> None:
    """As DescribeServices tells it, where the service-deployment API is denied."""
    look = snapshot("deployment  web:42  ROLLBACK_SUCCESSFUL  0/2")

    (cause,) = find_causes(look, ARN, reason="ECS deployment failed: alarm detected.")

    assert (cause.code, summary_text(cause.summary)) == (
        "alarm-triggered",
        "a CloudWatch alarm went off",
    )


def test_find_causes__nothing_stopped__ecs_reason_and_telling_events() -> None:
    look = snapshot("""
        event  (service web) was unable to do something new.
        event  (service web) has started 1 tasks
    """)

    (cause,) = find_causes(look, ARN, reason="circuit breaker was triggered")

    assert cause.code == "rollout-failed"
    assert [evidence.text for evidence in cause.evidence] == [
        "circuit breaker was triggered",
        "(service web) was unable to do something new.",
    ]


def test_worst_task__several__the_latest_of_the_most_frequent() -> None:
    crash = "stopped  web:42  EssentialContainerExited  exit 1  Essential container in task exited"
    look = snapshot(
        f"{crash}\n{crash}\nstopped  web:42  TaskFailedToStart  CannotPull x: not found"
    )

    worst = find_task_to_read(look, ARN)

    assert worst is not None
    assert worst.id == "1" * 32


def test_worst_task__only_replaced_tasks__none() -> None:
    look = snapshot(
        "stopped  web:42  ServiceSchedulerInitiated  Scaling activity initiated by (deployment x)"
    )

    assert find_task_to_read(look, ARN) is None
