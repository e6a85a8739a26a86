"""Lines of a program's log, as commands print them: text, and no command to who shows it."""

from __future__ import annotations

import re

import pytest

from fsd.streams import log_text

COMMANDS = (
    "::add-mask::x",
    "::error file=a::b",
    "  ::stop-commands::x",
    "\t::set-output name=a::b",
    "\u200b::add-path::/evil",
    "\x1b[31m::warning::x",
    "##[add-path]/evil",
    "text ##[set-env name=PATH]/evil",
    "a\n::error::b",
    "a\r::error::b",
    "a\u2028::error::b",
)
TRICKS = (
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",
    "\x1b[8m hidden",
    "\x9b31m",
    "a\rb",
    "a\x08\x08b",
    "\x1bP+q544e\x1b\\",
    "\u202egnp.exe",
    "\x00",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x1b[",
    "\x1b[31",
)


@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("is_colored", [True, False])
def test_log_text__command_of_a_runner__is_none_any_more(text: str, is_colored: bool) -> None:
    shown = log_text(text, is_colored=is_colored, in_workflow=True)

    assert len(shown.splitlines()) <= 1
    assert not re.sub(r"\x1b\[[0-9;]*m", "", shown).lstrip().startswith("::")
    assert "##[" not in shown


@pytest.mark.parametrize("text", TRICKS)
@pytest.mark.parametrize("is_colored", [True, False])
def test_log_text__what_a_terminal_would_do__is_left_out(text: str, is_colored: bool) -> None:
    shown = log_text(text, is_colored=is_colored, in_workflow=False)

    rest = re.sub(r"\x1b\[[0-9;]*m", "", shown) if is_colored else shown
    assert rest.isprintable(), shown


def test_log_text__colors_and_words__stay_in_a_terminal() -> None:
    line = "\x1b[32mINFO\x1b[0m ready ::"

    assert log_text(line, is_colored=True, in_workflow=False) == line
    assert log_text(line, is_colored=False, in_workflow=False) == "INFO ready ::"
