from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fsd.release.progress import progress_of
from fsd.release.result import Progress
from fsd.rollout.assess import Ours
from fsd.snapshot import EcsDeployment, Snapshot, TargetHealth, TaskState
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


def test_progress_of__not_listed_yet__what_the_deployment_says() -> None:
    look = snapshot("""
        deployment  web:42  IN_PROGRESS  1/2
        service     web:41  COMPLETED
    """)

    assert seen(look).new_running == 1
