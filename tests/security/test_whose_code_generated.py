"""Payloads that nobody wrote, with every event: no traceback, and no way past the border."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from fsd.action.decide import Deploy, RollBack, decide
from fsd.action.inputs import Inputs, Said
from fsd.github.context import Checkout, Context, read_context
from fsd.manifest.environments import Environment

ROUNDS = 1_000
EVENTS = (
    *("push", "release", "workflow_dispatch", "schedule", "repository_dispatch", "workflow_run"),
    *("pull_request", "pull_request_target", "merge_group", "issue_comment", "issues", "create"),
    *("discussion_comment", "pull_request_review", "deployment", "check_suite", "Push", ""),
)
MAY_DEPLOY = frozenset(EVENTS[:6])
REFS = (
    *("refs/heads/main", "refs/heads/release/1", "refs/heads/feature", "refs/tags/v1", ""),
    *("refs/tags/main", "refs/pull/7/merge", "refs/pull/7/head", "main", "refs/heads/", "refs/x/y"),
    "refs/heads/gh-readonly-queue/main/pr-7-abc",
)
SHAS = ("a" * 40, "b" * 40, "", "0" * 40)
TEXTS = (*REFS, *SHAS, "push", "success", "failure", "closed", "org/hello", "x/hello", "main")
KEYS = (
    *("action", "ref", "deleted", "inputs", "number", "pull_request", "workflow_run"),
    *("merge_group", "head", "base", "repo", "full_name", "sha", "merged", "base_ref"),
    *("head_repository", "head_branch", "head_sha", "conclusion", "event", "rollback-to"),
)
FILE = {
    "prod": Environment(name="prod", branches=("main", "release/*"), tags=("v*",), protected=True),
    "open": Environment(name="open", branches=("**",), tags=("**",)),
}


def value(rng: random.Random, depth: int) -> Any:
    if depth and rng.random() < 0.6:
        return {key: value(rng, depth - 1) for key in rng.sample(KEYS, rng.randint(0, 8))}
    return rng.choice((None, True, False, 7, 1.5, [], [{}], {}, *TEXTS))


def payload(rng: random.Random) -> str:
    made: dict[str, Any] = {key: value(rng, 3) for key in rng.sample(KEYS, rng.randint(0, 9))}
    if rng.random() < 0.5:
        made["workflow_run"] = {
            "event": rng.choice(("push", "push", "pull_request")),
            "conclusion": rng.choice(("success", "success", "failure", None)),
            "head_branch": rng.choice(("main", "main", "feature", None)),
            "head_sha": rng.choice(SHAS),
            "head_repository": rng.choice(({"full_name": "org/hello"}, {"full_name": "x/y"}, None)),
        }
    text = json.dumps(made)
    return rng.choice((text, text, text, text[: rng.randint(0, len(text))], "[" * 100_000))


def make_context(rng: random.Random) -> Context:
    context = read_context(
        {
            "GITHUB_EVENT_NAME": rng.choice(EVENTS),
            "GITHUB_REF": rng.choice(REFS),
            "GITHUB_SHA": rng.choice(SHAS),
            "GITHUB_REPOSITORY": "org/hello",
            "GITHUB_ACTOR": rng.choice(("amy", "dependabot[bot]", "")),
        },
        event_text=payload(rng),
    )
    checkout = Checkout(head=rng.choice(SHAS), is_dirty=rng.random() < 0.3)
    return replace(context, checkout=rng.choice((checkout, checkout, None)))


def make_inputs(rng: random.Random) -> Inputs:
    return Inputs(
        environment=rng.choice(("prod", "open", "")),
        rollback_to=rng.choice(("", "", "v1")),
        rollback_said=rng.choice(tuple(Said)),
        dry_run=rng.random() < 0.1,
    )


@pytest.mark.parametrize("seed", range(20))
def test_decide__generated_events__only_own_code_goes_to_a_protected_environment(
    seed: int,
) -> None:
    rng = random.Random(seed)
    deployed = 0
    for _ in range(ROUNDS):
        context, inputs = make_context(rng), make_inputs(rng)
        decision = decide(context, inputs, FILE)
        if not isinstance(decision, Deploy | RollBack):
            continue
        deployed += 1
        assert context.event in MAY_DEPLOY, context
        assert context.pull_request is None
        assert not context.ref.startswith(("refs/pull/", "refs/heads/gh-readonly-queue/")), context
        if context.event == "workflow_run":
            run = context.checked_run
            assert run is not None
            assert (run.event, run.conclusion, run.is_own) == ("push", "success", True)
        if decision.environment == "prod":
            assert context.checkout is not None
            assert context.checkout.head == context.sha != "", context
            assert FILE["prod"].takes(branch=context.branch, tag=context.tag), context
    assert deployed > ROUNDS / 50
