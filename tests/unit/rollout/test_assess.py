from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.rollout.assess import (
    Doomed,
    Failed,
    InProgress,
    Ours,
    RolledBack,
    RollingBack,
    Succeeded,
    Superseded,
    assess,
)
from fsd.snapshot import DeploymentStatus
from tests.timeline import deployment_arn, snapshot, task_definition

OURS = Ours(
    service="web", arn=deployment_arn("web:42"), task_definition_arn=task_definition("web:42")
)


def test_assess__not_listed_yet__in_progress() -> None:
    assert assess(snapshot(""), OURS) == InProgress()


def test_assess__tasks_starting__in_progress() -> None:
    look = snapshot("deployment  web:42  IN_PROGRESS  0/2")

    assert assess(look, OURS) == InProgress()


def test_assess__successful__succeeded() -> None:
    look = snapshot("deployment  web:42  SUCCESSFUL  2/2")

    assert assess(look, OURS) == Succeeded()


def test_assess__stable_after_the_breaker_rolled_back__not_a_success() -> None:
    """aws-actions/amazon-ecs-deploy-task-definition#191: one deployment, running == desired."""
    look = snapshot("""
        deployment  web:42  ROLLBACK_SUCCESSFUL  0/2  TRIGGERED  circuit breaker: tasks failed
        service     web:41  COMPLETED
    """)

    assert assess(look, OURS) == RolledBack(reason="circuit breaker: tasks failed")


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"])
def test_assess__rolling_back__failed_already(status: str) -> None:
    look = snapshot(f"deployment  web:42  {status}  0/2  why")

    assert assess(look, OURS) == RollingBack(reason="why")


def test_assess__rollback_failed__says_so() -> None:
    look = snapshot("deployment  web:42  ROLLBACK_FAILED  0/2  no tasks")

    assert assess(look, OURS) == Failed(reason="no tasks", rollback_failed=True)


def test_assess__stopped_by_a_newer_deployment__superseded() -> None:
    look = snapshot("""
        deployment  web:42  STOPPED      0/2
        newer       web:43  IN_PROGRESS  1/2
    """)

    assert assess(look, OURS) == Superseded(
        by=deployment_arn("web:43"), task_definition_arn=task_definition("web:43")
    )


def test_assess__stopped_by_the_breaker_without_rollback__failed() -> None:
    look = snapshot("deployment  web:42  STOPPED  0/2  TRIGGERED  failed 3/3  tasks failed")

    assert assess(look, OURS) == Failed(reason="tasks failed")


def test_assess__breaker_and_a_newer_deployment__failed_not_superseded() -> None:
    look = snapshot("""
        deployment  web:42  STOPPED      0/2  TRIGGERED  tasks failed
        newer       web:43  IN_PROGRESS  1/2
    """)

    assert assess(look, OURS) == Failed(reason="tasks failed")


def test_assess__alarm_stopped_it__failed() -> None:
    look = snapshot("deployment  web:42  STOPPED  2/2  alarm=errors  alarm detected")

    assert assess(look, OURS) == Failed(reason="alarm detected")


def test_assess__newer_deployment_while_ours_is_in_progress__superseded() -> None:
    look = snapshot("""
        deployment  web:42  IN_PROGRESS  1/2
        newer       web:43  PENDING      0/2
    """)

    assert isinstance(assess(look, OURS), Superseded)


def test_assess__service_deleted__superseded_by_nothing() -> None:
    assert assess(snapshot("service  gone"), OURS) == Superseded(by="")


def test_assess__missing_image_once__doomed() -> None:
    look = snapshot("""
        deployment  web:42  IN_PROGRESS  0/2  failed 1/3
        stopped     web:42  TaskFailedToStart  CannotPullContainerError: failed to resolve ref x: not found
    """)

    verdict = assess(look, OURS)

    assert isinstance(verdict, Doomed)
    assert [cause.code for cause in verdict.causes] == ["image-not-found"]


def test_assess__crashed_once__in_progress_but_twice_is_doomed() -> None:
    line = "stopped  web:42  EssentialContainerExited  exit 1  Essential container in task exited"
    once = snapshot(f"deployment  web:42  IN_PROGRESS  0/2\n{line}")
    twice = snapshot(f"deployment  web:42  IN_PROGRESS  0/2\n{line}\n{line}")

    assert assess(once, OURS) == InProgress()
    assert isinstance(assess(twice, OURS), Doomed)


def test_assess__old_tasks_stop__in_progress() -> None:
    """Only stopped tasks of our revision count, and a scale-in is no failure."""
    look = snapshot("""
        deployment  web:42  IN_PROGRESS  1/2
        stopped     web:41  EssentialContainerExited  exit 1  Essential container in task exited
        stopped     web:41  EssentialContainerExited  exit 1  Essential container in task exited
        stopped     web:42  ServiceSchedulerInitiated  Scaling activity initiated by (deployment x)
        stopped     web:42  ServiceSchedulerInitiated  Scaling activity initiated by (deployment x)
        stopped     web:42  SpotInterruption  Your Spot Task was interrupted.
    """)

    assert assess(look, OURS) == InProgress()


def test_assess__capacity_is_short__in_progress() -> None:
    """What may get better is no verdict, however often it is seen."""
    line = "stopped  web:42  TaskFailedToStart  CannotPullContainerError: toomanyrequests: pull rate limit"
    look = snapshot("deployment  web:42  IN_PROGRESS  0/2\n" + f"{line}\n" * 9)

    assert assess(look, OURS) == InProgress()


@given(
    status=st.sampled_from(list(DeploymentStatus)),
    newer=st.booleans(),
    triggered=st.booleans(),
    asked=st.booleans(),
)
def test_assess__any_status__success_only_for_successful(
    status: DeploymentStatus, newer: bool, triggered: bool, asked: bool
) -> None:
    lines = [f"deployment  web:42  {status}  2/2" + ("  TRIGGERED" if triggered else "")]
    if newer:
        lines.append("newer  web:43  IN_PROGRESS  0/2")
    ours = Ours(
        service="web",
        arn=OURS.arn,
        task_definition_arn=OURS.task_definition_arn,
        asked_to_stop=asked,
    )

    verdict = assess(snapshot("\n".join(lines)), ours)

    assert isinstance(verdict, Succeeded) == (status is DeploymentStatus.SUCCESSFUL)
    if status.is_final:
        assert not isinstance(verdict, InProgress | RollingBack | Doomed)
