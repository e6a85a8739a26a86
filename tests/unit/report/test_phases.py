"""The words of a deployment's phases, each kind of fact once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from fsd.quoted import Quoted
from fsd.release.messages import (
    BackAndHealth,
    BackEnded,
    BackUnknown,
    BareMessage,
    Down,
    HealthUnknown,
    NothingBefore,
    OvertakenBy,
    Since,
)
from fsd.release.phase_facts import (
    BarePhaseFact,
    EndedAfter,
    HealthyAfter,
    ImageOrigin,
    ImageReady,
    ManifestRead,
    PhaseFact,
    PushedParts,
    RolloutEnd,
    WentBack,
)
from fsd.report.phases import fact_text, phase_text
from tests.unit.report.results import make_phase

TOOK = timedelta(seconds=98)
IMAGE = ImageReady(
    name="web", digest="sha256:9b1f2c3d4e5f6a7b", tag="t1", origin=ImageOrigin.BUILT, seconds=12.44
)
DOWN = Down(
    service="web-dev",
    since=Since(at=datetime(2026, 3, 4, tzinfo=UTC), is_known=True),
    revision="web-dev:41",
    tried=BareMessage.SERVICE_GONE,
    health_path="/health",
)
ERROR = Quoted(text="no answer")
CASES: list[tuple[PhaseFact, str]] = [
    (BarePhaseFact.BUILDING, "building"),
    (BarePhaseFact.FAILED, "failed"),
    (BarePhaseFact.NO_ANSWER, "AWS does not answer"),
    (BarePhaseFact.NO_TASK, "no task: the desired count is 0"),
    (ManifestRead(file="service.yml", warnings=0), "service.yml: 0 errors, 0 warnings"),
    (ManifestRead(file="service.yml", warnings=1), "service.yml: 0 errors, 1 warning"),
    (IMAGE, "web@sha256:9b1f2c3d4e5f…   built 12.4 s"),
    (
        replace(IMAGE, parts=PushedParts(pushed=3, total=9, unit="layers")),
        "web@sha256:9b1f2c3d4e5f…   built 12.4 s, pushed 3 of 9 layers",
    ),
    (
        replace(IMAGE, origin=ImageOrigin.REUSED),
        "web@sha256:9b1f2c3d4e5f…   reused from an earlier build",
    ),
    (replace(IMAGE, origin=ImageOrigin.GIVEN, digest=""), "web:t1   given"),
    (HealthyAfter(took=TOOK, running=2, desired=2), "2 of 2 healthy after 1m38s"),
    (HealthyAfter(took=TOOK, running=None, desired=None), "all healthy after 1m38s"),
    (EndedAfter(end=RolloutEnd.SUPERSEDED, took=TOOK), "superseded after 1m38s"),
    (EndedAfter(end=RolloutEnd.NO_END, took=TOOK), "not finished after 1m38s"),
    (EndedAfter(end=RolloutEnd.FAILED, took=TOOK), "failed after 1m38s"),
]
BACK: list[tuple[str, BackEnded, str]] = [
    ("web-dev:41", BareMessage.SCALED_BACK_TO_ZERO, "rolled back to web-dev:41"),
    ("", BareMessage.HEALTHY_TOO_SOON, "too late: the deployment had succeeded"),
    ("", OvertakenBy(revision="web-dev:43"), "another deployment took over"),
    ("", NothingBefore(unproved="", is_stopped=True), "nothing to roll back to; scaled to 0"),
    (
        "",
        NothingBefore(unproved="", is_stopped=False),
        "nothing to roll back to; scaling to 0, tasks are still stopping",
    ),
    ("", BackUnknown(revision="web-dev:42", error=ERROR), "the state is not known"),
    ("", BareMessage.SERVICE_GONE, "the rollback did not succeed"),
    ("web-dev:41", DOWN, "the service is down"),
]


@pytest.mark.parametrize(("fact", "text"), CASES, ids=[text for _, text in CASES])
def test_fact_text__each_kind__its_words(fact: PhaseFact, text: str) -> None:
    assert fact_text(fact) == text


@pytest.mark.parametrize(("revision", "message", "text"), BACK, ids=[each[2] for each in BACK])
def test_fact_text__went_back__how_it_ended(revision: str, message: BackEnded, text: str) -> None:
    plain = WentBack(revision=revision, message=message, took=TOOK)
    health = HealthUnknown(error=ERROR)
    wrapped = replace(plain, message=BackAndHealth(ended=message, health=health))

    link = "in" if text.startswith("rolled back") else "after"
    assert fact_text(plain) == f"{text} {link} 1m38s"
    assert fact_text(wrapped) == f"{text} {link} 1m38s"


def test_cases__every_kind_of_fact__has_one() -> None:
    assert {type(fact) for fact, _ in CASES} | {WentBack} == set(get_args(PhaseFact))


def test_phase_text__only_begun__nothing() -> None:
    assert phase_text(make_phase(fact=None)) == ""
