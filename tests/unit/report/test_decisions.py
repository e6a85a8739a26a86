"""Each reason has its words; the values are those that `fsd.action.decide` gives."""

from __future__ import annotations

import pytest

from fsd.report.decisions import (
    BareReason,
    BareRefusal,
    BaseDeploysNowhere,
    ChangedAfterCheckout,
    Doubt,
    EventOfAnybody,
    ForeignRef,
    MergedPullRequest,
    NoDeployment,
    OtherCode,
    ProtectedFromOtherCode,
    QueueBranch,
    RefDeleted,
    RefDeploysNowhere,
    RefNotAllowed,
    Refusal,
    ReleaseEnded,
    RunNotSuccessful,
    RunOfOtherEvent,
    SeveralEnvironments,
    doubt_text,
    no_deployment_text,
    refusal_fix,
    refusal_text,
)

CODE = OtherCode(event="push", named="a" * 40, head="b" * 40)
UNKNOWN = OtherCode(event="workflow_run", named="", problem="not a git repository")
CHECK_OUT = (
    "check out the event's commit: use actions/checkout without `ref`, and into the folder that "
    "is deployed"
)

REASONS: list[tuple[NoDeployment, str]] = [
    (
        MergedPullRequest(base=""),
        "a pull_request event never deploys, merged or not; the push to the base branch does "
        "(`on: push`)",
    ),
    (BaseDeploysNowhere(base=""), "the base branch (unknown) deploys nowhere"),
    (RefDeleted(ref="refs/heads/x"), "refs/heads/x was deleted"),
    (QueueBranch(branch="q"), "q is a merge queue's; the push after the merge deploys"),
    (ReleaseEnded(tag="v1", action="unpublished"), "the release of v1 was unpublished"),
    (RefDeploysNowhere(kind="branch", ref="x"), "the branch x deploys nowhere"),
    (
        RefDeploysNowhere(kind="tag", ref="v1"),
        "the tag v1 deploys nowhere; `tags` in the environments file says where it goes",
    ),
]
REFUSALS: list[tuple[Refusal, str, str]] = [
    (
        EventOfAnybody(event="issue_comment"),
        "the event issue_comment can carry the code of anybody's pull request, and this job has "
        "the repository's credentials",
        "deploy by `on: workflow_dispatch`: only who may write can start it",
    ),
    (
        ForeignRef(ref="refs/pull/1/merge"),
        "refs/pull/1/merge is neither a branch nor a tag of this repository",
        "deploy a branch or a tag",
    ),
    (
        RunOfOtherEvent(event=""),
        "this workflow_run is of the event (unknown), and only one of a push deploys",
        "run the job only `if: github.event.workflow_run.event == 'push'`",
    ),
    (
        RunNotSuccessful(conclusion="", commit="a" * 40),
        "the workflow that this run follows ended with nothing for aaaaaaa",
        "run the job only `if: github.event.workflow_run.conclusion == 'success'`",
    ),
    (
        SeveralEnvironments(kind="branch", ref="main", names=("eu", "us")),
        "the branch main deploys to more than one: eu, us",
        "give each its own job with the input `environment`",
    ),
    (
        RefNotAllowed(environment="prod", allowed=(), ref=""),
        "prod is protected and takes only its branches and tags (none); this is no branch",
        "run it on one of them, or change `branches` or `tags` in the environments file",
    ),
    (
        ProtectedFromOtherCode(environment="prod", code=CODE),
        "prod is protected, and bbbbbbb is checked out, while the event is about aaaaaaa",
        CHECK_OUT,
    ),
    (
        ProtectedFromOtherCode(environment="prod", code=UNKNOWN),
        "prod is protected, and git does not say that no commit, which the event is about, is "
        "what is checked out (not a git repository)",
        "give actions/checkout `ref: ${{ github.event.workflow_run.head_sha }}`: it takes the "
        "default branch without",
    ),
]


@pytest.mark.parametrize(("reason", "text"), REASONS, ids=lambda value: type(value).__name__)
def test_no_deployment_text__each(reason: NoDeployment, text: str) -> None:
    assert no_deployment_text(reason) == text


@pytest.mark.parametrize(
    ("refusal", "text", "fix"), REFUSALS, ids=lambda value: type(value).__name__
)
def test_refusal_text__each__with_its_fix(refusal: Refusal, text: str, fix: str) -> None:
    assert (refusal_text(refusal), refusal_fix(refusal)) == (text, fix)


@pytest.mark.parametrize(
    ("doubt", "text"),
    [
        (
            CODE,
            f"bbbbbbb is checked out, while the event is about aaaaaaa\nfix: {CHECK_OUT}",
        ),
        (
            ChangedAfterCheckout(environment="prod", commit="a" * 40),
            "prod is protected, and files of aaaaaaa were changed after the checkout\n"
            "fix: commit what a step writes into them",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_doubt_text__each(doubt: Doubt, text: str) -> None:
    assert doubt_text(doubt) == text


def test_texts__values_without_fields__each_has_one() -> None:
    assert all(no_deployment_text(reason) for reason in BareReason)
    assert all(refusal_text(each) and refusal_fix(each) for each in BareRefusal)
