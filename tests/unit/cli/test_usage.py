"""A wrong command line: one shape, one exit code, and a document where JSON was asked for."""

from __future__ import annotations

import json

import click
import pytest

from fsd.cli.main import COMMANDS, GROUPS, cli, run
from fsd.errors import ExitCode


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["deply"],
            "error[usage]: `deply` is not a command\n"
            "  --> fsd\n"
            "  fix: did you mean `fsd deploy`? `fsd --help` lists the commands\n",
        ),
        (
            ["qqq"],
            "error[usage]: `qqq` is not a command\n"
            "  --> fsd\n"
            "  fix: `fsd --help` lists the commands\n",
        ),
        (
            ["deploy", "--evn", "dev"],
            "error[usage]: `--evn` is not an option of this command\n"
            "  --> fsd deploy\n"
            "  fix: did you mean `--env`? `fsd deploy --help` lists the options\n",
        ),
        (
            ["deploy"],
            "error[usage]: `--env` is missing\n"
            "  --> fsd deploy\n"
            "  fix: `fsd deploy --help` lists the options\n",
        ),
        (
            ["completion"],
            "error[usage]: `{bash|zsh|fish}` is missing\n"
            "  --> fsd completion\n"
            "  fix: `fsd completion --help` lists the options\n",
        ),
        (
            ["deploy", "--env", "dev", "--timeout", "soon"],
            "error[usage]: `--timeout`: `soon` is not a duration; write 90s, 20m or 1h30m\n"
            "  --> fsd deploy\n"
            "  fix: `fsd deploy --help` lists the options\n",
        ),
        (
            ["history", "-s", "a", "-e", "dev", "--format", "yaml"],
            "error[usage]: `--format`: `yaml` is not one of `terminal`, `json`\n"
            "  --> fsd history\n"
            "  fix: `fsd history --help` lists the options\n",
        ),
        (
            ["local", "upp"],
            "error[usage]: `upp` is not a command\n"
            "  --> fsd local\n"
            "  fix: did you mean `fsd local up`? `fsd local --help` lists the commands\n",
        ),
        (
            ["help", "local", "upp"],
            "error[usage]: `upp` is not a command\n"
            "  --> fsd local\n"
            "  fix: did you mean `fsd local up`? `fsd local --help` lists the commands\n",
        ),
    ],
)
def test_run__wrong_command_line__what_where_fix(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(arguments)

    assert (code, *capsys.readouterr()) == (ExitCode.USAGE, "", error)


@pytest.mark.parametrize("form", [["--format", "json"], ["--format=json"]])
def test_run__error_with_json__a_document_on_stdout_too(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["deploy", "--file", "missing.yml", *form])

    out, err = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert err.startswith("error[usage]: `--env` is missing\n")
    assert json.loads(out) == {
        "schema": "fsd/error/v1",
        "code": "usage",
        "exitCode": 2,
        "what": "`--env` is missing",
        "where": "fsd deploy",
        "fix": "`fsd deploy --help` lists the options",
    }


def test_run__json_is_an_argument_of_the_command_behind__no_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["deply", "--", "--format", "json"])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["deploy"], ["local", "up"], ["status"]])
def test_help__command__is_what_its_option_says(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run([*arguments, "--help"])
    by_option = capsys.readouterr().out

    assert run(["help", *arguments]) == ExitCode.OK
    assert capsys.readouterr().out == by_option


def test_help__alone__every_command_below_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    run(["help"])
    shown = capsys.readouterr().out

    run(["--help"])
    assert capsys.readouterr().out == shown
    places = [shown.index(f"\n{title}:\n") for title in GROUPS]
    assert places == sorted(places)
    for name in COMMANDS:
        assert f"\n  {name} " in shown


def test_help__every_command__says_what_the_overview_says() -> None:
    context = click.Context(cli, info_name="fsd")

    for name, (_, line) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None, name
        assert command.help, name
        assert line.endswith("."), name


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version__either_option__one_line(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([option]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("fsd, version ")
