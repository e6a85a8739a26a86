"""The CloudWatch alarms that a deployment is watched by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd.aws.errors import call
from fsd.aws.session import Clients
from fsd.release.ports import AlarmState


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchAlarms:
    """`fsd.release.ports.AlarmsPort`."""

    clients: Clients

    def find(self, names: Sequence[str]) -> Sequence[AlarmState]:
        """Composite alarms have to be asked for by their type.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        """
        answer = call(
            self.clients.client("cloudwatch"),
            "describe_alarms",
            ", ".join(names),
            AlarmNames=list(names),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        return tuple(
            AlarmState(
                name=alarm.get("AlarmName", ""),
                state=alarm.get("StateValue", ""),
                reason=alarm.get("StateReason", ""),
            )
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in answer.get(kind, [])
        )
