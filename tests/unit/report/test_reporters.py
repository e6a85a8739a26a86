from __future__ import annotations

import io
import subprocess
import sys
from datetime import timedelta

import pytest

from fsd.release.notes import OutputLine
from fsd.release.phase_facts import BarePhaseFact
from fsd.release.result import PhaseName, PhaseState
from fsd.report import open_reporter
from fsd.report.plain import PlainReporter
from fsd.report.terminal import Screen, live_reporter
from fsd.report.words import event_text
from tests.unit.report.results import (
    HEALTHY,
    T0,
    failed_after,
    make_phase,
    make_progress,
    make_revision_phase,
)


def plain() -> tuple[io.StringIO, PlainReporter]:
    stream = io.StringIO()
    return stream, PlainReporter(stream, now=lambda: T0 + timedelta(seconds=90))


def test_plain__whole_deployment__a_line_a_change() -> None:
    stream, reporter = plain()

    reporter.phase(make_phase(state=PhaseState.RUNNING, fact=BarePhaseFact.BUILDING))
    reporter.phase(make_phase())
    reporter.phase(make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None, start=20))
    started = f"(service web-dev) has started 2 tasks: (task {'7f3a' * 8})"
    reporter.progress(make_progress(note=started))
    reporter.progress(make_progress(elapsed=timedelta(seconds=80)))
    reporter.progress(make_progress(new_healthy=0, failed_tasks=1))
    reporter.phase(
        make_phase(PhaseName.ROLLOUT, state=PhaseState.FAILED, fact=failed_after(41), start=20)
    )

    assert (
        stream.getvalue()
        == """\
14:00:00 · image     building
14:00:12 ✔ image     offer-api@sha256:9b1f…   built 12.4 s
14:00:20 · rollout   started
14:01:30 · rollout   new (offer-api-dev:42) 1 of 2 healthy, 1 starting · old (offer-api-dev:41) \
2 running · 1m12s
14:01:30   ECS: the service has started 2 tasks: (task 7f3a…)
14:01:30 · rollout   new (offer-api-dev:42) 0 of 2 healthy, 2 starting · old (offer-api-dev:41) \
2 running · 1 task failed (ECS's limit is 3) · 1m12s
14:00:32 ✘ rollout   failed after 41s
"""
    )


def test_plain__phase_ends_as_it_was_announced__not_said_twice() -> None:
    stream, reporter = plain()

    reporter.phase(make_revision_phase("+A · +B", state=PhaseState.RUNNING))
    reporter.phase(make_revision_phase("+A · +B"))

    assert stream.getvalue() == (
        "14:00:00 · revision  +A · +B\n14:00:12 ✔ revision  done after 12s\n"
    )


def test_plain__first_deployment__no_old_revision() -> None:
    stream, reporter = plain()

    reporter.progress(make_progress(old_revision="", new_healthy=2))

    assert stream.getvalue() == (
        "14:01:30 · rollout   new (offer-api-dev:42) 2 of 2 healthy · 1m12s\n"
    )


def test_plain__hostile_note__one_line_without_escapes() -> None:
    stream, reporter = plain()

    reporter.note(OutputLine(text="a\nb\x1b[31m"))

    assert stream.getvalue() == "14:01:30   a b[31m\n"


def test_open_reporter__no_terminal__plain_lines() -> None:
    stream = io.StringIO()

    with open_reporter(stream) as reporter:
        reporter.phase(make_phase())

    assert stream.getvalue() == "14:00:12 ✔ image     offer-api@sha256:9b1f…   built 12.4 s\n"


