from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fsd.github.context import (
    CheckedRun,
    Context,
    PullRequest,
    read_context,
    read_event,
)

PUSH = {
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REPOSITORY": "org/offers",
    "GITHUB_REF": "refs/heads/staging",
    "GITHUB_SHA": "4f2c1e9" + "0" * 33,
    "GITHUB_ACTOR": "amy",
    "GITHUB_TRIGGERING_ACTOR": "bob",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SERVER_URL": "https://github.example.com/",
    "GITHUB_API_URL": "https://github.example.com/api/v3",
}


PULL = {**PUSH, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}
AFTER_CI = {**PUSH, "GITHUB_EVENT_NAME": "workflow_run", "GITHUB_REF": "refs/heads/main"}


def pull_request(*, head_repo: Any = "org/offers", **more: Any) -> str:
    return json.dumps(
        {
            "number": 7,
            "pull_request": {
                "number": 7,
                "head": {
                    "sha": "a" * 40,
                    "repo": {"full_name": head_repo} if head_repo else None,
                },
                "base": {"ref": "main", "repo": {"full_name": "org/offers"}},
            },
            **more,
        }
    )


def test_read_context__push__everything_of_it() -> None:
    assert read_context(PUSH, event_text="{}") == Context(
        event="push",
        repository="org/offers",
        ref="refs/heads/staging",
        branch="staging",
        sha="4f2c1e9" + "0" * 33,
        actor="bob",
        run_url="https://github.example.com/org/offers/actions/runs/42",
        server_url="https://github.example.com",
        api_url="https://github.example.com/api/v3",
        can_have_credentials=False,
    )


def test_read_context__nothing_at_all__is_empty_and_github_com() -> None:
    context = read_context({})

    assert (context.event, context.branch, context.sha, context.run_url) == ("", "", "", "")
    assert context.api_url == "https://api.github.com"


def test_read_context__branch_with_slashes__is_whole() -> None:
    context = read_context({**PUSH, "GITHUB_REF": "refs/heads/release/1.2"})

    assert context.branch == "release/1.2"


def test_read_context__tag__has_no_branch() -> None:
    assert read_context({**PUSH, "GITHUB_REF": "refs/tags/staging"}).branch == ""


def test_read_context__pull_request__the_heads_commit_and_not_the_merge() -> None:
    context = read_context(PULL, event_text=pull_request())

    assert context.sha == "a" * 40
    assert context.branch == ""
    assert context.merge_sha == PUSH["GITHUB_SHA"]
    assert context.pull_request == PullRequest(
        number=7, head_sha="a" * 40, is_fork=False, base="main"
    )
    assert context.blob_url == f"https://github.example.com/org/offers/blob/{'a' * 40}"


@pytest.mark.parametrize("head", ["evil/offers", None])
def test_read_context__another_or_no_head_repository__is_a_fork(head: str | None) -> None:
    found = read_context(PULL, event_text=pull_request(head_repo=head)).pull_request

    assert found is not None
    assert found.is_fork


def test_read_context__other_case_of_the_same_repository__is_no_fork() -> None:
    found = read_context(PULL, event_text=pull_request(head_repo="Org/Offers")).pull_request

    assert found is not None
    assert not found.is_fork


def test_read_context__payload_of_another_event__says_nothing() -> None:
    text = json.dumps({**json.loads(pull_request()), "workflow_run": {"head_branch": "x"}})

    context = read_context(PUSH, event_text=text)

    assert (context.pull_request, context.checked_run) == (None, None)
    assert (context.branch, context.sha) == ("staging", PUSH["GITHUB_SHA"])


def test_read_context__closed_and_merged__is_both() -> None:
    event = json.loads(pull_request(action="closed"))
    event["pull_request"]["merged"] = True

    found = read_context(PULL, event_text=json.dumps(event)).pull_request

    assert found is not None
    assert (found.is_closed, found.is_merged) == (True, True)


def workflow_run(**more: Any) -> str:
    run = {
        "event": "push",
        "conclusion": "success",
        "head_branch": "release/1",
        "head_sha": "b" * 40,
        "head_repository": {"full_name": "Org/offers"},
        **more,
    }
    return json.dumps({"workflow_run": run})


def test_read_context__workflow_run__is_about_the_commit_that_was_checked() -> None:
    context = read_context(AFTER_CI, event_text=workflow_run())

    assert (context.ref, context.branch) == ("refs/heads/release/1", "release/1")
    assert context.sha == "b" * 40
    assert context.checked_run == CheckedRun(event="push", conclusion="success", is_own=True)


@pytest.mark.parametrize("owner", [{"full_name": "evil/offers"}, None, {}, "Org/offers"])
def test_read_context__workflow_run_of_a_fork__is_not_ours(owner: Any) -> None:
    context = read_context(AFTER_CI, event_text=workflow_run(head_repository=owner))

    assert context.checked_run is not None
    assert not context.checked_run.is_own


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"workflow_run": 7}', workflow_run(head_sha=None), workflow_run(head_branch="")],
)
def test_read_context__workflow_run_that_cannot_be_read__is_about_no_commit(text: str) -> None:
    context = read_context(AFTER_CI, event_text=text)

    assert context.checked_run is None
    assert (context.branch, context.sha) == ("", "")


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        (
            '{"merge_group": {"base_ref": "refs/heads/main"}}',
            "refs/heads/queue",
        ),
        ("", "refs/heads/gh-readonly-queue/main/pr-104-abc"),
    ],
)
def test_read_context__merge_group__the_branch_that_it_is_for(text: str, ref: str) -> None:
    environ = {**PUSH, "GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": ref}

    assert read_context(environ, event_text=text).queued_for == "main"


@pytest.mark.parametrize("name", ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"])
def test_read_context__dependabot__whoever_ran_it_again(name: str) -> None:
    assert read_context({**PULL, name: "dependabot[bot]"}).is_dependabot


def test_read_context__dispatch__its_inputs_given_or_not() -> None:
    environ = {**PUSH, "GITHUB_EVENT_NAME": "workflow_dispatch"}
    text = '{"inputs": {"rollback-to": "", "force": true, "x": null}}'

    found = read_context(environ, event_text=text).dispatch_inputs

    assert found == {"rollback-to": "", "force": "True", "x": ""}
    assert read_context(environ, event_text='{"inputs": null}').dispatch_inputs == {}


def test_read_context__deleted_branch__is_a_deletion() -> None:
    assert read_context(PUSH, event_text='{"deleted": true}').is_deletion


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"pull_request": 7}',
        '{"pull_request": {"number": "7"}}',
        '{"pull_request": {"number": 7, "head": {"sha": ""}}}',
    ],
)
def test_read_context__a_pull_request_that_cannot_be_read__is_none(text: str) -> None:
    assert read_context(PULL, event_text=text).pull_request is None


def test_read_event__no_file__is_empty(tmp_path: Path) -> None:
    assert read_event({"GITHUB_EVENT_PATH": str(tmp_path / "none")}) == ""
    assert read_event({}) == ""
