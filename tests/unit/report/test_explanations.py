from __future__ import annotations

import re

import pytest

from fsd.report.explanations import (
    every_explanation,
    explanation_json,
    explanation_table,
    explanation_text,
    find_explanation,
    known_ids,
    nearest_id,
)
from fsd.rollout.failures import FAILURES, WITHOUT_TASKS
from tests.golden import golden


def text(id_: str, *, color: bool = False) -> str:
    explanation = find_explanation(id_)
    assert explanation is not None
    return explanation_text(explanation, color=color)


def test_explanation_text__finding__why_the_source_and_the_change() -> None:
    shown = text("secret-arn-partial")

    assert shown == golden("explain/finding.txt", shown)


@pytest.mark.parametrize("id_", ["unknown-key", "unknown-suppression"])
def test_explanation_text__error_or_wrong_comment__is_not_to_be_kept(id_: str) -> None:
    assert "If this is intended" not in text(id_)


def test_explanation_text__several_files__each_under_its_name() -> None:
    shown = text("production-single-replica")

    assert "\n  service.yml\n    apiVersion: fsd/v1\n" in shown
    assert "\n  .fsd/environments.yml\n    apiVersion: fsd/v1\n" in shown
    assert "\n  +     resources.desiredCount: 2\n\n  fsd validate --env prod\n" in shown


def test_explanation_text__override__is_the_change() -> None:
    shown = text("override-unknown-path")

    assert "\nExample, found at --override resource.cpu=512\n" in shown
    assert shown.endswith(
        "  - fsd validate --override resource.cpu=512\n"
        "  + fsd validate --override resources.cpu=512"
    )


def test_explanation_text__failure__what_ecs_says_and_what_fsd_does() -> None:
    shown = text("container-health-check-failed")

    assert shown == golden("explain/failure.txt", shown)


def test_explanation_text__error__its_exit_code_and_what_to_do() -> None:
    assert (
        text("service-not-found")
        == """\
service-not-found · error

The ECS service does not exist in the cluster.
  exit code           2 or 5
  what to do          check --service and --env, or deploy it first"""
    )


def test_explanation_text__code_with_two_rows__both() -> None:
    shown = text("command-not-found")

    assert shown.count("\n  stage ") == 2
    assert "\n  message matches     " in shown
    assert "\n  exit code           126 or 127\n" in shown
    assert shown.count("https://") == 1


@pytest.mark.parametrize("id_", known_ids())
def test_explanation_text__color__is_the_same_text(id_: str) -> None:
    colored = text(id_, color=True)

    assert "\x1b[1m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == text(id_)


def test_explanation_text__failure_and_error__both() -> None:
    shown = text("image-not-found")

    assert shown.startswith("image-not-found · deployment failure\n")
    assert "\nAs an error of a command: the image is not in the registry.\n" in shown


def test_explanation_text__event__says_where_it_was_read() -> None:
    shown = text("target-group-missing")

    assert "  where               the service's events\n" in shown
    assert "  FSD stops waiting   at once\n" in shown


def test_explanation_table__every_id__its_severity_and_its_whole_summary() -> None:
    lines = explanation_table(every_explanation()).splitlines()

    assert [line.split()[0] for line in lines if line[0] != " "] == list(known_ids())
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines if "ignore[…]" not in line)
    words = [" ".join(line.split()) for line in lines]
    assert "fargate-size error `cpu` and `memory` are not a valid Fargate size" in words
    assert "out-of-memory failure the container ran out of memory" in words


def test_known_ids__every_failure_code__once() -> None:
    ids = known_ids()

    assert len(set(ids)) == len(ids)
    assert {row.code for row in (*FAILURES, *WITHOUT_TASKS)} < set(ids)


def test_explanation_json__finding__whole_example_and_place() -> None:
    explanation = find_explanation("production-single-replica")
    assert explanation is not None

    document = explanation_json(explanation)

    assert document["kind"] == "finding"
    assert document["severity"] == "warning"
    assert document["found"] == {"path": "service.yml", "line": 10, "column": 19, "source": None}
    before = document["before"]
    assert isinstance(before, dict)
    assert list(before["files"]) == ["service.yml", ".fsd/environments.yml"]
    assert before["arguments"] == ["--env", "prod"]


def test_explanation_json__failure__its_signs() -> None:
    explanation = find_explanation("command-not-found")
    assert explanation is not None

    document = explanation_json(explanation)

    assert document["kind"] == "failure"
    signs = document["signs"]
    assert isinstance(signs, list)
    assert [sign["exitCodes"] for sign in signs] == [[], [126, 127]]


def test_explanation_json__error__its_exit_codes() -> None:
    explanation = find_explanation("interrupted")
    assert explanation is not None

    document = explanation_json(explanation)

    assert (document["kind"], document["exitCodes"]) == ("error", [130, 143])


def test_find_explanation__unknown__none_but_a_nearest() -> None:
    assert find_explanation("health-check-fails") is None
    assert nearest_id("health-check-fails") == "health-check-failed"
    assert nearest_id("zzzzzzzz") is None
