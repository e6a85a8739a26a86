"""`python -m conformance --endpoint aws|URL --region R --cluster C`: ask, record, compare, remove.

Everything that is made bears the run's name and the tag `fsd:conformance`, and is removed at the
end, also after Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from conformance.endpoint import clients, redirections
from conformance.permissions import permissions
from conformance.recording import Answer, NameRemainsError, differences, read, write
from conformance.scenarios import Left, Scenario, Site, messages, stacks
from conformance.tasks import rollout

SCENARIOS: tuple[Scenario, ...] = (messages, stacks, permissions, rollout)
PRICE = (
    "This asks the endpoint about 20 things. It makes two stacks and a role, which cost nothing, "
    "and a Fargate service of one task of 0.25 vCPU that cannot start. It takes about 15 minutes "
    "on AWS, which charges less than 0.05 USD for the attempts to start the task."
)
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ask_all(
    site: Site, scenarios: Sequence[Scenario] = SCENARIOS
) -> tuple[tuple[Answer, ...], tuple[Left, ...]]:
    """The answers, and what could not be removed. Whatever ends it, what was made is removed;
    what stays is said."""
    answers: list[Answer] = []
    try:
        try:
            for scenario in scenarios:
                for answer in scenario(site):
                    answers.append(answer)
                    click.echo(f"{answer.scenario}: {answer.question}: {' → '.join(answer.said)}")
        finally:
            site.interrupts.heeded = False  # nothing comes between this and the removals
    finally:
        left = _remove(site)
    return tuple(answers), left


def _remove(site: Site) -> tuple[Left, ...]:
    left = tuple(site.remove_all())
    for one in left:
        click.echo(f"not removed: {one.what}: {one.reason}\n  fix: {one.command}", err=True)
    return left


def compare(recorded: Path, answers: Iterable[Answer]) -> int:
    """1 where an answer is another one."""
    found = [*differences(read(recorded.read_text(encoding="utf-8")), answers)]
    for line in found:
        click.echo(f"differs: {line}")
    return 1 if found else 0


@click.command()
@click.option("--endpoint", required=True, help="`aws`, or the URL of an embedded AWS.")
@click.option("--region", required=True)
@click.option("--cluster", required=True, help="An ECS cluster that exists, by name or ARN.")
@click.option("--record", type=click.Path(path_type=Path), help="Write the answers to this file.")
@click.option(
    "--compare",
    "recorded",
    type=click.Path(path_type=Path, exists=True),
    help="Compare with this recording; exit with code 1 if an answer differs.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    endpoint: str, region: str, cluster: str, record: Path | None, recorded: Path | None, yes: bool
) -> None:
    """Ask an endpoint what the embedded AWS claims of AWS."""
    url = None if endpoint == "aws" else endpoint
    try:
        site = _site(url, region, cluster)
        click.echo(PRICE)
        if not yes:
            click.confirm(f"Go on, with {endpoint} in {region}?", abort=True)
        answers, left = _heeding_signals(site)
        if record is not None:
            source = "aws" if url is None else "embedded AWS"
            today = datetime.now(UTC).date().isoformat()
            record.write_text(write(answers, source=source, recorded=today), encoding="utf-8")
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(str(error)) from error
    except NameRemainsError as error:
        raise click.ClickException(f"nothing was written: {error}") from error
    differ = 0 if recorded is None else compare(recorded, answers)
    sys.exit(1 if left else differ)


def _site(url: str | None, region: str, cluster: str) -> Site:
    """Raises ClickException if AWS is to be asked and a setting leads elsewhere."""
    if url is None and (led := [*redirections(os.environ)]):
        raise click.ClickException(
            f"`--endpoint aws` asks AWS, but an endpoint is configured: {', '.join(led)}\n"
            "fix: remove the setting and use the credentials of an AWS account, or give the URL "
            "as --endpoint"
        )
    return Site(
        client=clients(region=region, url=url),
        cluster=cluster,
        name=f"conformance-{uuid.uuid4().hex[:8]}",
        options=f"--region {region}" + (f" --endpoint-url {url}" if url else ""),
        pause=2.0 if url is None else 0.1,
    )


def _heeding_signals(site: Site) -> tuple[tuple[Answer, ...], tuple[Left, ...]]:
    """A signal that was ignored from the start, as by nohup, stays ignored."""
    before = {one: signal.getsignal(one) for one in _ENDINGS}
    for one in _ENDINGS:
        if before[one] is not signal.SIG_IGN:
            signal.signal(one, site.interrupts)
    try:
        return ask_all(site)
    finally:
        for one in _ENDINGS:
            signal.signal(one, before[one])


if __name__ == "__main__":
    command()
