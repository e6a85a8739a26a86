from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.release.progress import baking_alarms, progress_of
from fsd.release.result import Progress
from fsd.rollout.assess import Ours
from fsd.snapshot import DeploymentStatus, EcsDeployment, Snapshot, TargetHealth, TaskState
from tests.timeline import deployment_arn, snapshot, task_definition

OURS = Ours(
    service="web", arn=deployment_arn("web:42"), task_definition_arn=task_definition("web:42")
)


def rolling() -> Snapshot:
    """Ours has 1 of 2, the one before still runs 2."""
    look = snapshot("deployment  web:42  IN_PROGRESS  0/2  failed 1/3")
    assert look.service is not None
    rows = (
        EcsDeployment(
            id="ecs-svc/2", status="PRIMARY", task_definition_arn=task_definition("web:42"),
            running=1, pending=1,
        ),
        EcsDeployment(
            id="ecs-svc/1", status="ACTIVE", task_definition_arn=task_definition("web:41"),
            running=2,
        ),
    )  # fmt: skip
    return replace(look, service=replace(look.service, deployments=rows))


def with_targets(look: Snapshot) -> Snapshot:
    assert look.service is not None
    return replace(look, service=replace(look.service, target_group_arns=("arn:tg",)))


def task(address: str, *, revision: str = "web:42", health: str = "UNKNOWN") -> TaskState:
    return TaskState(
        id=address, task_definition_arn=task_definition(revision), last_status="RUNNING",
        address=address, health=health,
    )  # fmt: skip


def target(address: str, state: str) -> TargetHealth:
    return TargetHealth(address=address, port=8000, state=state)


def seen(look: Snapshot) -> Progress:
    return progress_of(look, OURS, elapsed=timedelta(), old_revision="web:41", note="")


def test_progress_of__deployment_read_a_while_ago__counts_of_the_service() -> None:
    progress = seen(rolling())

    assert (progress.new_running, progress.new_pending, progress.old_running) == (1, 1, 2)
    assert (progress.new_healthy, progress.failed_tasks) == (1, 1)


def test_progress_of__no_load_balancer__running_but_for_the_unhealthy() -> None:
    look = replace(rolling(), tasks=(task("1", health="UNHEALTHY"),))

    assert seen(look).new_healthy == 0


def test_progress_of__load_balancer__our_healthy_targets() -> None:
    look = replace(
        with_targets(rolling()),
        tasks=(task("1"), task("2"), task("3", revision="web:41")),
        targets=(target("1", "healthy"), target("2", "initial"), target("3", "healthy")),
    )

    assert seen(look).new_healthy == 1


def test_progress_of__restart__tasks_of_the_same_revision_before_it_are_not_ours() -> None:
    look = with_targets(rolling())
    assert look.service is not None
    rows = [
        replace(d, task_definition_arn=OURS.task_definition_arn, running=2)
        for d in look.service.deployments
    ]
    tasks = [
        replace(task(str(number)), started_by=f"ecs-svc/{1 if number < 3 else 2}")
        for number in range(1, 5)
    ]
    look = replace(
        look,
        service=replace(look.service, deployments=tuple(rows)),
        tasks=tuple(tasks),
        targets=tuple(target(one.address, "healthy") for one in tasks),
    )

    assert seen(look).new_healthy == 2


def test_progress_of__not_listed_yet__what_the_deployment_says() -> None:
    look = snapshot("""
        deployment  web:42  IN_PROGRESS  1/2
        service     web:41  COMPLETED
    """)

    assert seen(look).new_running == 1


def baking(*, healthy: int = 2, old: int = 0, alarms: str = "MONITORING") -> Snapshot:
    """Ours has all its tasks, and ECS watches alarms; but for what is said."""
    look = rolling()
    assert look.service is not None
    assert look.deployment is not None
    mine, before = look.service.deployments
    rows = (replace(mine, running=healthy, pending=0), replace(before, running=old))
    return replace(
        look,
        service=replace(look.service, deployments=rows),
        deployment=replace(look.deployment, alarms=("5xx", "slow"), alarm_status=alarms),
    )


def test_baking_alarms__only_the_alarms_are_waited_for__names_them() -> None:
    alarms = baking_alarms(baking(), seen(baking()))

    assert alarms == ("5xx", "slow")


@pytest.mark.parametrize(
    "look",
    [baking(healthy=1), baking(old=1), baking(alarms="DISABLED"), baking(alarms="TRIGGERED")],
    ids=["a task is missing", "an old task runs", "alarms are ignored", "an alarm went off"],
)
def test_baking_alarms__something_else_is_waited_for__none(look: Snapshot) -> None:
    assert baking_alarms(look, seen(look)) == ()


def test_baking_alarms__deployment_is_done__none() -> None:
    look = baking()
    assert look.deployment is not None
    done = replace(look, deployment=replace(look.deployment, status=DeploymentStatus.SUCCESSFUL))

    assert baking_alarms(done, seen(done)) == ()
