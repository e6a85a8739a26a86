"""`fsd`: finds the command, runs it, and turns what it raises into an exit code.

Commands are loaded when they are asked for: `fsd validate` pays for neither boto3 nor docker nor
rich. The only `except Exception` of FSD is here.
"""

from __future__ import annotations

import gc
import importlib
import io
import itertools
import sys
from collections.abc import Sequence
from typing import cast

import click

from fsd import __version__
from fsd.errors import ExitCode, FsdError, Interrupted

# Below each heading of `fsd --help`: name → (module below fsd.cli, one line). Each module has
# `command`.
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Build": {
        "init": ("init", "Write a Service YAML and a workflow for the code in a folder."),
        "import": ("import_", "Write a Service YAML for a service that another tool deploys."),
        "validate": ("validate", "Check a Service YAML offline; list every finding."),
    },
    "Deploy": {
        "build": ("build", "Build the image of a release, without pushing it."),
        "push": ("push", "Build and push the image of a release, without deploying it."),
        "changed": ("changed", "List the services that a deployment would change."),
        "plan": ("plan", "Show what a deployment would change, and why."),
        "deploy": ("deploy", "Deploy a service and wait for the verdict."),
        "promote": ("promote", "Deploy the release running in one environment to another."),
        "approve": ("approve", "Continue a deployment that is waiting for approval."),
        "reject": ("reject", "Roll back a deployment that is waiting for approval."),
        "rollback": ("rollback", "Return to an earlier release."),
        "delete": ("delete", "Remove a service and everything created for it."),
    },
    "Operate": {
        "status": ("status", "Show what is running."),
        "history": ("history", "List releases and how each one ended."),
        "diagnose": (
            "diagnose",
            "Explain what is wrong with a service, even if no deployment is in flight.",
        ),
        "logs": ("logs", "Show the log lines of a service."),
        "run": ("run", "Run a command once, in a separate task."),
        "exec": ("exec_", "Open a shell, or run a command, in a running task."),
        "scale": ("scale", "Set the number of tasks."),
        "restart": ("restart", "Replace the tasks, keeping the same revision."),
    },
    "Set up": {
        "bootstrap": ("bootstrap", "Set up an account so that a repository can deploy to it."),
        "doctor": (
            "doctor",
            "Check for problems that would stop a deployment, and change nothing.",
        ),
        "iam": ("iam", "Print least-privilege policies for the roles that FSD uses."),
    },
    "Local": {
        "local": (
            "local",
            "Run the embedded AWS on this machine: up, down, status, list, env, reset.",
        ),
    },
    "Reference": {
        "explain": ("explain", "Explain a finding, a failure or an error by its ID."),
        "schema": ("schema", "Print the JSON Schema of the Service YAML."),
        "help": ("help", "Show help for a command."),
        "completion": ("completion", "Print the completion script for a shell."),
        "ci": ("ci", "Run the steps of the GitHub Action."),
    },
}
COMMANDS = {name: entry for commands in GROUPS.values() for name, entry in commands.items()}

ISSUES_URL = "https://github.com/org/fsd-deploy/issues"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"fsd.cli.{COMMANDS[cmd_name][0]}")
        return cast(click.Command, module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        widest = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                rows = [(f"{name:<{widest}}", text) for name, (_, text) in commands.items()]
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  fsd deploy --env local --file service.yml   (no AWS account needed)",
)
@click.version_option(__version__, "-V", "--version", prog_name="fsd")
@click.option("--debug", is_flag=True, help="Show a traceback if FSD itself crashes.")
def cli(debug: bool) -> None:
    """FSD takes a Python service from a commit to healthy tasks on Amazon ECS."""
    del debug  # read in main(), where errors are mapped


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Output goes to stdout and stderr."""
    debug = "--debug" in arguments
    _write_whatever_the_terminal_takes()
    _fit_the_terminal()
    try:
        result = cli.main(args=list(arguments), prog_name="fsd", standalone_mode=False)
    except click.exceptions.Exit as exited:
        return exited.exit_code
    except click.Abort:
        return int(ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        stop = Interrupted("interrupted", where="fsd", fix="run the command again")
        return _end(stop, arguments)
    except click.ClickException as error:
        from fsd.cli.usage import usage_error

        return _end(usage_error(error), arguments)
    except FsdError as error:
        return _end(error, arguments)
    except BrokenPipeError:
        # The reader (head, less) has gone. Only what changes nothing writes so that it gets here.
        from fsd.streams import detach

        detach(sys.stdout)
        return int(ExitCode.OK)
    except Exception as error:
        if debug:
            raise
        bug = FsdError(
            f"{type(error).__name__}: {error}",
            where="a bug in FSD, not in your service",
            fix=f"run it again with `fsd --debug …` and report the output at {ISSUES_URL}",
        )
        return _end(bug, arguments)
    return int(result) if isinstance(result, int) else int(ExitCode.OK)


def _end(error: FsdError, arguments: Sequence[str]) -> int:
    """The error where a person reads it; with `--format json` also as the document on stdout."""
    if _wants_json(arguments):
        from fsd.report.error_document import error_json
        from fsd.streams import say

        say(error_json(error))
    _say(str(error))
    return int(error.exit_code)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Known before click has parsed anything: a wrong command line is an error, too."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--format=json" in options or ("--format", "json") in itertools.pairwise(options)


def _say(text: str) -> None:
    """Where somebody reads it; the exit code says it too."""
    from fsd.streams import not_a_command, printable, say

    # A name with an end of line in it, or AWS's words: the rest may look like a command.
    say("\n".join(not_a_command(printable(line)) for line in text.split("\n")), err=True)


def _write_whatever_the_terminal_takes() -> None:
    """A terminal that is not UTF-8 gets `?` for `✔`, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _fit_the_terminal() -> None:
    """Nothing wraps inside a word where the screen is narrow."""
    if sys.stdout is not None and sys.stdout.isatty():
        import shutil

        from fsd.streams import fit_columns

        fit_columns(shutil.get_terminal_size().columns)


def main() -> None:
    # What is imported stays: looking through it for garbage every 700 objects takes a tenth longer.
    gc.set_threshold(50_000)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
