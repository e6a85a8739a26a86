"""The words for causes that no stopped task tells."""

from __future__ import annotations

import pytest

from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import cause_text, summary_text
from fsd.rollout.advice import Advice, BareAdvice, HostRefused, PortUntold, VersionMisfit
from fsd.rollout.diagnose import find_causes
from fsd.rollout.summaries import (
    AlarmsInAlarm,
    BareSummary,
    NoTargetHealthy,
    StackInStatus,
    Summary,
    TargetsInState,
    TargetsUnhealthy,
    TargetsUnused,
    TooFewRunning,
)
from fsd.snapshot import Snapshot

NOT_IN_USE = "Target.NotInUse: Target group is not configured to receive traffic"
UNUSED = NoTargetHealthy(targets=(TargetsInState(count=2, state="unused", reason=NOT_IN_USE),))


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (
            UNUSED,
            "ECS reports the deployment as complete, but no target is healthy: 2 unused "
            "(Target.NotInUse: Target group is not configured to receive traffic)",
        ),
        (
            NoTargetHealthy(targets=()),
            "ECS reports the deployment as complete, but no target is healthy: none is registered",
        ),
        (
            TooFewRunning(running=1, desired=2),
            "1 of 2 tasks are running, and FSD could not find out why",
        ),
        (AlarmsInAlarm(names=("a", "b")), "CloudWatch alarm a, b is in ALARM"),
        (StackInStatus(status="ROLLBACK_COMPLETE"), "the service's stack is ROLLBACK_COMPLETE"),
        (
            TargetsUnhealthy(count=1, of=2, groups=("blue", "green")),
            "1 of 2 targets in blue and green fails the load balancer's health check",
        ),
        (
            TargetsUnused(count=2, of=2, groups=("web",)),
            "the load balancer sends nothing to 2 of 2 targets in web",
        ),
    ],
    ids=[
        "no target healthy", "none registered", "too few", "alarms", "stack", "unhealthy", "unused",
    ],
)  # fmt: skip
def test_summary_text__each(summary: Summary, text: str) -> None:
    assert summary_text(summary) == text


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (
            HostRefused(host=""),
            "make the health path answer regardless of the Host header (Django: ALLOWED_HOSTS): "
            "the log says that the service refuses the task's address as Host, which the check "
            "sends",
        ),
        (
            PortUntold(advice=BareAdvice.ANSWER_IN_TIME, has_lines=False),
            "make the health path answer in time; the task wrote no log lines",
        ),
        (
            VersionMisfit(package=""),
            "a package raises it, most often because it does not fit the version of another "
            "package that was installed with it: install the versions that were tested together "
            "(a lock file, or `==` in the requirements)",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_advice_text__each(advice: Advice, text: str) -> None:
    assert advice_text(advice) == text


def test_texts__values_without_fields__each_has_one() -> None:
    assert all(summary_text(each) for each in BareSummary)
    assert all(advice_text(each) for each in BareAdvice)


def test_find_causes__no_target_is_healthy__not_said_to_be_ecs_words() -> None:
    snapshot = Snapshot(service=None, deployment=None)

    (cause,) = find_causes(snapshot, "web:1", reason=UNUSED)

    assert cause_text(cause).startswith(
        "rollout-failed: ECS reports the deployment as complete, but no"
    )
    assert [(each.source, each.text) for each in cause.evidence] == [("target group", NOT_IN_USE)]
