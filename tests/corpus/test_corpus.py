"""Every rollout of the corpus gets the verdict that it says, at the moment that it says."""

from __future__ import annotations

import re

import pytest

from fsd.release.result import Outcome
from fsd.report.json_report import result_json
from tests.corpus.play import Played, Timeline, duration, play, read_timelines

TIMELINES = read_timelines()
# Ended before ECS was asked for a rollout, or not a deployment at all.
OF_NO_ROLLOUT = {Outcome.PLANNED, Outcome.SKIPPED, Outcome.REFUSED}


def name(timeline: Timeline) -> str:
    return f"{timeline.file}: {timeline.title}"


def actual(played: Played, expected: tuple[str, ...]) -> tuple[str, ...]:
    """The verdict in the words of the script; only what the script says is told."""
    result, said = played.result, []
    for word in expected:
        match word.split()[0]:
            case "exit":
                said.append(f"exit {int(result.outcome.exit_code)}")
            case "cause":
                code = result.diagnosis.cause.code if result.diagnosis else "none"
                said.append(f"cause {code}")
            case "at":
                said.append(_time(played, word))
            case "runs":
                said.append(f"runs {result.running.revision if result.running else 'nothing'}")
            case "calls":
                made = [name for name, _ in played.world.made]
                said.append(f"calls {', '.join(made) or 'none'}")
            case "count":
                said.append(f"count {played.world.desired}")
            case _:
                said.append(str(result.outcome))
    return tuple(said)


def _time(played: Played, expected: str) -> str:
    if played.judged is None:
        return "at never"
    wanted = duration(expected.removeprefix("at "))
    return expected if played.judged == wanted else f"at {played.judged.total_seconds():g}s"


def everything(played: Played) -> str:
    return "\n".join([*played.notes, str(result_json(played.result))])


def _is_long(timeline: Timeline) -> bool:
    at = next((word for word in timeline.verdict if word.startswith("at ")), "at 0s")
    return duration(at.removeprefix("at ")).total_seconds() >= 120


@pytest.mark.parametrize("timeline", TIMELINES, ids=name)
def test_deploy__timeline_of_the_corpus__its_verdict(timeline: Timeline) -> None:
    played = play(timeline)

    assert actual(played, timeline.verdict) == timeline.verdict
    text = everything(played)
    assert [words for words in timeline.says if words not in text] == []
    assert [words for words in timeline.never if words in text] == []


def test_corpus__every_verdict__says_its_exit_code_its_cause_and_when() -> None:
    failed = {"rolled-back", "rollback-failed"}
    for timeline in TIMELINES:
        outcome, *words = timeline.verdict
        kinds = {word.split()[0] for word in words}
        assert kinds >= {"exit", "at"} or outcome == "unchanged", timeline.title
        assert "cause" in kinds or outcome not in failed, timeline.title


def test_corpus__outcomes__each_has_a_timeline_or_is_of_no_rollout() -> None:
    shown = {timeline.verdict[0] for timeline in TIMELINES}

    assert {outcome for outcome in Outcome if str(outcome) not in shown} == OF_NO_ROLLOUT


def test_corpus__size_and_titles__sixty_at_least_and_each_once() -> None:
    titles = [timeline.title for timeline in TIMELINES]

    assert len(set(titles)) == len(titles) >= 160
    assert all(re.match(r"\w", title) for title in titles)


@pytest.mark.parametrize("timeline", [t for t in TIMELINES if _is_long(t)], ids=name)
def test_deploy__two_minutes_or_more__a_call_every_two_seconds_at_most(timeline: Timeline) -> None:
    played = play(timeline)
    assert played.judged is not None

    assert sum(played.watching.values()) <= played.judged.total_seconds() / 2


@pytest.mark.parametrize("timeline", TIMELINES, ids=name)
def test_deploy__shorter__sixty_calls_or_one_a_second_at_most(timeline: Timeline) -> None:
    played = play(timeline)

    if played.judged is not None and played.judged.total_seconds() < 120:
        assert sum(played.watching.values()) <= max(60, played.judged.total_seconds())
