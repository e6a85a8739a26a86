"""Deployment alarms through the API; every answer is held to botocore's model."""

from __future__ import annotations

from typing import Any

from tests.local.ecs.cloud import BREAKER, Cloud

ALARMS = {"alarmNames": ["5xx"], "enable": True, "rollback": True}
WATCHED = BREAKER | {"alarms": ALARMS, "bakeTimeInMinutes": 10}  # 3 s at the speed of the tests


def update(cloud: Cloud, **alarms: Any) -> str:
    configuration = WATCHED | {"alarms": ALARMS | alarms}
    return cloud.update(cloud.register("app:2"), deploymentConfiguration=configuration)


def test_update_service__alarm_goes_off_in_the_bake_time__rolled_back(cloud: Cloud) -> None:
    before = cloud.running_service()
    cloud.alarms.states["5xx"] = "OK"
    arn = update(cloud)
    assert cloud.deployment(arn)["alarms"]["status"] == "MONITORING"
    cloud.alarms.states["5xx"] = "ALARM"

    found = cloud.wait_for("ROLLBACK_SUCCESSFUL", arn)

    assert found["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["5xx"],
        "triggeredAlarmNames": ["5xx"],
    }
    assert cloud.service()["taskDefinition"] == before["taskDefinition"]
    assert any(e.endswith("deployment failed: alarm detected.") for e in cloud.events())


def test_update_service__alarm_without_rollback__stopped(cloud: Cloud) -> None:
    cloud.running_service()
    arn = update(cloud, rollback=False)
    cloud.alarms.states["5xx"] = "ALARM"

    found = cloud.wait_for("STOPPED", arn)

    assert found["statusReason"] == "Service deployment stopped: alarm detected."
    assert found["alarms"]["triggeredAlarmNames"] == ["5xx"]
    assert cloud.service()["deployments"][0]["rolloutState"] == "FAILED"


def test_update_service__alarm_in_alarm_already__deploys_without_watching(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.alarms.states["5xx"] = "ALARM"

    found = cloud.wait_for("SUCCESSFUL", update(cloud))

    assert found["alarms"] == {
        "status": "DISABLED",
        "alarmNames": ["5xx"],
        "triggeredAlarmNames": [],
    }


def test_update_service__alarms_of_the_service__are_looked_at_too(cloud: Cloud) -> None:
    """The update names none: those that the service has hold."""
    cloud.running_service(deploymentConfiguration=BREAKER | {"alarms": ALARMS})
    cloud.alarms.states["5xx"] = "ALARM"

    arn = cloud.update(cloud.register("app:2"))

    assert cloud.deployment(arn)["alarms"]["status"] == "DISABLED"


def test_create_service__alarm_that_does_not_exist__is_accepted(cloud: Cloud) -> None:
    cloud.running_service(deploymentConfiguration=WATCHED)

    assert cloud.deployment()["alarms"]["status"] == "MONITORING_COMPLETE"
