from __future__ import annotations

from datetime import timedelta

import pytest

from fsd.rollout.legacy import deployments_of
from fsd.snapshot import DeploymentStatus, EcsDeployment, ServiceDeployment, ServiceState
from tests.timeline import PREFIX, START, task_definition


def service(*lines: str) -> ServiceState:
    """`ecs-svc/2 PRIMARY web:42 IN_PROGRESS 0/2 reason…`, the newest first."""
    deployments = tuple(
        deployment(line, age=len(lines) - number) for number, line in enumerate(lines)
    )
    return ServiceState(
        name="web",
        arn=f"{PREFIX}service/dev/web",
        cluster="dev",
        status="ACTIVE",
        task_definition_arn=deployments[0].task_definition_arn,
        desired=2,
        running=2,
        pending=0,
        deployments=deployments,
    )


def deployment(line: str, *, age: int) -> EcsDeployment:
    id_, status, revision, state, counts, *reason = line.split(maxsplit=5)
    return EcsDeployment(
        id=id_,
        status=status,
        task_definition_arn=task_definition(revision),
        rollout_state=state,
        rollout_state_reason=reason[0] if reason else "",
        running=int(counts[0]),
        desired=int(counts[2]),
        created_at=START + timedelta(minutes=age),
    )


def remembered(status: str) -> dict[str, ServiceDeployment]:
    before = service("ecs-svc/2 PRIMARY web:42 IN_PROGRESS 0/2")
    if status == "FAILED":
        before = service("ecs-svc/2 PRIMARY web:42 FAILED 0/2 tasks failed to start")
    return deployments_of(before, {})


OLD = "ecs-svc/1 ACTIVE web:41 COMPLETED 2/2"


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (("ecs-svc/2 PRIMARY web:42 IN_PROGRESS 1/2", OLD), "IN_PROGRESS"),
        (("ecs-svc/2 PRIMARY web:42 COMPLETED 2/2",), "SUCCESSFUL"),
        (("ecs-svc/2 PRIMARY web:42 FAILED 0/2 tasks failed to start",), "STOPPED"),
        (
            (
                "ecs-svc/3 PRIMARY web:41 IN_PROGRESS 2/2 rolling back to deploymentId ecs-svc/1",
                "ecs-svc/2 ACTIVE web:42 FAILED 0/2 tasks failed to start",
            ),
            "ROLLBACK_IN_PROGRESS",
        ),
        (
            ("ecs-svc/3 PRIMARY web:41 COMPLETED 2/2 rolled back to deploymentId ecs-svc/1",),
            "ROLLBACK_SUCCESSFUL",
        ),
        (("ecs-svc/3 PRIMARY web:43 IN_PROGRESS 0/2", OLD), "STOPPED"),
        (
            (
                "ecs-svc/3 PRIMARY web:43 IN_PROGRESS 0/2",
                "ecs-svc/2 ACTIVE web:42 IN_PROGRESS 1/2",
            ),
            "STOPPED",
        ),
    ],
)
def test_deployments_of__what_describe_services_shows__status(
    now: tuple[str, ...], status: str
) -> None:
    found = deployments_of(service(*now), remembered("IN_PROGRESS"))

    assert found["ecs-svc/2"].status is DeploymentStatus(status)


def test_deployments_of__failed_and_gone__the_rollback_that_followed() -> None:
    """The FAILED state was seen; the words of the rollback came and went between two looks."""
    found = deployments_of(
        service("ecs-svc/3 PRIMARY web:41 COMPLETED 2/2 deployment completed"),
        remembered("FAILED"),
    )

    assert found["ecs-svc/2"].status is DeploymentStatus.STOPPED
    assert found["ecs-svc/2"].breaker_status == "TRIGGERED"


@pytest.mark.parametrize(
    ("revision", "status"), [("web:41", "ROLLBACK_SUCCESSFUL"), ("web:43", "STOPPED")]
)
def test_deployments_of__failed_then_a_proved_revision_runs__that_is_the_rollback(
    revision: str, status: str
) -> None:
    """Seen on a slow machine: "another deployment took over", where ECS had rolled back."""
    failed = deployments_of(
        service("ecs-svc/2 PRIMARY web:42 FAILED 0/2 tasks failed to start", OLD), {}
    )

    found = deployments_of(
        service(f"ecs-svc/3 PRIMARY {revision} COMPLETED 2/2 deployment completed"), failed
    )

    assert found["ecs-svc/2"].status is DeploymentStatus(status)


def test_deployments_of__counts_and_reason__kept() -> None:
    found = deployments_of(
        service("ecs-svc/2 PRIMARY web:42 FAILED 0/2 tasks failed to start", OLD), {}
    )

    assert found["ecs-svc/2"].status_reason == "tasks failed to start"
    assert (found["ecs-svc/2"].requested, found["ecs-svc/2"].source_running) == (2, 2)
