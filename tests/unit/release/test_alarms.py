from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.release.alarms import evidence, warnings
from fsd.release.deploy import deploy
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from fsd.report.notes import note_texts
from fsd.rollout.cause import Evidence
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request

WATCHED: Json = {"alarms": {"alarmNames": ["5xx", "slow"], "enable": True, "rollback": True}}
IGNORED = "ECS ignores all alarms during this deployment, so none of them rolls it back"


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.alarms.states = {"5xx": "OK", "slow": "INSUFFICIENT_DATA"}
    return aws


def test_warnings__alarms_that_are_quiet__none(aws: FakeAws) -> None:
    assert note_texts(warnings(aws.aws(), WATCHED)) == ()


def test_warnings__in_alarm_already__says_that_ecs_ignores_them(aws: FakeAws) -> None:
    aws.alarms.states["5xx"] = "ALARM"

    assert note_texts(warnings(aws.aws(), WATCHED)) == (
        f"CloudWatch alarm 5xx is already in ALARM: {IGNORED}",
    )


def test_warnings__both_in_alarm__names_both(aws: FakeAws) -> None:
    aws.alarms.states = {"5xx": "ALARM", "slow": "ALARM"}

    assert note_texts(warnings(aws.aws(), WATCHED))[0].startswith(
        "CloudWatch alarms 5xx, slow are already in ALARM"
    )


def test_warnings__alarm_that_does_not_exist__says_so(aws: FakeAws) -> None:
    del aws.alarms.states["slow"]

    assert note_texts(warnings(aws.aws(), WATCHED)) == (
        "CloudWatch alarm slow is missing: an alarm that does not exist cannot roll anything back",
    )


def test_warnings__denied__says_so_and_goes_on(aws: FakeAws) -> None:
    aws.alarms.error = CallFailedError("AccessDenied", where="5xx, slow", fix="allow it")

    assert note_texts(warnings(aws.aws(), WATCHED)) == (
        "FSD could not read the deployment's alarms before the deployment began: AccessDenied",
    )


@pytest.mark.parametrize(
    "configuration", [{}, {"alarms": {"alarmNames": [], "enable": False, "rollback": False}}]
)
def test_warnings__no_alarms__asks_nothing(aws: FakeAws, configuration: Json) -> None:
    aws.alarms.error = CallFailedError("asked", where="", fix="")

    assert warnings(aws.aws(), configuration) == ()


def test_evidence__still_in_alarm__cloudwatch_s_own_words(aws: FakeAws) -> None:
    aws.alarms.states["5xx"] = "ALARM"

    assert evidence(aws.aws(), ("5xx", "slow")) == (
        Evidence(source="alarm 5xx", text="5xx is ALARM"),
    )


def test_evidence__not_readable__none(aws: FakeAws) -> None:
    aws.alarms.error = CallFailedError("AccessDenied", where="5xx", fix="allow it")

    assert evidence(aws.aws(), ("5xx",)) == ()


def test_deploy__alarm_in_alarm_already__warned_and_deployed(aws: FakeAws) -> None:
    aws.alarms.states["5xx"] = "ALARM"
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    desired = make_desired()
    service = replace(desired.service, deployment_configuration=WATCHED)

    result = deploy(
        make_request(replace(desired, service=service)),
        aws.aws(),
        clock=FakeClock(),
        reporter=Silent(),
    )

    assert result.outcome is Outcome.SUCCEEDED
    assert note_texts(result.notes) == (f"CloudWatch alarm 5xx is already in ALARM: {IGNORED}",)
