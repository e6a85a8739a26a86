from __future__ import annotations

from datetime import timedelta

import click
import pytest

from fsd.app.image import split_reference
from fsd.cli.deploy import command as deploy_command
from fsd.cli.options import Duration
from fsd.cli.plan import command as plan_command
from fsd.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1h", 3600), ("1h30m5s", 5405)]
)
def test_duration__usual_forms__timedelta(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "x", "20 minutes", "1d", "-5", "m"])
def test_duration__anything_else__usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("repo", ("repo", "", "")),
        ("repo:v1", ("repo", "v1", "")),
        ("127.0.0.1:4566/repo", ("127.0.0.1:4566/repo", "", "")),
        ("127.0.0.1:4566/a/repo:v1", ("127.0.0.1:4566/a/repo", "v1", "")),
        ("host/repo@sha256:ab", ("host/repo", "", "sha256:ab")),
        ("host/repo:v1@sha256:ab", ("host/repo", "v1", "sha256:ab")),
    ],
)
def test_split_reference__registry_ports_tags_digests__told_apart(
    reference: str, parts: tuple[str, str, str]
) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize("reference", ["", ":v1", "host/", "a b", "@sha256:ab"])
def test_split_reference__no_image__usage_error(reference: str) -> None:
    with pytest.raises(UsageError):
        split_reference(reference)


# Options of `fsd deploy` that change nothing of what is planned.
ONLY_DEPLOY = {
    "allow_interruption": "asked when the plan is applied",
    "allow_older": "asked when the plan is applied",
    "allow_replacement": "asked when the plan is applied",
    "allow_run": "a plan builds nothing",
    "force": "a plan passes every border: it changes nothing",
    "no_wait": "a plan has no rollout",
    "on_cancel": "a plan has no rollout",
    "plan_file": "what `fsd plan --out` saved",
    "supersede": "a plan is in nobody's way",
    "timeout": "a plan has no rollout",
    "wait_for_lock": "a plan is in nobody's way",
}
ONLY_PLAN = {
    "detailed_exitcode": "a deployment has exit codes of its own",
    "drift": "a deployment puts right what it needs",
    "out": "saves the plan",
}


def test_plan__options__are_those_of_deploy_that_change_what_is_planned() -> None:
    deploy, plan = (
        {str(one.name) for one in command.params} for command in (deploy_command, plan_command)
    )

    assert deploy - plan == ONLY_DEPLOY.keys()
    assert plan - deploy == ONLY_PLAN.keys()
