"""`fsd explain`: what an id in a report means, offline."""

from __future__ import annotations

import json
import os
import sys

import click
from click.shell_completion import CompletionItem

from fsd.cli.options import FORMAT
from fsd.errors import ExitCode, UsageError


def complete_id(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The ids that start so; zsh and fish show what they mean beside them."""
    del ctx, param
    from fsd.report.explanations import find_summary, known_ids

    found = [id_ for id_ in known_ids() if id_.startswith(incomplete.lower())]
    return [CompletionItem(id_, help=find_summary(id_)) for id_ in found]


@click.command(
    epilog="""\b
Examples:
  fsd explain                       every ID, one line each
  fsd explain secret-arn-partial    a finding: why, and a manifest before and after
  fsd explain health-check-failed   a failed deployment: what ECS says, and what FSD does
  fsd explain wrong-account         an error: its exit code, and what to do"""
)
@click.argument("id_", metavar="[ID]", required=False, shell_complete=complete_id)
@FORMAT
def command(id_: str | None, output: str) -> int:
    """Explain a finding, a failure or an error by its ID, as in warning[ID] or error[ID].

    Without an ID, list all of them.
    """
    from fsd.report.explanations import (
        every_explanation,
        explanation_json,
        explanation_table,
        explanation_text,
        explanations_json,
        find_explanation,
    )

    if id_ is None:
        every = every_explanation()
        click.echo(
            _json(explanations_json(every)) if output == "json" else explanation_table(every)
        )
        return ExitCode.OK
    explanation = find_explanation(normal(id_))
    if explanation is None:
        raise unknown(id_)
    if output == "json":
        click.echo(_json(explanation_json(explanation)))
    else:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        click.echo(explanation_text(explanation, color=color))
    return ExitCode.OK


def normal(id_: str) -> str:
    """What was copied from a report, `error[unknown-key]:`, is the id in it."""
    inside = id_.partition("[")[2].partition("]")[0]
    return (inside or id_).strip().lower().replace("_", "-")


def unknown(id_: str) -> UsageError:
    from fsd.report.explanations import nearest_id

    near = nearest_id(normal(id_))
    meant = f"did you mean `fsd explain {near}`? " if near else ""
    return UsageError(
        f"no finding, failure or error has the ID `{id_}`",
        where="fsd explain",
        fix=f"{meant}`fsd explain` lists all IDs",
    )


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
