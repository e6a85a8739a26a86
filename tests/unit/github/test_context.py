from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fsd.github.context import Context, PullRequest, read_context, read_event

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
    environ = {
        **PUSH,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
    }

    context = read_context(environ, event_text=pull_request())

    assert context.sha == "a" * 40
    assert context.branch == ""
    assert context.pull_request == PullRequest(number=7, head_sha="a" * 40, is_fork=False)
    assert context.blob_url == f"https://github.example.com/org/offers/blob/{'a' * 40}"


@pytest.mark.parametrize("head", ["evil/offers", None])
def test_read_context__another_or_no_head_repository__is_a_fork(head: str | None) -> None:
    found = read_context(PUSH, event_text=pull_request(head_repo=head)).pull_request

    assert found is not None
    assert found.is_fork


def test_read_context__other_case_of_the_same_repository__is_no_fork() -> None:
    found = read_context(PUSH, event_text=pull_request(head_repo="Org/Offers")).pull_request

    assert found is not None
    assert not found.is_fork


def test_read_context__workflow_run_of_a_fork__is_foreign() -> None:
    event = {"workflow_run": {"head_repository": {"full_name": "evil/offers"}}}

    assert read_context(PUSH, event_text=json.dumps(event)).is_foreign


def test_read_context__deleted_branch__is_a_deletion() -> None:
    assert read_context(PUSH, event_text='{"deleted": true}').is_deletion


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"pull_request": 7}', '{"pull_request": {"number": "7"}}']
)
def test_read_context__an_event_that_is_none__is_read_without_it(text: str) -> None:
    assert read_context(PUSH, event_text=text).pull_request is None


def test_read_event__no_file__is_empty(tmp_path: Path) -> None:
    assert read_event({"GITHUB_EVENT_PATH": str(tmp_path / "none")}) == ""
    assert read_event({}) == ""
