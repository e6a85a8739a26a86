"""`python -m conformance --endpoint aws|URL --region R --cluster C`: ask, record, compare, remove.

Everything that is made bears the run's name and the tag `fsd:conformance`, and is removed at the
end, also after Ctrl-C.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import boto3
import click

from conformance.recording import Answer, differences, read, write
from conformance.scenarios import SCENARIOS, Scenario, Site

PRICE = (
    "This asks the endpoint about 20 things and makes two stacks without a resource that costs "
    "anything. It takes about 3 minutes on AWS, and AWS charges nothing for it."
)


def ask_all(site: Site, scenarios: Sequence[Scenario] = SCENARIOS) -> tuple[Answer, ...]:
    """The answers. Whatever ends it, what was made is removed; what stays is said."""
    answers: list[Answer] = []
    try:
        for scenario in scenarios:
            for answer in scenario(site):
                answers.append(answer)
                click.echo(f"{answer.scenario}: {answer.question}: {' → '.join(answer.said)}")
    finally:
        for left in site.remove_all():
            click.echo(f"not removed: {left}", err=True)
    return tuple(answers)


def compare(recorded: Path, answers: Iterable[Answer]) -> int:
    """1 where an answer is another one."""
    found = [*differences(read(recorded.read_text(encoding="utf-8")), answers)]
    for line in found:
        click.echo(f"differs: {line}")
    return 1 if found else 0


@click.command()
@click.option("--endpoint", required=True, help="`aws`, or the URL of an embedded AWS.")
@click.option("--region", required=True)
@click.option("--cluster", required=True, help="An ECS cluster that exists.")
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
    click.echo(PRICE)
    if not yes:
        click.confirm(f"Go on, with {endpoint} in {region}?", abort=True)
    url = None if endpoint == "aws" else endpoint
    client = partial(boto3.client, region_name=region, endpoint_url=url)
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    site = Site(client=client, cluster=cluster, name=name, pause=2.0 if url is None else 0.1)
    answers = ask_all(site)
    if record is not None:
        source = "aws" if url is None else "embedded AWS"
        today = datetime.now(UTC).date().isoformat()
        record.write_text(write(answers, source=source, recorded=today), encoding="utf-8")
    if recorded is not None:
        sys.exit(compare(recorded, answers))


if __name__ == "__main__":
    command()
