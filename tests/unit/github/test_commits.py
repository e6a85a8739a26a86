"""The order of two commits, by GitHub's answer; whatever else it answers is no order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from fsd.github.commits import Commits
from fsd.release.concurrency.in_flight import CommitOrder
from tests.fakes.github_api import TOKEN, GithubApi, serve_github_api

OURS, THEIRS = "a" * 40, "b" * 40


@pytest.fixture(scope="module")
def github() -> Iterator[GithubApi]:
    with serve_github_api() as api:
        yield api


@pytest.mark.parametrize(
    ("status", "order"),
    [
        ("ahead", CommitOrder.NEWER),
        ("behind", CommitOrder.OLDER),
        ("identical", CommitOrder.SAME),
        ("diverged", CommitOrder.DIVERGED),
        ("sideways", CommitOrder.UNKNOWN),
    ],
)
def test_order__githubs_answer__is_ours_against_theirs(
    github: GithubApi, status: str, order: CommitOrder
) -> None:
    github.compared[(THEIRS, OURS)] = status
    commits = Commits("org/hello", token=TOKEN, api_url=github.url)

    assert commits.order(OURS, THEIRS) is order


@pytest.mark.parametrize(
    ("token", "repository", "url"),
    [
        ("wrong", "org/hello", ""),
        (TOKEN, "org/other", ""),
        (TOKEN, "org/hello", "http://127.0.0.1:1"),
        (TOKEN, "org/hello", "http://127.0.0.1:1/api/v3/"),
        (TOKEN, "org/hello", "no-url"),
    ],
)
def test_order__no_answer__is_unknown(
    github: GithubApi, token: str, repository: str, url: str
) -> None:
    commits = Commits(repository, token=token, api_url=url or github.url)

    assert commits.order(OURS, THEIRS) is CommitOrder.UNKNOWN
    assert commits.order("", THEIRS) is CommitOrder.UNKNOWN


ANSWERS = [
    (200, b"null"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"status": null}'),
    (200, b'{"status": ["ahead"]}'),
    (200, b'"ahead"'),
    (200, b"<html>"),
    (200, b""),
    (200, b"\xff\xfe"),
    (204, b""),
    (301, b""),
    (403, b"{}"),
    (404, b'{"status": "ahead"}'),
    (422, b"{}"),
    (429, b"{}"),
    (500, b"ahead"),
    (503, b"<html>"),
    (999, b"{}"),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_order__wrong_answer__is_unknown(status: int, body: bytes) -> None:
    with _answering(status, body) as url:
        commits = Commits("org/hello", token=TOKEN, api_url=url)

        assert commits.order(OURS, THEIRS) is CommitOrder.UNKNOWN


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.handle_request)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        thread.join()
        server.server_close()


class _Elsewhere(BaseHTTPRequestHandler):
    """Notes the token that comes with a request; sends on, or drips for as long as it is read."""

    tokens: list[str]
    target: str

    def do_GET(self) -> None:
        self.tokens.append(self.headers.get("authorization", ""))
        if self.target:
            self.send_response(302)
            self.send_header("location", self.target)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("content-length", "1000000")
        self.end_headers()
        with suppress(OSError):
            for _ in range(1_000):
                self.wfile.write(b" ")
                self.wfile.flush()
                if self.ended.wait(0.05):
                    return

    ended: Event

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def _elsewhere(target: str = "") -> Iterator[tuple[str, list[str]]]:
    tokens: list[str] = []
    ended = Event()
    handler = type("Handler", (_Elsewhere,), {"tokens": tokens, "target": target, "ended": ended})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", tokens
        finally:
            ended.set()
            server.shutdown()
            thread.join()


def test_order__sent_on_to_another_host__gets_no_token() -> None:
    with _elsewhere() as (other, theirs), _elsewhere(f"{other}/x") as (api, ours):
        found = Commits("org/hello", token="ghs_x", api_url=api).order(OURS, THEIRS)

    assert found is CommitOrder.UNKNOWN
    assert (ours, theirs) == (["Bearer ghs_x"], [])


def test_order__answer_that_drips__is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsd.github.api._WHOLE", 0.5)

    with _elsewhere() as (api, _):
        found = Commits("org/hello", token="ghs_x", api_url=api).order(OURS, THEIRS)

    assert found is CommitOrder.UNKNOWN
