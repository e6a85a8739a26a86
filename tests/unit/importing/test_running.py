"""A service that another tool made, and runs."""

from __future__ import annotations

import pytest

from fsd.importing.fit import fit
from fsd.importing.running_service import read_running
from fsd.importing.values import Value, mapping

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/mqtt/0a1b2c"


@pytest.mark.parametrize(
    ("protocol", "kind", "port"),
    [
        ("TCP", "network", {"ports": [{"port": 1883, "protocol": "tcp"}]}),
        ("TLS", "network", {"ports": [{"port": 1883, "protocol": "tcp"}]}),
        ("HTTP", "application", {"port": 1883}),
    ],
)
def test_read_running__target_group_of_somebody__what_it_speaks(
    protocol: str, kind: str, port: dict[str, Value]
) -> None:
    container: dict[str, Value] = {
        "name": "mqtt",
        "image": "me/mqtt:1",
        "portMappings": [{"containerPort": 1883}],
    }
    answer: dict[str, Value] = {
        "service": {
            "serviceName": "mqtt",
            "loadBalancers": [{"targetGroupArn": ARN, "containerPort": 1883}],
        },
        "taskDefinition": {
            "family": "mqtt", "cpu": "256", "memory": "512", "containerDefinitions": [container],
        },
        "targetGroups": [{"TargetGroupArn": ARN, "Protocol": protocol}],
    }  # fmt: skip

    imported = fit(read_running(answer, source="c/mqtt", pack="")).imported

    service = mapping(imported.tree["service"])
    assert mapping(service["networking"])["loadBalancer"] == {"type": kind, "targetGroupArn": ARN}
    assert {key: service[key] for key in ("port", "ports") if key in service} == port
    assert imported.losses == ()