def test_report__imported__costs_no_rich() -> None:
    code = "import fsd.report, fsd.report.render, sys; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(screen: Screen) -> list[str]:
    """One frame as text, without spinner frames and colours."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as capture:
        console.print(screen)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_live__rollout__phases_bars_and_the_newest_note() -> None:
    with live_reporter(io.StringIO()) as reporter:
        screen = reporter._screen
        reporter.phase(make_phase(state=PhaseState.RUNNING, fact=BarePhaseFact.BUILDING))
        reporter.phase(make_phase())
        rollout = make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None, start=20)
        reporter.phase(rollout)
        reporter.progress(make_progress(note="task 7f3a… healthy", failed_tasks=1))
        lines = drawn(screen)

    assert lines[0] == " ✔ image     offer-api@sha256:9b1f…   built 12.4 s"
    assert lines[1].endswith(" rollout   1m12s")
    assert lines[2:] == [
        "     new 42  ██████████░░░░░░░░░░  1 of 2 healthy, 1 starting, 1 task failed "
        "(ECS's limit is 3)",
        "     old 41  ████████████████████  2 running",
        "     task 7f3a… healthy",
    ]


def test_live__rollout_ended__the_bars_are_gone() -> None:
    with live_reporter(io.StringIO()) as reporter:
        began = make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None, start=20)
        reporter.phase(began)
        reporter.progress(make_progress(note="x"))
        reporter.phase(make_phase(PhaseName.ROLLOUT, fact=HEALTHY, start=20))
        lines = drawn(reporter._screen)

    assert lines == [" ✔ rollout   2 of 2 healthy after 1m38s"]


def test_live__second_rollout__a_line_of_its_own() -> None:
    with live_reporter(io.StringIO()) as reporter:
        for start in (20, 40):
            reporter.phase(
                make_phase(
                    PhaseName.ROLLOUT,
                    state=PhaseState.FAILED,
                    fact=BarePhaseFact.FAILED,
                    start=start,
                )
            )
        lines = drawn(reporter._screen)

    assert lines == [" ✘ rollout   failed", " ✘ rollout   failed"]


def test_live__long_text__wraps_between_words_and_is_cut_after_two_lines() -> None:
    with live_reporter(io.StringIO()) as reporter:
        reporter.phase(make_revision_phase("+Resource · " * 30))
        lines = drawn(reporter._screen)

    assert len(lines) == 2
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith(" ✔ revision  +Resource")
    assert lines[0].rstrip().endswith("·")
    assert lines[1].startswith("             +Resource")
    assert lines[1].endswith("…")


def test_live__headline__above_the_phases() -> None:
    with live_reporter(io.StringIO()) as reporter:
        reporter.begin("offer-api → dev    123456789012 · us-east-1")
        reporter.phase(make_phase(PhaseName.STACK, fact=BarePhaseFact.FAILED))
        lines = drawn(reporter._screen)

    assert lines[0] == "offer-api → dev    123456789012 · us-east-1"
    assert len(lines) == 2


def test_live__nothing_to_show__nothing_is_written() -> None:
    terminal = Terminal()

    with open_reporter(terminal):
        pass

    assert terminal.getvalue() == ""


def test_live__exception_in_the_block__passes_and_the_cursor_is_back() -> None:
    terminal = Terminal()

    def interrupted() -> None:
        with open_reporter(terminal) as reporter:
            reporter.phase(make_phase(state=PhaseState.RUNNING, fact=BarePhaseFact.BUILDING))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert " · image     building" in terminal.getvalue()
    assert terminal.getvalue().rfind("\x1b[?25h") >= terminal.getvalue().rfind("\x1b[?25l")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            f"(service web-dev) (task {'7' * 32}) (port 8000) is unhealthy in (target-group "
            "arn:aws:elasticloadbalancing:x:1:targetgroup/a/b) due to (reason Health checks "
            "failed with these codes: [500]).",
            "task 7777… (port 8000) is unhealthy: Health checks failed with these codes: [500]",
        ),
        (
            "(service web-dev) (port 8000) is unhealthy in (target-group "
            "arn:aws:elasticloadbalancing:x:1:targetgroup/a/b) due to (reason Request timed out)",
            "a task (port 8000) is unhealthy: Request timed out",
        ),
        (
            "(service web-dev) registered 2 targets in (target-group arn:aws:e:x:1:t/a/b)",
            "the service registered 2 targets in the target group",
        ),
        (
            "(service web-dev, taskSet ecs-svc/1) has begun draining connections on 2 tasks.",
            "(taskSet ecs-svc/1) has begun draining connections on 2 tasks.",
        ),
    ],
)
def test_event_text__event__its_subject_and_what_is_new(message: str, said: str) -> None:
    assert event_text(message) == said
