"""`fsd logs`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from fsd.app.operate import open_service
from fsd.cli.options import Duration, RegularExpression, service_options
from fsd.cli.wiring import connect, is_in_workflow
from fsd.streams import log_text, printable, say

if TYPE_CHECKING:
    from fsd.release.ports import LogLine


@click.command(
    epilog="""\b
Examples:
  fsd logs --service offer-api --env dev --since 10m
  fsd logs --service offer-api --env dev --task 7f3a --follow
  fsd logs --service offer-api --env dev --tail 50 --grep 'ERROR|Traceback'"""
)
@service_options
@click.option(
    "--since", type=Duration(), default="10m", show_default=True, help="How far back to look."
)
@click.option("--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option("--task", default="", help="Only tasks whose ID starts with this.")
@click.option(
    "--tail", type=click.IntRange(min=1), metavar="N", help="Start with the last N lines only."
)
@click.option(
    "--grep", type=RegularExpression(), help="Only lines that match this regular expression."
)
@click.option("--all", "is_all", is_flag=True, help="Also show lines of health checks.")
def command(
    service: str,
    env: str,
    region: str | None,
    output: str,
    since: timedelta,
    follow: bool,
    task: str,
    tail: int | None,
    grep: re.Pattern[str] | None,
    is_all: bool,
) -> int:
    """Show a service's log lines, oldest first.

    Access-log lines of health checks are left out; --all shows them. Times are in UTC. A terminal
    shows the lines as they are; in a workflow, where others can read the log, secrets are hidden.
    """
    from fsd.app.clock import SystemClock
    from fsd.release.logs import LogFilter
    from fsd.release.service_logs import ServiceLogs
    from fsd.report.words import log_remark_text

    connection, ref = open_service(connect, service, env, region=region, start=False)
    clock = SystemClock()
    logs = ServiceLogs(aws=connection.aws, ref=ref, start=clock.now() - since, task=task)
    lines = logs.read()
    if not lines:  # lines outlive their service; without any, a name that is mistyped is no silence
        logs.require()
    for elsewhere in logs.elsewhere:
        say(log_remark_text(elsewhere), err=True)
    chosen = LogFilter(pattern=grep, with_health_checks=is_all)
    printer = _Printer(is_json=output == "json")
    printer.tell_of_shared_groups(logs.groups_left_out)
    printer.print(chosen.of(lines)[-(tail or len(lines)) :])
    while follow:
        clock.wait(timedelta(seconds=2 / min(connection.pace.speed, 4)))
        lines = logs.read()
        printer.tell_of_shared_groups(logs.groups_left_out)
        printer.print(chosen.of(lines))
    printer.tell_of_the_left_out(chosen.left_out)
    return 0


@dataclass(slots=True, kw_only=True)
class _Printer:
    """One line per log line, and one wherever the date changes; today's needs none."""

    is_json: bool
    in_workflow: bool = field(default_factory=is_in_workflow)
    is_colored: bool = field(default_factory=lambda: sys.stdout.isatty())
    _told: set[str] = field(default_factory=set)  # log groups
    _day: date = field(default_factory=lambda: datetime.now(UTC).date())

    def print(self, lines: Sequence[LogLine]) -> None:
        from fsd.release.mask import mask_lines

        if self.in_workflow:
            shown = mask_lines(line.text for line in lines)
            lines = [replace(line, text=text) for line, text in zip(lines, shown, strict=True)]
        for line in lines:
            if self.is_json:
                entry = {"at": line.at.isoformat(), "stream": line.stream, "text": line.text}
                click.echo(json.dumps(entry))
            else:
                self._print(line)

    def _print(self, line: LogLine) -> None:
        from fsd.release.log_places import task_of

        at = line.at.astimezone(UTC)
        if at.date() != self._day:
            self._day = at.date()
            click.echo(f"-- {at:%Y-%m-%d} (UTC)")
        short = task_of(line.stream)[:4]
        text = log_text(line.text, is_colored=self.is_colored, in_workflow=self.in_workflow)
        click.echo(f"{at:%H:%M:%S} {printable(short)}… {text}")

    def tell_of_shared_groups(self, groups: Sequence[str]) -> None:
        """Once each."""
        for group in groups:
            if group not in self._told:
                self._told.add(group)
                say(
                    f"the log group {group} is not this service's alone: lines of tasks that ECS "
                    "does not list for the service are left out. ECS forgets a task about 1 h "
                    "after it stopped",
                    err=True,
                )

    def tell_of_the_left_out(self, count: int) -> None:
        if count:
            lines = "1 line" if count == 1 else f"{count} lines"
            say(f"{lines} of health checks left out; --all shows them", err=True)
