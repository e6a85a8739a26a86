from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.change import Change, RulesLacking
from fsd.quoted import Quoted
from fsd.release.notes import OutputLine
from fsd.release.phase_facts import ManifestRead
from fsd.release.result import Outcome, PhaseName, PhaseState
from fsd.report.github_text import LIMIT, code, code_block, escape, marker, sentence
from fsd.report.markdown import render_comment, render_progress_comment, render_summary
from tests.unit.report.results import (
    DIAGNOSIS,
    NEW,
    T0,
    make_first_failed,
    make_phase,
    make_result,
    make_rolled_back,
)

RUN = "https://github.com/org/offers/actions/runs/2"
AT = T0 + timedelta(seconds=201)


def comment(**changes: object) -> str:
    return render_comment(make_rolled_back(**changes), run_url=RUN, updated_at=AT)


def test_render_comment__first_deployment_failed__nothing_runs_and_how_to_go_on() -> None:
    text = render_comment(make_first_failed(), run_url=RUN, updated_at=AT)

    assert (
        "### ❌ offer-api v1.3.0 failed in dev and was not rolled back. Nothing is running" in text
    )
    assert "There was nothing to roll back to, so FSD scaled" in text
    assert "fsd delete --service offer-api --env dev\n```" in text


def test_render_comment__succeeded__owners_are_left_alone() -> None:
    assert "@" not in render_comment(make_result(), run_url=RUN, updated_at=AT)


def test_render_summary__rolled_back__nobody_is_mentioned() -> None:
    text = render_summary(make_rolled_back())

    assert "@org/digdog" not in text
    assert text.startswith("### ❌ offer-api")
    assert text.endswith("\n")


def test_render_comment__failed_phase__critical_in_the_chart() -> None:
    failed = make_phase(
        PhaseName.ROLLOUT,
        state=PhaseState.FAILED,
        fact=ManifestRead(file="`|`<!--", warnings=0),
        seconds=0,
    )
    text = comment(phases=(failed, make_phase(PhaseName.ROLLBACK, state=PhaseState.RUNNING)))

    assert "    rollout : crit, 2026-03-04T14:00:00, 1s\n```" in text
    assert "`|`" not in text


def test_render_comment__not_started__no_word_of_success() -> None:
    text = comment(outcome=Outcome.NOT_STARTED, message="no task ran", diagnosis=None)

    assert "is deployed to dev but not started — nothing is running" in text
    assert "No task ran." in text
    assert "✅" not in text
    assert "healthy" not in text


HOSTILE = "<!-- fsd:offer-api:dev --> @victim | `x` ``` #12 [a](http://b)\n### h\x1b[0m"


@pytest.mark.parametrize(
    "changes",
    [
        {"diagnosis": replace(DIAGNOSIS, log_lines=(HOSTILE,))},
        {
            "diagnosis": replace(
                DIAGNOSIS, causes=(replace(DIAGNOSIS.cause, summary=Quoted(text=HOSTILE)),)
            )
        },
        {"diagnosis": replace(DIAGNOSIS, causes=(replace(DIAGNOSIS.cause, where=HOSTILE),))},
        {"release": replace(NEW, version=HOSTILE)},
        {"running": replace(NEW, version=HOSTILE, commit=HOSTILE, revision=HOSTILE)},
        {"message": HOSTILE, "outcome": Outcome.TIMED_OUT},
        {"notes": (OutputLine(text=HOSTILE),)},
        {"next_steps": (HOSTILE,)},
        {"url": f"http://{HOSTILE}"},
        {
            "diagnosis": None,
            "changes": (
                Change(
                    what=HOSTILE,
                    after=HOSTILE,
                    added=(HOSTILE,),
                    remark=RulesLacking(rules=(HOSTILE,)),
                ),
            ),
        },
    ],
)
def test_render_comment__hostile_text_anywhere__stays_text(changes: dict[str, object]) -> None:
    text = comment(**changes)
    rest = outside_code(text)

    assert text.count("<!--") == 1
    assert re.findall(r"@\w+", rest.replace("@org/digdog @alice", "")) == []
    assert not re.search(r"#\d", rest)
    assert "](http://b)" not in rest
    assert "\n### h" not in rest
    assert "\x1b" not in text
    columns = re.findall(r"\|", text.partition("\n| --- ")[0].rpartition("\n")[2])
    for row in re.findall(r"^\| (?:version|revision|image).*$", text, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", row)) == len(columns), row


def outside_code(text: str) -> str:
    """What GitHub reads as Markdown: blocks and spans of code taken out."""
    text = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_escape__markup__all_of_it_plain() -> None:
    space = "\N{ZERO WIDTH SPACE}"

    assert escape("a|b *c* <i>&") == r"a\|b \*c\* &lt;i&gt;&amp;"
    assert escape("@bob #1 http://x") == f"@{space}bob #{space}1 http://{space}x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "`plain`"),
        ("a`b", "`` a`b ``"),
        ("a|b", "`a\\|b`"),
        ("x" * 600, f"`{'x' * 499}…`"),
    ],
)
def test_code__text__inline_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_code_block__fence_inside__a_longer_fence() -> None:
    assert code_block(["```", "x"]) == "````text\n```\nx\n````"


def test_render_comment__endless_logs__cut_below_githubs_limit() -> None:
    lines = tuple("x" * 10_000 for _ in range(500))

    assert len(comment(diagnosis=replace(DIAGNOSIS, log_lines=lines))) <= LIMIT + 100


def test_render_progress_comment__phase_reached() -> None:
    text = render_progress_comment("offer-api", "dev", make_phase(), run_url=RUN, updated_at=AT)

    assert text.startswith(marker("offer-api", "dev"))
    assert "### ⏳ offer-api is being deployed to dev" in text
    assert "▰▱▱▱▱ **image**: `offer-api@sha256:9b1f…   built 12.4 s`" in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("set `healthCheck.path` to *it*", "set `healthCheck.path` to \\*it\\*"),
        ("the path `/a|b` redirects", "the path `/a\\|b` redirects"),
        ("`@org/team` and @org", "`@org/team` and @\N{ZERO WIDTH SPACE}org"),
        ("one ` alone <b>", "one \\` alone &lt;b&gt;"),
        ("`a` `", "\\`a\\` \\`"),
        ("", ""),
    ],
)
def test_sentence__names_are_code_and_the_rest_is_harmless(text: str, markdown: str) -> None:
    assert sentence(text) == markdown
