"""`fsd`: finds the command, runs it, and turns what it raises into an exit code.

Commands are loaded when they are asked for: `fsd validate` pays for neither boto3 nor docker nor
rich. The only `except Exception` of FSD is here.
"""

from __future__ import annotations

import gc
import importlib
import io
import sys
from collections.abc import Sequence
from typing import cast

import click

from fsd import __version__
from fsd.errors import ExitCode, FsdError

# name → (module below fsd.cli, one line for `fsd --help`). Each module has `command`.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Write a Service YAML and a workflow for the code in a folder."),
    "validate": ("validate", "Check a Service YAML, offline; every finding at once."),
    "plan": ("plan", "Say what a deployment would change, and why."),
    "deploy": ("deploy", "Deploy a service and wait for the verdict."),
    "status": ("status", "Show what runs."),
    "history": ("history", "List the releases and how they ended."),
    "diagnose": ("diagnose", "Say what is wrong with a service, at any time."),
    "logs": ("logs", "Show a service's log lines."),
    "rollback": ("rollback", "Go back to an earlier release."),
    "scale": ("scale", "Set the number of tasks."),
    "restart": ("restart", "Start new tasks of the same revision."),
    "delete": ("delete", "Remove a service and all that was made for it."),
    "explain": ("explain", "Say what the id of a finding, failure or error means."),
    "schema": ("schema", "Print the JSON Schema of the Service YAML."),
    "completion": ("completion", "Print the completion script of a shell."),
    "local": ("local", "The embedded AWS: up, down, status, env, reset."),
    "ci": ("ci", "What the GitHub Action runs."),
}

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `fsd {close[0]}`?" if close else ""
            raise click.UsageError(f"No such command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  fsd deploy --env local --file service.yml   (no AWS account needed)",
)
@click.version_option(__version__, prog_name="fsd")
@click.option("--debug", is_flag=True, help="Show a traceback for a bug in FSD.")
def cli(debug: bool) -> None:
    """FSD takes a Python service from a commit to healthy tasks on Amazon ECS."""
    del debug  # read in main(), where errors are mapped


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Output goes to stdout and stderr."""
    debug = "--debug" in arguments
    _write_whatever_the_terminal_takes()
    try:
        result = cli.main(args=list(arguments), prog_name="fsd", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return int(ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        _say("interrupted")
        return int(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except FsdError as error:
        _say(str(error))
        return int(error.exits_with)
    except BrokenPipeError:
        # The reader (head, less) has gone. Only what changes nothing writes so that it gets here.
        from fsd.streams import detach

        detach(sys.stdout)
        return int(ExitCode.OK)
    except Exception as error:
        if debug:
            raise
        _say(
            f"error[internal]: {type(error).__name__}: {error}\n"
            f"  --> a bug in FSD, not in your service\n"
            f"  fix: run it again with `fsd --debug …` and report the output at {ISSUES_URL}"
        )
        return int(ExitCode.BUG)
    return int(result) if isinstance(result, int) else int(ExitCode.OK)


def _say(text: str) -> None:
    """Where somebody reads it; the exit code says it too."""
    from fsd.streams import say

    say(text, err=True)


def _write_whatever_the_terminal_takes() -> None:
    """A terminal that is not UTF-8 gets `?` for `✔`, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main() -> None:
    # What is imported stays: looking through it for garbage every 700 objects takes a tenth longer.
    gc.set_threshold(50_000)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
