"""What is said of a service besides its faults, each kind of fact once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from fsd.quoted import Quoted
from fsd.report.condition_facts import condition_note_text, unknown_text
from fsd.rollout.condition_facts import (
    AlarmsUnsaid,
    BareNote,
    BehindClassic,
    ConditionNote,
    CouldNotRead,
    DeployedByOther,
    EndedAndReplaced,
    KeyUnsaid,
    ReadPart,
    RolloutUnsaid,
    StackDrifted,
    StackUnsaid,
    StatusUnknown,
    TargetsUnsaid,
    TaskSetSeen,
    TasksStarting,
    Unknown,
)
from fsd.rollout.failures import FAILURES

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
DENIED = Quoted(text="AccessDenied: no")
CRASHED = next(row for row in FAILURES if row.code == "crashed")
ENDED = EndedAndReplaced(count=1, last_at=NOW, seen_at=NOW, failure=CRASHED)
SET = TaskSetSeen(revision="web:3", status="PRIMARY", stability="STEADY_STATE", running=1)

UNKNOWNS: list[tuple[Unknown, str]] = [
    (
        CouldNotRead(part=ReadPart.TARGETS, error=DENIED, names=("blue", "green")),
        "FSD could not read the health of target group blue and green: AccessDenied: no",
    ),
    (
        CouldNotRead(part=ReadPart.RULE, error=DENIED),
        "FSD could not read where the listener rule sends requests: AccessDenied: no",
    ),
    (
        CouldNotRead(part=ReadPart.ALARMS, error=DENIED, names=("5xx", "slow")),
        "FSD could not read CloudWatch alarm 5xx, slow: AccessDenied: no",
    ),
    (
        KeyUnsaid(key="desiredCount"),
        "ECS's answer does not say how many tasks are wanted (`desiredCount`)",
    ),
    (
        StatusUnknown(status="PAUSED"),
        "FSD does not know the status PAUSED that ECS reports for the service",
    ),
    (
        RolloutUnsaid(running=1, desired=2),
        "ECS does not say how the newest deployment is going, and 1 of its 2 tasks are running",
    ),
    (TargetsUnsaid(count=2), "the load balancer does not say whether 2 of its targets are healthy"),
    (
        StackUnsaid(name="fsd-web-dev"),
        "CloudFormation does not say what state stack fsd-web-dev is in",
    ),
    (AlarmsUnsaid(names=("5xx",)), "CloudWatch does not say what state 5xx is in"),
]
NOTES: list[tuple[ConditionNote, str]] = [
    (BareNote.NO_TASK_SET, "the service has no task set"),
    (BareNote.ROLLOUT_IN_PROGRESS, "a rollout is in progress"),
    (
        CouldNotRead(part=ReadPart.TAGS, error=DENIED),
        "FSD could not read the service's tags: AccessDenied: no",
    ),
    (
        DeployedByOther(controller="CODE_DEPLOY"),
        "CodeDeploy deploys this service with task sets: FSD shows what is running, and does "
        "not judge the deployments",
    ),
    (
        DeployedByOther(controller="NEW"),
        (
            "a controller other than ECS deploys this service with task sets: FSD shows what is "
            "running, and does not judge the deployments"
        ),
    ),
    (SET, "task set of web:3: PRIMARY, STEADY_STATE, 1 running"),
    (
        TaskSetSeen(revision="", status="", stability="", running=None),
        "task set: status not said",
    ),
    (
        BehindClassic(load_balancers=("old",)),
        "FSD does not read target health from the classic load balancer old",
    ),
    (ENDED, "a task ended at 14:00:00 (crashed: the main process ended) and was replaced"),
    (
        replace(ENDED, count=3, last_at=NOW - timedelta(days=1), failure=None),
        "3 tasks ended in the last hour, the last at 2026-03-03 14:00:00, and were replaced",
    ),
    (TasksStarting(count=1), "1 task is starting"),
    (TasksStarting(count=2), "2 tasks are starting"),
    (
        StackDrifted(name="fsd-web-dev", checked_at=NOW, seen_at=NOW),
        "CloudFormation found at 14:00:00 that stack fsd-web-dev has drifted from its template",
    ),
]


@pytest.mark.parametrize(("fact", "text"), UNKNOWNS, ids=[text for _, text in UNKNOWNS])
def test_unknown_text__each_kind__its_words(fact: Unknown, text: str) -> None:
    assert unknown_text(fact) == text


@pytest.mark.parametrize(("fact", "text"), NOTES, ids=[text for _, text in NOTES])
def test_condition_note_text__each_kind__its_words(fact: ConditionNote, text: str) -> None:
    assert condition_note_text(fact) == text


def test_cases__every_kind__has_one() -> None:
    assert {type(fact) for fact, _ in UNKNOWNS} == set(get_args(Unknown))
    assert {type(fact) for fact, _ in NOTES} == set(get_args(ConditionNote))
