"""The sticky comment against an API that checks what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from fsd.errors import CallFailedError
from fsd.github.comments import LIMIT, Comments
from tests.fakes.github_api import BOT, TOKEN, GithubApi, serve_github_api

MARKER = "<!-- fsd:hello:dev -->"
SHA = "a" * 40


@pytest.fixture
def api() -> Iterator[GithubApi]:
    with serve_github_api() as state:
        yield state
    assert state.unknown == []


@contextmanager
def comments_of(api: GithubApi, *, token: str = TOKEN) -> Iterator[Comments]:
    with closing(Comments(api.repository, token=token, api_url=api.url)) as comments:
        yield comments


def test_publish__no_comment_yet__writes_one(api: GithubApi) -> None:
    with comments_of(api) as comments:
        url = comments.publish(7, f"{MARKER}\n\nhello", marker=MARKER)

    assert url == "https://github.com/org/hello/pull/7#1"
    assert api.bodies(7) == [f"{MARKER}\n\nhello"]


def test_publish__ours_on_the_third_page__is_edited_in_place(api: GithubApi) -> None:
    for number in range(4):
        api.add_comment(7, f"talk {number}", login="amy", kind="User")
    api.add_comment(7, f"{MARKER}\n\nold")

    with comments_of(api) as comments:
        url = comments.publish(7, f"{MARKER}\n\nnew", marker=MARKER)

    assert url.endswith("#5")
    assert api.bodies(7)[4:] == [f"{MARKER}\n\nnew"]
    assert api.writes() == ["PATCH /repos/org/hello/issues/comments/5"]


def test_publish__our_marker_in_anothers_comment__is_not_touched(api: GithubApi) -> None:
    api.add_comment(7, f"{MARKER}\n\nI was here", login="mallory", kind="User")

    with comments_of(api) as comments:
        comments.publish(7, f"{MARKER}\n\nours", marker=MARKER)

    assert api.bodies(7) == [f"{MARKER}\n\nI was here", f"{MARKER}\n\nours"]


def test_publish__a_persons_token__takes_only_that_persons_comment(api: GithubApi) -> None:
    api.login, api.token = "deployer", "github_pat_x"
    api.add_comment(7, f"{MARKER}\n\nbot", login=BOT)
    api.add_comment(7, f"{MARKER}\n\nold", login="deployer", kind="User")

    with comments_of(api, token="github_pat_x") as comments:
        comments.publish(7, f"{MARKER}\n\nnew", marker=MARKER)

    assert api.bodies(7) == [f"{MARKER}\n\nbot", f"{MARKER}\n\nnew"]


def test_publish__an_apps_token_that_may_not_ask_who_it_is__finds_its_comment(
    api: GithubApi,
) -> None:
    api.token = "an-older-servers-token"
    api.add_comment(7, f"{MARKER}\n\nold")

    with comments_of(api, token="an-older-servers-token") as comments:
        comments.publish(7, f"{MARKER}\n\nnew", marker=MARKER)

    assert api.bodies(7) == [f"{MARKER}\n\nnew"]


def test_publish__another_apps_comment__writes_one_of_its_own(api: GithubApi) -> None:
    api.add_comment(7, f"{MARKER}\n\ntheirs", login="other[bot]")

    with comments_of(api) as comments:
        comments.publish(7, f"{MARKER}\n\nours", marker=MARKER)

    assert api.bodies(7) == [f"{MARKER}\n\ntheirs", f"{MARKER}\n\nours"]


def test_publish__other_environments_comment__is_another_one(api: GithubApi) -> None:
    api.add_comment(7, "<!-- fsd:hello:prod -->\n\nprod")

    with comments_of(api) as comments:
        comments.publish(7, f"{MARKER}\n\ndev", marker=MARKER)

    assert len(api.bodies(7)) == 2


def test_publish__the_same_text_with_other_line_ends__is_not_written_again(api: GithubApi) -> None:
    api.add_comment(7, f"{MARKER}\r\n\r\nsame\r\n")

    with comments_of(api) as comments:
        comments.publish(7, f"{MARKER}\n\nsame", marker=MARKER)

    assert api.writes() == []


def test_publish__longer_than_github_takes__is_cut_and_accepted(api: GithubApi) -> None:
    with comments_of(api) as comments:
        comments.publish(7, f"{MARKER}\n\n" + "line\n\n" * LIMIT, marker=MARKER)

    (body,) = api.bodies(7)
    assert len(body) <= LIMIT
    assert "the job summary has all of it" in body


def test_publish__token_that_may_not_write__says_which_permission(api: GithubApi) -> None:
    api.refuse("POST")

    with comments_of(api) as comments, pytest.raises(CallFailedError) as caught:
        comments.publish(7, MARKER, marker=MARKER)

    assert "Resource not accessible by integration" in caught.value.what
    assert "pull-requests: write" in caught.value.fix


def test_publish__wrong_token__is_an_error_without_the_token(api: GithubApi) -> None:
    with comments_of(api, token="ghs_wrong") as comments, pytest.raises(CallFailedError) as caught:
        comments.publish(7, MARKER, marker=MARKER)

    assert "401" in caught.value.what
    assert "ghs_wrong" not in str(caught.value)
    assert api.unauthorized != []


def test_publish__nobody_answers__is_an_error_of_ours() -> None:
    with serve_github_api() as gone:
        pass

    with comments_of(gone) as comments, pytest.raises(CallFailedError) as caught:
        comments.publish(7, MARKER, marker=MARKER)

    assert caught.value.code == "github-unreachable"


def test_find_pull_request__merged__the_one_with_this_merge_commit(api: GithubApi) -> None:
    api.add_pull(1, SHA, head="b" * 40)  # listed, and about another commit
    api.add_pull(2, SHA, repository="fork/hello")
    api.add_pull(3, SHA, base="main")
    api.add_pull(4, SHA, base="staging")

    with comments_of(api) as comments:
        assert comments.find_pull_request(SHA, branch="staging") == 4
        assert comments.find_pull_request(SHA, branch="main") == 3


def test_find_pull_request__fast_forward__the_one_with_this_head(api: GithubApi) -> None:
    api.add_pull(5, SHA, head=SHA)

    with comments_of(api) as comments:
        assert comments.find_pull_request(SHA, branch="staging") == 5


def test_find_pull_request__direct_push__none(api: GithubApi) -> None:
    with comments_of(api) as comments:
        assert comments.find_pull_request(SHA, branch="staging") is None
