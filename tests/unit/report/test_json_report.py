from __future__ import annotations

import json

from fsd.release.result import Outcome
from fsd.report.json_report import release_json, result_json
from tests.unit.report.results import NEW, make_first_failed, make_result, make_rolled_back


def test_result_json__succeeded__every_promised_field() -> None:
    report = result_json(make_result())

    assert list(report) == [
        "schema",
        "outcome",
        "exitCode",
        "action",
        "service",
        "environment",
        "account",
        "region",
        "startedAt",
        "finishedAt",
        "durationSeconds",
        "release",
        "previous",
        "running",
        "schedule",
        "nextRun",
        "runningCount",
        "desiredCount",
        "healthyCount",
        "image",
        "deploymentArn",
        "url",
        "logGroup",
        "owners",
        "phases",
        "changes",
        "diagnosis",
        "message",
        "nextSteps",
        "notes",
    ]
    assert report["schema"] == "fsd/result/v1"
    assert (report["outcome"], report["exitCode"]) == ("succeeded", 0)
    assert report["startedAt"] == "2026-03-04T14:00:00+00:00"
    assert report["durationSeconds"] == 124.0
    assert report["diagnosis"] is None


def test_result_json__rolled_back__the_whole_diagnosis() -> None:
    report = result_json(make_rolled_back())
    diagnosis = report["diagnosis"]

    assert (report["outcome"], report["exitCode"]) == ("rolled-back", 6)
    assert isinstance(diagnosis, dict)
    assert diagnosis["causes"][0]["code"] == "health-check-failed"
    assert diagnosis["causes"][0]["evidence"][1] == {
        "source": "target group",
        "text": "Health checks failed with these codes: [500]",
        "at": "",
    }
    assert diagnosis["logTask"] == "7f3a…"


def test_result_json__no_release_before__null() -> None:
    assert result_json(make_first_failed())["previous"] is None


def test_result_json__any_outcome__is_json() -> None:
    for outcome in Outcome:
        json.dumps(result_json(make_rolled_back(outcome=outcome)))


def test_release_json__all_fields() -> None:
    assert release_json(NEW) == {
        "version": "v1.3.0",
        "commit": "4f2c1e9aabbc",
        "revision": "offer-api-dev:42",
        "taskDefinitionArn": NEW.task_definition_arn,
        "digest": NEW.digest,
        "cpu": 1024,
        "memory": 2048,
        "at": "2026-03-04T14:00:00+00:00",
        "run": "alice@laptop",
        "forced": "",
        "promotedFrom": [],
        "outcome": "",
    }
