from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from fsd.errors import CallFailedError, Location, UsageError
from fsd.github.runner import SUMMARY_LIMIT, Level, Runner


class Log(io.StringIO):
    """A stream that knows what was flushed: a mask that is not flushed is not there yet."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = ""

    def flush(self) -> None:
        self.flushed = self.getvalue()


def make_runner(**environ: str) -> tuple[Runner, Log]:
    log = Log()
    return Runner(environ, stream=log), log


def test_input__hyphens_and_spaces__the_trimmed_value_of_fsds_own_variable() -> None:
    runner, _ = make_runner(FSD_INPUT_ROLE_TO_ASSUME=" arn:aws:iam::1:role/x \n")

    assert runner.input("role-to-assume") == "arn:aws:iam::1:role/x"


def test_input__only_the_runners_own_variable__is_not_given() -> None:
    runner, _ = make_runner(INPUT_ENVIRONMENT="prod", **{"INPUT_SERVICE-FILE": "evil.yml"})

    assert (runner.input("environment"), runner.input("service-file")) == ("", "")


def test_lines__empty_lines_and_blanks__are_left_out() -> None:
    runner, _ = make_runner(FSD_INPUT_OVERRIDES="\n a=1\n\n  b=2 \n")

    assert runner.lines("overrides") == ("a=1", "b=2")


@pytest.mark.parametrize(
    ("text", "value"), [("", True), ("true", True), ("True", True), ("FALSE", False)]
)
def test_flag__a_boolean_of_yaml_1_2__its_value(text: str, value: bool) -> None:
    runner, _ = make_runner(FSD_INPUT_CACHE=text)

    assert runner.flag("cache", default=True) is value


@pytest.mark.parametrize("text", ["yes", "1", "tRUE", "off"])
def test_flag__anything_else__is_refused_with_the_value(text: str) -> None:
    runner, _ = make_runner(FSD_INPUT_CACHE=text)

    with pytest.raises(UsageError, match=f"`{text}` is neither") as caught:
        runner.flag("cache", default=True)

    assert caught.value.where == "input cache"


def test_mask__several_lines__each_is_masked_and_flushed() -> None:
    runner, log = make_runner()

    runner.mask("one\n\n  two%3\n")

    assert log.flushed == "::add-mask::one\n::add-mask::two%253\n"


def test_annotate__place_and_hostile_text__is_one_escaped_line() -> None:
    runner, log = make_runner()

    runner.annotate(
        Level.ERROR,
        "50%\n::add-mask::x",
        title="error[a]: b, c",
        where=Location(path="a:b,c.yml", line=3, column=5),
        width=4,
    )

    assert log.flushed == (
        "::error title=error[a]%3A b%2C c,file=a%3Ab%2Cc.yml,line=3,col=5,endColumn=9"
        "::50%25%0A::add-mask::x\n"
    )


def test_annotate__no_place__has_no_empty_properties() -> None:
    runner, log = make_runner()

    runner.annotate(Level.NOTICE, "hello")

    assert log.flushed == "::notice::hello\n"


def test_group__error_inside__is_closed() -> None:
    runner, log = make_runner()

    with pytest.raises(ValueError, match="x"), runner.group("a"):
        raise ValueError("x")

    assert log.flushed == "::group::a\n::endgroup::\n"


def test_write__commands_in_foreign_text__are_between_stop_and_its_token() -> None:
    runner, log = make_runner()

    runner.write("::set-env name=PATH::/evil\n##[add-mask]a")

    stop, foreign, old_style, resume = log.flushed.splitlines()
    token = stop.removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    assert (foreign, old_style) == ("::set-env name=PATH::/evil", "##[add-mask]a")
    assert resume == f"::{token}::"


def test_write__twice__another_token_each_time() -> None:
    runner, log = make_runner()

    runner.write("a")
    runner.write("b")

    assert len(set(re.findall(r"::stop-commands::(\w+)", log.flushed))) == 2


def test_mask__inside_foreign_text__works_and_foreign_text_stays_foreign() -> None:
    runner, log = make_runner()

    with runner.foreign_text():
        runner.mask("secret")
        runner.stream.write("::error::evil\n")

    lines = log.flushed.splitlines()
    assert [re.sub(r"[0-9a-f]{32}", "TOKEN", line) for line in lines] == [
        "::stop-commands::TOKEN",
        "::TOKEN::",
        "::add-mask::secret",
        "::stop-commands::TOKEN",
        "::error::evil",
        "::TOKEN::",
    ]
    assert len(set(re.findall(r"[0-9a-f]{32}", log.flushed))) == 2


def test_output__a_value__is_appended_between_a_random_delimiter(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before=1\n")
    runner, _ = make_runner(GITHUB_OUTPUT=str(file))

    runner.output("image", "a=b<<EOF")
    runner.output("empty", "")

    text = file.read_text()
    pattern = (
        r"before=1\n"
        r"image<<(?P<a>ghadelimiter_[\w-]{36})\na=b<<EOF\n(?P=a)\n"
        r"empty<<(?P<b>ghadelimiter_[\w-]{36})\n\n(?P=b)\n"
    )
    match = re.fullmatch(pattern, text)
    assert match, text
    assert match["a"] != match["b"]


@pytest.mark.parametrize("value", ["a\nb", "a\rb"])
def test_output__a_line_break__is_refused_and_nothing_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "output"
    runner, _ = make_runner(GITHUB_OUTPUT=str(file))

    with pytest.raises(ValueError, match="line break"):
        runner.output("image", value)

    assert not file.exists()


def test_output__no_runner__is_silent() -> None:
    runner, log = make_runner()

    runner.output("image", "x")

    assert log.getvalue() == ""


def test_output__a_file_that_cannot_be_written__says_which(tmp_path: Path) -> None:
    runner, _ = make_runner(GITHUB_OUTPUT=str(tmp_path))

    with pytest.raises(CallFailedError) as caught:
        runner.output("image", "x")

    assert caught.value.where == f"GITHUB_OUTPUT={tmp_path}"


def test_summary__twice__is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    runner, _ = make_runner(GITHUB_STEP_SUMMARY=str(file))

    assert runner.summary("### a\n")
    assert runner.summary("### ü")

    assert file.read_text(encoding="utf-8") == "### a\n\n### ü\n\n"


def test_summary__over_the_budget__is_not_written_at_all(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    runner, _ = make_runner(GITHUB_STEP_SUMMARY=str(file))
    runner.summary("first")

    assert not runner.summary("ü" * (SUMMARY_LIMIT // 2))
    assert file.read_text() == "first\n\n"
