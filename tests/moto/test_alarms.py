from __future__ import annotations

from collections.abc import Callable

from botocore.stub import Stubber

from fsd.aws.alarms import CloudWatchAlarms
from fsd.release.ports import AlarmState
from tests.moto.conftest import TestClients


def test_find__metric_and_composite__those_that_exist_with_their_state(
    clients: TestClients, stub: Callable[[str], Stubber]
) -> None:
    stub("cloudwatch").add_response(
        "describe_alarms",
        {
            "MetricAlarms": [
                {"AlarmName": "5xx", "StateValue": "ALARM", "StateReason": "too many"}
            ],
            "CompositeAlarms": [{"AlarmName": "any", "StateValue": "OK"}],
        },
        {
            "AlarmNames": ["5xx", "any", "none"],
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
        },
    )

    found = CloudWatchAlarms(clients=clients).find(["5xx", "any", "none"])

    assert list(found) == [
        AlarmState(name="5xx", state="ALARM", reason="too many"),
        AlarmState(name="any", state="OK", reason=""),
    ]
