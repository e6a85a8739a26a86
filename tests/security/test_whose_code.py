"""Whose code a run is about: every event of GitHub's with every checkout, decided as a table.

The events are those of
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows,
and some that do not exist yet: what is not known is refused.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.action.decide import Deploy, PlanOnly, Refuse, ValidateOnly, decide, doubts
from fsd.action.inputs import Inputs
from fsd.github.context import CheckedRun, Checkout, PullRequest
from fsd.manifest.environments import Environment
from fsd.report.decisions import refusal_fix, refusal_text
from tests.unit.action.step import PUSH

PULL = replace(
    PUSH,
    event="pull_request",
    ref="refs/pull/7/merge",
    branch="",
    sha="b" * 40,
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=False, base="staging"),
)
FORK = replace(
    PULL,
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=True, base="staging"),
)
SHA = "a" * 40
MAIN = replace(PUSH, ref="refs/heads/main", branch="main")
RUN = CheckedRun(event="push", conclusion="success", is_own=True)
AFTER_CI = replace(MAIN, event="workflow_run", checked_run=RUN)
OF_TAG = replace(PUSH, ref="refs/tags/v1", branch="", tag="v1")
DEPLOYING = {
    "push": MAIN,
    "tag": OF_TAG,
    "release": replace(OF_TAG, event="release", action="published"),
    "workflow_dispatch": replace(MAIN, event="workflow_dispatch"),
    "schedule": replace(MAIN, event="schedule"),
    "repository_dispatch": replace(MAIN, event="repository_dispatch"),
    "workflow_run": AFTER_CI,
}
REFUSED = {
    **{
        event: replace(MAIN, event=event)
        for event in (
            "",
            "branch_protection_rule",
            "check_run",
            "check_suite",
            "create",
            "delete",
            "deployment",
            "deployment_status",
            "discussion",
            "discussion_comment",
            "fork",
            "gollum",
            "issue_comment",
            "issues",
            "label",
            "milestone",
            "page_build",
            "public",
            "pull_request_comment",
            "pull_request_review",
            "pull_request_review_comment",
            "pull_request_target",
            "registry_package",
            "status",
            "watch",
            "an_event_of_next_year",
            "PUSH",
            "push ",
        )
    },
    "pull_request without a payload": replace(PULL, pull_request=None),
    "workflow_run without a payload": replace(MAIN, event="workflow_run", ref="", branch=""),
    **{
        f"workflow_run of {event}": replace(AFTER_CI, checked_run=replace(RUN, event=event))
        for event in ("pull_request", "pull_request_target", "issue_comment", "schedule", "")
    },
    **{
        f"workflow_run that ended with {ended}": replace(
            AFTER_CI, checked_run=replace(RUN, conclusion=ended)
        )
        for ended in ("failure", "cancelled", "skipped", "neutral", "timed_out", "stale", "")
    },
    "workflow_run of a fork": replace(AFTER_CI, checked_run=replace(RUN, is_own=False)),
    "push of a pull request's ref": replace(PUSH, ref="refs/pull/7/head", branch=""),
    "dispatch of a pull request's ref": replace(
        PUSH, event="workflow_dispatch", ref="refs/pull/7/merge", branch=""
    ),
}
CHECKOUTS = {
    "the event's commit": Checkout(head=SHA),
    "the same, changed": Checkout(head=SHA, is_dirty=True),
    "another commit": Checkout(head="c" * 40),
    "no git": Checkout(problem="no git"),
    "not looked at": None,
}
AS_NAMED = ("the event's commit", "the same, changed")
WANTED = (
    Inputs(environment="prod"),
    Inputs(environment="open"),
    Inputs(environment="prod", rollback_to="v1"),
    Inputs(environment="prod", dry_run=True),
    Inputs(),
)
FILE = {
    "prod": Environment(name="prod", branches=("main",), tags=("v*",), protected=True),
    "open": Environment(name="open"),
}


@pytest.mark.parametrize("checkout", CHECKOUTS)
@pytest.mark.parametrize("event", DEPLOYING)
def test_decide__deploying_event__a_protected_environment_takes_only_the_events_commit(
    event: str, checkout: str
) -> None:
    context = replace(DEPLOYING[event], checkout=CHECKOUTS[checkout])

    decision = decide(context, Inputs(environment="prod"), FILE)

    assert isinstance(decision, Deploy | Refuse)
    assert isinstance(decision, Deploy) is (checkout in AS_NAMED), decision
    if isinstance(decision, Deploy):
        assert len(doubts(context, FILE, decision)) == (checkout == "the same, changed")


@pytest.mark.parametrize("checkout", CHECKOUTS)
@pytest.mark.parametrize("event", DEPLOYING)
def test_decide__deploying_event__any_other_environment_takes_it_with_a_doubt(
    event: str, checkout: str
) -> None:
    context = replace(DEPLOYING[event], checkout=CHECKOUTS[checkout])

    assert decide(context, Inputs(environment="open"), FILE) == Deploy(environment="open")
    assert len(doubts(context, FILE, Deploy(environment="open"))) == (
        checkout in ("another commit", "no git")
    )


@pytest.mark.parametrize("checkout", CHECKOUTS)
@pytest.mark.parametrize("event", REFUSED)
def test_decide__event_with_anybodys_code__is_refused_whatever_is_asked(
    event: str, checkout: str
) -> None:
    context = replace(REFUSED[event], checkout=CHECKOUTS[checkout])

    for inputs in WANTED:
        for file in (FILE, {}):
            decision = decide(context, inputs, file)
            assert isinstance(decision, Refuse), (inputs, decision)
            assert refusal_text(decision.reason)
            assert refusal_fix(decision.reason)


@pytest.mark.parametrize("checkout", CHECKOUTS)
@pytest.mark.parametrize("is_fork", [True, False])
def test_decide__pull_request__never_deploys_whatever_is_checked_out(
    is_fork: bool, checkout: str
) -> None:
    context = replace(FORK if is_fork else PULL, checkout=CHECKOUTS[checkout])

    for inputs in WANTED:
        decision = decide(context, inputs, FILE)
        assert isinstance(decision, ValidateOnly if is_fork else PlanOnly)


def test_doubts__merge_of_a_pull_request__is_what_the_event_is_about() -> None:
    context = replace(PULL, merge_sha="d" * 40, checkout=Checkout(head="d" * 40))

    assert doubts(context, FILE, PlanOnly(environments=("prod",))) == ()
    assert context.commit == PULL.sha
