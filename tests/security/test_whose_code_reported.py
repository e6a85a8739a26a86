"""What people ran into, each from its variables and payload to the decision.

Names and numbers are replaced; each row has the public thread that it is from.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fsd.action.decide import Decision, Deploy, PlanOnly, Refuse, Skip, ValidateOnly, decide
from fsd.action.inputs import Inputs
from fsd.github.context import Checkout, read_context
from fsd.manifest.environments import Environment
from fsd.manifest.ref_patterns import find_problem

DEFAULT, CHECKED, OTHER = "d" * 40, "a" * 40, "c" * 40
FILE = {
    "dev": Environment(name="dev", branches=("staging",)),
    "prod": Environment(name="prod", branches=("main",), tags=("v*",), protected=True),
}
CI = {
    "event": "push",
    "conclusion": "success",
    "head_sha": CHECKED,
    "head_repository": {"full_name": "org/hello"},
}
PULL = {
    "number": 7,
    "head": {"sha": CHECKED, "repo": {"full_name": "org/hello"}},
    "base": {"ref": "main", "repo": {"full_name": "org/hello"}},
}
FORK = {**PULL, "head": {"sha": CHECKED, "repo": {"full_name": "someone/hello"}}}


def decided(
    event: str,
    ref: str,
    payload: dict[str, Any] | None = None,
    *,
    checkout: str = CHECKED,
    inputs: Inputs | None = None,
    sha: str = CHECKED,
    **environ: str,
) -> Decision:
    context = read_context(
        {
            "GITHUB_EVENT_NAME": event,
            "GITHUB_REF": ref,
            "GITHUB_SHA": sha,
            "GITHUB_REPOSITORY": "org/hello",
            **environ,
        },
        event_text=json.dumps(payload or {}),
    )
    return decide(replace(context, checkout=Checkout(head=checkout)), inputs or Inputs(), FILE)


def of_ci(**run: Any) -> dict[str, Any]:
    return {"action": "completed", "workflow_run": {**CI, **run}}


PROD = Inputs(environment="prod")
REPORTS: dict[str, tuple[Decision, type[Decision]]] = {
    # github.ref is the default branch's: feature branches went to every environment.
    "department-of-veterans-affairs/vets-api#21626": (
        decided("workflow_run", "refs/heads/main", of_ci(head_branch="feature"), sha=DEFAULT),
        Skip,
    ),
    "the same, with the environment named": (
        decided(
            "workflow_run",
            "refs/heads/main",
            of_ci(head_branch="feature"),
            sha=DEFAULT,
            inputs=PROD,
        ),
        Refuse,
    ),
    "daodaoedu/daodao-f2e#486": (
        decided("workflow_run", "refs/heads/staging", of_ci(head_branch="main"), sha=DEFAULT),
        Deploy,
    ),
    # checkout takes the default branch after workflow_run: what ran is not what was checked.
    "ESSS/oop-ext#163": (
        decided(
            "workflow_run",
            "refs/heads/main",
            of_ci(head_branch="main"),
            sha=DEFAULT,
            checkout=DEFAULT,
        ),
        Refuse,
    ),
    # `workflow_run` knows no tags: a tag's name comes as head_branch.
    "actions/starter-workflows#1137": (
        decided("workflow_run", "refs/heads/main", of_ci(head_branch="v1.0.0"), inputs=PROD),
        Refuse,
    ),
    "dell/csi-baremetal#938": (
        decided(
            "issue_comment",
            "refs/heads/main",
            {"issue": {"number": 7, "pull_request": {}}, "comment": {"body": "/ci"}},
            inputs=PROD,
        ),
        Refuse,
    ),
    "kosli-dev/agentic-sdlc-demo#156": (
        decided("pull_request_target", "refs/heads/main", {"pull_request": FORK}, inputs=PROD),
        Refuse,
    ),
    "pantheon-systems/push-to-pantheon#85": (
        decided("pull_request_target", "refs/heads/main", {"pull_request": PULL}),
        Refuse,
    ),
    "aws-actions/configure-aws-credentials#443": (
        decided("pull_request_review", "refs/pull/7/merge", {"pull_request": PULL}, inputs=PROD),
        Refuse,
    ),
    "aws-actions/configure-aws-credentials#373": (
        decided("pull_request", "refs/pull/7/merge", {"pull_request": FORK}, inputs=PROD),
        ValidateOnly,
    ),
    # GITHUB_REF of a merged pull request is the branch that it went into.
    "tkhq/rust-sdk#45": (
        decided(
            "pull_request",
            "refs/heads/main",
            {"action": "closed", "pull_request": {**PULL, "merged": True}},
            inputs=PROD,
        ),
        Skip,
    ),
    "StampyAI/stampy-ui#129": (
        decided(
            "pull_request",
            "refs/pull/7/merge",
            {"action": "closed", "pull_request": {**PULL, "merged": False}},
            inputs=PROD,
        ),
        Skip,
    ),
    "Homebrew/homebrew-core#154685": (
        decided("push", "refs/heads/gh-readonly-queue/main/pr-7-abc", inputs=Inputs()),
        Skip,
    ),
    "0xPolygon/pol-token#78": (
        decided("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-abc"),
        PlanOnly,
    ),
    # `on: push` without filters is started by tags too.
    "apache/infrastructure-actions#1107": (decided("push", "refs/tags/save/v1"), Skip),
    "actions/runner#1202": (decided("push", "refs/tags/1.2.5-1", inputs=PROD), Refuse),
    # The REST API's download has no git.
    "actions/checkout#238": (decided("push", "refs/heads/main", checkout=""), Refuse),
    # A dispatch that checks out the commit of its input.
    "Jan-IngenHousz-Institute/open-jii#1030": (
        decided("workflow_dispatch", "refs/heads/main", {"inputs": {}}, checkout=OTHER),
        Refuse,
    ),
}


@pytest.mark.parametrize("thread", REPORTS)
def test_decide__as_reported__ends_as_it_should(thread: str) -> None:
    decision, expected = REPORTS[thread]

    assert isinstance(decision, expected), decision


def test_find_problem__a_regular_expression_for_a_filter_pattern__is_said() -> None:
    """ReactiveCocoa/ReactiveSwift#869: it never matched, and no release was built."""
    assert find_problem([r"[0-9]+\.[0-9]+\.[0-9]+(-[a-z]+)?"]) is not None
