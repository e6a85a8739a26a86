from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.action.decide import (
    Decision,
    Deploy,
    PlanOnly,
    Refuse,
    RollBack,
    Skip,
    ValidateOnly,
    branch_environments,
    decide,
)
from fsd.action.inputs import Inputs
from fsd.github.context import Context, PullRequest
from fsd.spec.environments import Environment

PUSH = Context(
    event="push",
    repository="org/offers",
    ref="refs/heads/staging",
    branch="staging",
    sha="a" * 40,
    actor="amy",
    run_url="",
    server_url="https://github.com",
    api_url="https://api.github.com",
)
PULL = replace(
    PUSH,
    event="pull_request",
    ref="refs/pull/7/merge",
    branch="",
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=False),
)
FORK = replace(
    PULL,
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=True),
)


def environments(**branches: tuple[str, ...]) -> dict[str, Environment]:
    return {name: Environment(name=name, branches=found) for name, found in branches.items()}


@pytest.mark.parametrize(
    ("branch", "decision"),
    [
        ("staging", Deploy(environment="dev")),
        ("main", Deploy(environment="prod")),
        ("feature", Skip(reason="the branch feature deploys nowhere")),
    ],
)
def test_decide__push_without_more__the_default_mapping(branch: str, decision: Decision) -> None:
    context = replace(PUSH, branch=branch, ref=f"refs/heads/{branch}")

    assert decide(context, Inputs(), {}) == decision


def test_decide__input_environment__wins_over_the_branch() -> None:
    assert decide(PUSH, Inputs(environment="qa"), {}) == Deploy(environment="qa")


def test_decide__dry_run__plans_the_same_environment() -> None:
    assert decide(PUSH, Inputs(dry_run=True), {}) == PlanOnly(environments=("dev",))


def test_decide__release_to_go_back_to__rolls_back() -> None:
    context = replace(PUSH, event="workflow_dispatch")
    inputs = Inputs(environment="prod", rollback_to="v1.2.3")

    assert decide(context, inputs, {}) == RollBack(environment="prod", to_version="v1.2.3")


def test_decide__tag__is_skipped_unless_told_where() -> None:
    context = replace(PUSH, ref="refs/tags/v1", branch="")

    assert decide(context, Inputs(), {}) == Skip(
        reason="refs/tags/v1 is no branch; the input `environment` says where it goes"
    )
    assert decide(context, Inputs(environment="prod"), {}) == Deploy(environment="prod")


def test_decide__deleted_branch__is_skipped_even_with_an_environment() -> None:
    context = replace(PUSH, is_deletion=True)

    assert decide(context, Inputs(environment="dev"), {}) == Skip(
        reason="refs/heads/staging was deleted"
    )


@pytest.mark.parametrize("event", ["issue_comment", "release", ""])
def test_decide__other_event__only_with_an_environment(event: str) -> None:
    context = replace(PUSH, event=event)

    assert isinstance(decide(context, Inputs(), {}), Skip)
    assert decide(context, Inputs(environment="dev"), {}) == Deploy(environment="dev")


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule", "repository_dispatch"])
def test_decide__event_of_a_branch__deploys_like_a_push(event: str) -> None:
    assert decide(replace(PUSH, event=event), Inputs(), {}) == Deploy(environment="dev")


def test_decide__pull_request__plans_every_environment_once() -> None:
    inputs = Inputs(branch_environments={"a": "dev", "b": "prod", "c": "dev"})

    assert decide(PULL, inputs, {}) == PlanOnly(environments=("dev", "prod"))
    assert decide(PULL, Inputs(environment="qa"), {}) == PlanOnly(environments=("qa",))


@pytest.mark.parametrize("inputs", [Inputs(), Inputs(environment="prod"), Inputs(dry_run=True)])
def test_decide__pull_request_of_a_fork__only_validates_whatever_is_asked(inputs: Inputs) -> None:
    assert isinstance(decide(FORK, inputs, {}), ValidateOnly)


def test_decide__dependabots_pull_request__only_validates() -> None:
    assert isinstance(decide(replace(PULL, actor="dependabot[bot]"), Inputs(), {}), ValidateOnly)


@pytest.mark.parametrize("inputs", [Inputs(), Inputs(environment="prod"), Inputs(dry_run=True)])
def test_decide__pull_request_target__is_refused_whatever_is_asked(inputs: Inputs) -> None:
    for context in (PULL, FORK, PUSH):
        decision = decide(replace(context, event="pull_request_target"), inputs, {})

        assert isinstance(decision, Refuse)
        assert "credentials" in decision.reason


def test_decide__workflow_run_of_a_fork__is_refused() -> None:
    context = replace(PUSH, event="workflow_run", is_foreign=True)

    assert isinstance(decide(context, Inputs(environment="dev"), {}), Refuse)


def test_decide__merge_group__only_validates() -> None:
    assert isinstance(decide(replace(PUSH, event="merge_group"), Inputs(), {}), ValidateOnly)


def test_branch_environments__file_with_branches__replaces_the_default() -> None:
    file = environments(dev=("develop",), prod=("main", "hotfix"))

    assert branch_environments(Inputs(), file) == {
        "develop": ("dev",),
        "main": ("prod",),
        "hotfix": ("prod",),
    }


def test_branch_environments__file_without_branches__leaves_the_default() -> None:
    assert branch_environments(Inputs(), environments(dev=())) == {
        "staging": ("dev",),
        "main": ("prod",),
    }


def test_branch_environments__input_and_file__the_input_wins() -> None:
    file = environments(dev=("develop",), prod=("main",))
    inputs = Inputs(branch_environments={"main": "live"})

    assert branch_environments(inputs, file) == {"develop": ("dev",), "main": ("live",)}


def test_decide__a_branch_of_two_environments__is_refused_with_both() -> None:
    file = environments(eu=("staging",), us=("staging",))

    decision = decide(PUSH, Inputs(), file)

    assert isinstance(decision, Refuse)
    assert "eu, us" in decision.reason


@pytest.mark.parametrize(("branch", "allowed"), [("main", True), ("staging", False), ("", False)])
def test_decide__protected_environment__takes_only_its_branches(branch: str, allowed: bool) -> None:
    file = {"prod": Environment(name="prod", branches=("main",), protected=True)}
    context = replace(PUSH, event="workflow_dispatch", branch=branch, ref=f"refs/heads/{branch}")

    for inputs in (Inputs(environment="prod"), Inputs(environment="prod", rollback_to="v1")):
        assert isinstance(decide(context, inputs, file), Refuse) is not allowed
