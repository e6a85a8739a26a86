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
    decide,
    targets,
)
from fsd.action.inputs import Inputs, Said
from fsd.github.context import Checkout, Context, PullRequest
from fsd.manifest.environments import Environment
from fsd.report.decisions import (
    BaseDeploysNowhere,
    RefDeleted,
    RefDeploysNowhere,
    no_deployment_text,
    refusal_text,
)

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
    sha="b" * 40,
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=False, base="staging"),
)
FORK = replace(
    PULL,
    pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=True, base="staging"),
)


def environments(**branches: tuple[str, ...]) -> dict[str, Environment]:
    return {name: Environment(name=name, branches=found) for name, found in branches.items()}


@pytest.mark.parametrize(
    ("branch", "decision"),
    [
        ("staging", Deploy(environment="dev")),
        ("main", Deploy(environment="prod")),
        (
            "feature",
            Skip(reason=RefDeploysNowhere(kind="branch", ref="feature"), is_surprising=True),
        ),
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
    context = replace(PUSH, ref="refs/tags/v1", branch="", tag="v1")
    tagged = {"prod": Environment(name="prod", tags=("v*",))}

    skipped = decide(context, Inputs(), {})

    assert isinstance(skipped, Skip)
    assert skipped.is_surprising
    assert "`tags` in the environments file" in no_deployment_text(skipped.reason)
    assert decide(context, Inputs(environment="prod"), {}) == Deploy(environment="prod")
    assert decide(context, Inputs(), tagged) == Deploy(environment="prod")


def test_decide__deleted_branch__is_skipped_even_with_an_environment() -> None:
    context = replace(PUSH, is_deletion=True)

    assert decide(context, Inputs(environment="dev"), {}) == Skip(
        reason=RefDeleted(ref="refs/heads/staging")
    )


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule", "repository_dispatch"])
def test_decide__event_of_a_branch__deploys_like_a_push(event: str) -> None:
    assert decide(replace(PUSH, event=event), Inputs(), {}) == Deploy(environment="dev")


def test_decide__pull_request__plans_where_the_merge_goes() -> None:
    inputs = Inputs(branch_environments={"staging": "dev", "main": "prod"})
    elsewhere = replace(PULL, pull_request=PullRequest(number=7, head_sha="b" * 40, is_fork=False))

    assert decide(PULL, inputs, {}) == PlanOnly(environments=("dev",))
    assert decide(PULL, Inputs(environment="qa"), {}) == PlanOnly(environments=("qa",))
    assert decide(elsewhere, inputs, {}) == PlanOnly(
        environments=(), reason=BaseDeploysNowhere(base="")
    )


@pytest.mark.parametrize("is_fork", [True, False])
@pytest.mark.parametrize("is_merged", [True, False])
def test_decide__closed_pull_request__says_that_this_event_never_deploys(
    is_merged: bool, is_fork: bool
) -> None:
    pull = PullRequest(
        number=7,
        head_sha="b" * 40,
        is_fork=is_fork,
        base="main",
        is_closed=True,
        is_merged=is_merged,
    )

    decision = decide(replace(PULL, pull_request=pull), Inputs(environment="prod"), {})

    assert isinstance(decision, Skip)
    assert "pull_request event never deploys" in no_deployment_text(decision.reason)
    assert decision.is_surprising is is_merged
    assert ("the push to main does" in no_deployment_text(decision.reason)) is is_merged


@pytest.mark.parametrize("inputs", [Inputs(), Inputs(environment="prod"), Inputs(dry_run=True)])
def test_decide__pull_request_of_a_fork__only_validates_whatever_is_asked(inputs: Inputs) -> None:
    assert isinstance(decide(FORK, inputs, {}), ValidateOnly)


@pytest.mark.parametrize("has_token", [True, False])
def test_decide__dependabots_pull_request__is_planned_where_the_job_has_a_token(
    has_token: bool,
) -> None:
    context = replace(PULL, is_dependabot=True, can_have_credentials=has_token)

    expected = PlanOnly if has_token else ValidateOnly
    assert isinstance(decide(context, Inputs(), {}), expected)


def test_decide__merge_group__plans_for_the_branch_it_is_queued_for() -> None:
    queued = replace(PUSH, event="merge_group", branch="gh-readonly-queue/main/pr-7-x")

    assert isinstance(decide(queued, Inputs(), {}), ValidateOnly)
    assert decide(replace(queued, queued_for="main"), Inputs(), {}) == PlanOnly(
        environments=("prod",)
    )


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_decide__branch_of_a_merge_queue__never_deploys(event: str) -> None:
    context = replace(PUSH, event=event, branch="gh-readonly-queue/main/pr-7-x")

    assert isinstance(decide(context, Inputs(environment="dev"), {}), Skip)


@pytest.mark.parametrize("action", ["deleted", "unpublished"])
def test_decide__release_that_is_taken_back__does_not_deploy(action: str) -> None:
    context = replace(PUSH, event="release", ref="refs/tags/v1", branch="", tag="v1")

    assert decide(context, Inputs(environment="prod"), {}) == Deploy(environment="prod")
    taken_back = replace(context, action=action)
    assert isinstance(decide(taken_back, Inputs(environment="prod"), {}), Skip)


@pytest.mark.parametrize(
    ("event", "said", "declared", "is_refused"),
    [
        ("workflow_dispatch", Said.EMPTY, {}, True),
        ("repository_dispatch", Said.EMPTY, {}, True),
        ("workflow_dispatch", Said.NOTHING, {"rollback-to": ""}, True),
        ("workflow_dispatch", Said.NOTHING, {"Rollback_To": "v1"}, True),
        ("workflow_dispatch", Said.NO, {"rollback-to": ""}, False),
        ("workflow_dispatch", Said.NOTHING, {"release": ""}, False),
        ("push", Said.EMPTY, {}, False),
    ],
)
def test_decide__rollback_to_that_is_empty__is_no_deployment_on_a_dispatch(
    event: str, said: Said, declared: dict[str, str], is_refused: bool
) -> None:
    context = replace(PUSH, event=event, dispatch_inputs=declared)

    decision = decide(context, Inputs(rollback_said=said), {})

    assert isinstance(decision, Refuse) is is_refused
    assert isinstance(decision, Deploy) is not is_refused


@pytest.mark.parametrize(
    ("branch", "found"),
    [("develop", ("dev",)), ("main", ("prod",)), ("hotfix", ("prod",)), ("staging", ())],
)
def test_targets__file_with_branches__replaces_the_default(
    branch: str, found: tuple[str, ...]
) -> None:
    file = environments(dev=("develop",), prod=("main", "hotfix"))

    assert targets(Inputs(), file, branch=branch) == found


def test_targets__file_without_branches__leaves_the_default() -> None:
    file = environments(dev=())

    assert targets(Inputs(), file, branch="staging") == ("dev",)
    assert targets(Inputs(), file, branch="main") == ("prod",)


def test_targets__input_and_file__the_input_wins() -> None:
    file = environments(dev=("develop",), prod=("main",))
    inputs = Inputs(branch_environments={"main": "live"})

    assert targets(inputs, file, branch="develop") == ("dev",)
    assert targets(inputs, file, branch="main") == ("live",)


PATTERNS = [
    ("release/1.4", "prod"),
    ("release/old", ""),
    ("main", "prod"),
    ("feature/a/b", "dev"),
    ("v2", "dev"),
]


@pytest.mark.parametrize("place", ["input", "file"])
@pytest.mark.parametrize(("branch", "environment"), PATTERNS)
def test_targets__patterns__mean_the_same_in_the_input_and_in_the_file(
    branch: str, environment: str, place: str
) -> None:
    prod = ("release/*", "!release/old", "main")
    dev = ("feature/**", "v[0-9]", "m?ain")
    as_input = Inputs(
        branch_environments=dict.fromkeys(prod, "prod") | dict.fromkeys(dev, "dev"),
    )

    found = (
        targets(as_input, {}, branch=branch)
        if place == "input"
        else targets(Inputs(), environments(prod=prod, dev=dev), branch=branch)
    )

    assert found == ((environment,) if environment else ())


def test_targets__tag_named_like_a_branch__is_not_the_branch() -> None:
    file = environments(prod=("main",))

    assert targets(Inputs(), file, tag="main") == ()
    assert targets(Inputs(), {}, tag="main") == ()


def test_decide__a_branch_of_two_environments__is_refused_with_both() -> None:
    file = environments(eu=("staging",), us=("staging",))

    decision = decide(PUSH, Inputs(), file)

    assert isinstance(decision, Refuse)
    assert "eu, us" in refusal_text(decision.reason)


@pytest.mark.parametrize(
    ("ref", "allowed"),
    [
        ("refs/heads/main", True),
        ("refs/heads/release/1.4", True),
        ("refs/heads/release/1/4", False),
        ("refs/heads/staging", False),
        ("refs/tags/v1", True),
        ("refs/tags/main", False),
        ("", False),
    ],
)
def test_decide__protected_environment__takes_only_its_branches_and_tags(
    ref: str, allowed: bool
) -> None:
    file = {
        "prod": Environment(
            name="prod", branches=("main", "release/*"), tags=("v*",), protected=True
        )
    }
    context = replace(
        PUSH,
        event="workflow_dispatch",
        ref=ref,
        branch=ref.removeprefix("refs/heads/") if "heads" in ref else "",
        tag=ref.removeprefix("refs/tags/") if "tags" in ref else "",
        checkout=Checkout(head="a" * 40),
    )

    for inputs in (Inputs(environment="prod"), Inputs(environment="prod", rollback_to="v1")):
        assert isinstance(decide(context, inputs, file), Refuse) is not allowed
