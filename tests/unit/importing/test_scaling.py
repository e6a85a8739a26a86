from __future__ import annotations

import pytest

from fsd.importing.reader import Loss
from fsd.importing.scaling import read_scaling
from fsd.importing.values import Value, listed, mapping

NIGHT: dict[str, Value] = {
    "ScheduledActionName": "web-at-night",
    "Schedule": "cron(0 22 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 1},
}


def read(action: dict[str, Value]) -> tuple[list[Value], list[Loss]]:
    losses: list[Loss] = []
    answer: dict[str, Value] = {
        "service": {"serviceName": "web"},
        "targets": [{"MinCapacity": 1, "MaxCapacity": 9}],
        "schedules": [NIGHT | action],
    }
    scaling = mapping(read_scaling(answer, losses)["autoScaling"])
    return listed(scaling.get("schedules")), losses


def test_schedule__no_policy__imported() -> None:
    found, losses = read({})

    night = {"name": "night", "cron": "0 22 * * ? *", "minCapacity": 0, "maxCapacity": 1}
    assert (found, losses) == ([night], [])


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (
            {"Schedule": "at(2026-12-24T18:00:00)"},
            "a schedule of `autoScaling` is a cron expression",
        ),
        ({"Schedule": "rate(1 hour)"}, "a schedule of `autoScaling` is a cron expression"),
        ({"EndTime": "2026-12-24"}, "a schedule of `autoScaling` has no end"),
    ],
)
def test_schedule__cannot_be_said__lost(action: dict[str, Value], reason: str) -> None:
    found, losses = read(action)

    value = f"web-at-night {(NIGHT | action)['Schedule']}"
    assert (found, losses) == ([], [Loss(where="schedules[0]", value=value, reason=reason)])


def test_schedule__name_of_somebody_else__imported_and_said() -> None:
    found, losses = read({"ScheduledActionName": "Night_Shift"})

    assert [mapping(each)["name"] for each in found] == ["night-shift"]
    assert [each.where for each in losses] == ["schedules[0].ScheduledActionName"]
    assert "FSD makes web-at-night-shift of it" in losses[0].reason
