from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.quoted import Quoted
from fsd.release.notes import Created, Made, OutputLine
from fsd.release.result import Outcome
from fsd.release.rollout_speed import RolloutSpeed
from fsd.report.render import terminal_result
from fsd.rollout.cause import Cause
from tests.golden import golden
from tests.unit.report.results import (
    CAUSE,
    DIAGNOSIS,
    NEW,
    OLD,
    T0,
    make_first_failed,
    make_result,
    make_rolled_back,
)

URL = "http://internal-offer-api-dev-1a2b3c.us-east-1.elb.amazonaws.com"

DEPLOYMENT = "The deployment of offer-api v1.3.0 to dev"


def test_terminal_result__succeeded__the_answer_and_the_address() -> None:
    assert terminal_result(make_result()) == (f"Deployed offer-api v1.3.0 to dev in 2m04s\n  {URL}")


@pytest.mark.parametrize(
    ("faster", "slower", "said"),
    [
        (80, 20, "in 2m04s, faster than 80 % of the last 20 rollouts"),
        (5, 95, "in 2m04s, slower than 95 % of the last 20 rollouts"),
        (79, 21, "in 2m04s"),
    ],
)
def test_terminal_result__rollouts_before__said_where_it_is_worth_a_word(
    faster: int, slower: int, said: str
) -> None:
    speed = RolloutSpeed(faster_than=faster, slower_than=slower, of=20)

    first = terminal_result(make_result(speed=speed)).splitlines()[0]

    assert first == f"Deployed offer-api v1.3.0 to dev {said}"


def test_terminal_result__rolled_back__cause_evidence_fix_and_what_runs() -> None:
    text = terminal_result(make_rolled_back())

    assert text == golden("result/rolled-back.txt", text)


def test_terminal_result__first_deployment_failed__says_what_is_kept_and_how_to_go_on() -> None:
    text = terminal_result(make_first_failed())

    assert "changed since" not in text
    assert text.endswith("""
Failed to deploy offer-api v1.3.0 to dev. There was nothing to roll back to, so FSD scaled the
  service to 0 and kept the stack and the logs                                                exit 7
  next: fsd logs --service offer-api --env dev --since 1h
  next: fsd delete --service offer-api --env dev""")


@pytest.mark.parametrize(
    ("outcome", "message", "expected"),
    [
        (Outcome.UNCHANGED, "", "Nothing to change: offer-api-dev:42 (v1.3.0), 2 of 2 healthy"),
        (
            Outcome.NOT_STARTED,
            "no task ran",
            "Deployed but not started (the deployment of offer-api v1.3.0 to dev): no task ran",
        ),
        (
            Outcome.SUPERSEDED,
            "another took over",
            f"{DEPLOYMENT + ' was superseded: another took over':<94}exit 8",
        ),
        (
            Outcome.TIMED_OUT,
            "not done after 20m00s",
            f"{DEPLOYMENT + ' timed out: not done after 20m00s':<94}exit 9",
        ),
    ],
)
def test_terminal_result__other_ends__one_line(
    outcome: Outcome, message: str, expected: str
) -> None:
    assert terminal_result(make_result(outcome=outcome, message=message, url="")) == expected


def test_terminal_result__interrupted__next_steps_and_no_exit_code() -> None:
    """130 or 143: only the command knows which signal it was."""
    result = make_result(
        outcome=Outcome.INTERRUPTED, message="stopped by SIGINT", next_steps=("fsd status",)
    )

    assert terminal_result(result) == (
        "The deployment of offer-api v1.3.0 to dev was interrupted: stopped by SIGINT\n"
        "  next: fsd status"
    )


def test_terminal_result__started__how_to_watch_it() -> None:
    assert terminal_result(make_result(outcome=Outcome.STARTED, url="")) == (
        "Started the deployment of offer-api v1.3.0 to dev; FSD did not wait for its end\n"
        "  next: fsd status --service offer-api --env dev --watch"
    )


@pytest.mark.parametrize(
    ("action", "message", "expected"),
    [
        ("rollback", "", "Rolled offer-api back to v1.2.9 in dev in 2m04s"),
        ("restart", "", "Restarted offer-api v1.2.9 in dev in 2m04s"),
        ("scale", "2 → 3 tasks", "Scaled offer-api in dev in 2m04s: 2 → 3 tasks, 2 of 2 healthy"),
    ],
)
def test_terminal_result__operations__say_what_was_done(
    action: str, message: str, expected: str
) -> None:
    result = make_result(action=action, message=message, release=OLD, url="")

    assert terminal_result(result) == expected


def test_terminal_result__several_causes__the_others_in_a_line_each() -> None:
    other = Cause(
        code="crashed",
        summary=Quoted(text="the main process ended"),
        where="",
        evidence=(),
        advice=Quoted(text=""),
    )
    text = terminal_result(make_rolled_back(diagnosis=replace(DIAGNOSIS, causes=(CAUSE, other))))

    assert "\n  also[crashed]: the main process ended\n" in text


def test_terminal_result__hostile_log_line__no_control_character_reaches_the_terminal() -> None:
    hostile = replace(DIAGNOSIS, log_lines=("14:00:00 \x1b[2J\x1b]0;gone\x07\u202eok\nnext",))
    text = terminal_result(make_rolled_back(diagnosis=hostile))

    assert "   |  14:00:00 [2J]0;goneok next\n" in text


def test_terminal_result__many_log_lines__the_last_ones() -> None:
    lines = tuple(f"line {number}" for number in range(40))
    text = terminal_result(make_rolled_back(diagnosis=replace(DIAGNOSIS, log_lines=lines)))

    assert "line 27\n" not in text
    assert "   |  line 28\n" in text
    assert "   |  line 39\n" in text


def test_terminal_result__any_text__fits_100_columns() -> None:
    result = make_rolled_back(notes=(OutputLine(text="word " * 60),))

    assert max(len(line) for line in terminal_result(result).splitlines()) <= 100


def test_terminal_result__notes__after_the_answer() -> None:
    text = terminal_result(make_result(url="", notes=(Created(what=Made.PLACEHOLDER, name="x"),)))

    assert text.splitlines() == [
        "Deployed offer-api v1.3.0 to dev in 2m04s",
        "  note: created x with a placeholder value",
    ]


def test_terminal_result__release_without_label__commit_or_revision() -> None:
    by_commit = replace(NEW, version="")
    by_revision = replace(NEW, version="", commit="")

    assert "offer-api 4f2c1e9 to" in terminal_result(make_result(release=by_commit))
    assert "offer-api offer-api-dev:42 to" in terminal_result(make_result(release=by_revision))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "1s"), (41, "41s"), (124, "2m04s"), (3720, "1h02m")]
)
def test_terminal_result__durations(seconds: int, expected: str) -> None:
    text = terminal_result(make_result(finished_at=T0 + timedelta(seconds=seconds), url=""))

    assert text == f"Deployed offer-api v1.3.0 to dev in {expected}"
